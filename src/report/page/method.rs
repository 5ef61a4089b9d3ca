//! How it was measured, and how to do it again.

use maud::{Markup, html};

use super::super::{counts, numbers, words};
use super::list;
use crate::analysis::Analysis;
use crate::record::Record;

/// Host, method and conditions in short.
pub fn method(record: &Record, analysis: &Analysis) -> Markup {
    let (header, host) = (&record.header, &analysis.host);
    let governor = host.governor.as_deref().unwrap_or("not known");
    html! {
        p {
            "Every scenario was launched once in each of " (words::blocks(analysis.blocks))
            ", in random order. " (words::procedure(&record.suite)) " Intervals are simultaneous over a \
             metric's scenarios. Negative is faster."
        }
        dl {
            dt { "App" }
            dd { (analysis.app) ", " (numbers::fixed(analysis.app_lines as f64, 0)) " lines of Python" }
            dt { "Interpreter" }
            dd {
                @for (index, each) in analysis.interpreters.iter().enumerate() {
                    @if index > 0 { ", " }
                    (each.implementation) " " (each.version) " (" (each.executable) ")"
                }
            }
            dt { "Machine" }
            dd {
                (host.cpus) " CPUs (" (host.cpu_model) "), "
                (numbers::fixed(host.memory_mib as f64, 0)) " MiB, Linux " (host.kernel)
            }
            @if header.is_merged() {
                dt { "Shards" }
                dd {
                    @for (index, each) in header.shards.iter().enumerate() {
                        @if index > 0 { "; " }
                        (each.shard) ": "
                        @if let Some(name) = &each.host.name { (name) ", " }
                        (each.host.cpus) " CPUs (" (each.host.cpu_model) ")"
                    }
                    ". What else is said of the machine here is of the first of them."
                }
            }
            dt { "Virtualization" } dd { (host.virtualization) }
            dt { "CPU governor" } dd { (governor) }
            @for (name, value) in [
                ("Turbo", &host.turbo),
                ("Several threads a core (SMT)", &host.smt),
                ("Power", &host.power),
            ] {
                @if let Some(value) = value { dt { (name) } dd { (value) } }
            }
            @if let Some(affinity) = &header.affinity {
                dt { "CPUs" }
                dd {
                    "coldsnake on " (affinity.harness) ", the app on " (affinity.children) " ("
                    (affinity.why) ")"
                }
            }
            dt { "Load at the start" } dd { (numbers::fixed(host.load_1min, 2)) }
            dt { "Launched as" } dd { (header.isolation.identity) " (uid " (header.isolation.uid) "), " (words::where_launched(&header.isolation)) }
            dt { "Read-only by" } dd { (header.isolation.read_only_by) }
            @if let Some(counters) = &header.counters {
                dt { "Counted" } dd { (counts::kernel(counters)) }
            }
            @if !header.environment.removed.is_empty() {
                dt { "Held back" } dd { (header.environment.removed.join(", ")) }
            }
            dt { "Suite" }
            dd { (header.suite.origin) ", SHA-256 " (header.suite.sha256) }
        }
        (list(&header.isolation.notes))
    }
}

/// The command line that was used, with its seed.
pub fn repeat(record: &Record) -> Markup {
    let header = &record.header;
    let mut words: Vec<String> = header
        .command_line
        .iter()
        .map(|word| quoted(word))
        .collect();
    // The bare program measures the bundled suite, but only `run` takes options.
    if words.len() == 1 {
        words.push("run".to_owned());
    }
    let seeded = header
        .command_line
        .iter()
        .any(|word| word == "--seed" || word.starts_with("--seed="));
    html! {
        pre {
            (words.join(" "))
            // What follows `--` is the app's, so the seed can't simply stand at the end.
            @if !seeded && !header.command_line.iter().any(|word| word == "--") {
                " --seed " (header.seed)
            }
        }
        @if let Some(first) = header.shards.first() {
            @let of = first.shard.of();
            p.small.quiet {
                "It was measured in shards: with --shard 1/" (of)
                @if of.get() > 1 { " to --shard " (of) "/" (of) }
                " besides, and a folder for each; " code { "coldsnake merge" } " put them together."
            }
        }
        p.small.quiet { "Seed: " (header.seed) ". It decides the order inside of the blocks." }
    }
}

/// A word as a POSIX shell reads it back.
pub(super) fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,%@".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
