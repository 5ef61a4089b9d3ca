//! The first page of a published site: all runs in a table, over apps, interpreters, hosts and dates.
//!
//! Links are relative, so that the folder can lie anywhere on a server, or on a disk. Without its script
//! the page is whole: that one only sorts and filters the table.

use maud::{DOCTYPE, Markup, html};

use super::html::{head, script};
use super::{PAGE_FILE, numbers, words};
use crate::analysis::{Analysis, Validity};
use crate::record::Record;

const SCRIPT: &str = concat!(include_str!("sort.js"), include_str!("site.js"));
const STYLE: &str = concat!(
    include_str!("page/report.css"),
    "main, header, footer { max-width: 76rem; }
td.text { white-space: normal; min-width: 9rem; }
td.answer-of { min-width: 14rem; }
td, tbody th { vertical-align: top; }
input { font: inherit; padding: .3rem; max-width: 100%; }"
);

/// A run, as a row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The run's folder in the site.
    pub folder: String,
    app: String,
    answer: String,
    /// The verdict of the claim that the answer is about.
    verdict: Option<&'static str>,
    invalid: Option<&'static str>,
    interpreters: String,
    host: String,
    started: String,
    blocks: u32,
    metric: &'static str,
    baseline: String,
    /// `None`: no launch of the baseline gave the metric.
    median_ms: Option<f64>,
}

/// The machines that it was measured on.
fn hosts(record: &Record) -> String {
    /// Machines that are named.
    const MOST: usize = 3;
    let mut hosts: Vec<String> = record
        .hosts()
        .into_iter()
        .map(|host| {
            let name = host.name.as_ref().map(|name| format!("{name}: "));
            format!(
                "{}{}, {} CPUs, {}",
                name.unwrap_or_default(),
                host.cpu_model,
                host.cpus,
                host.virtualization
            )
        })
        .collect();
    if hosts.len() > MOST {
        let more = hosts.len() - MOST;
        hosts.truncate(MOST);
        hosts.push(format!("and {more} more"));
    }
    hosts.join("; ")
}

impl Entry {
    /// The row of a record whose page lies in that folder.
    pub fn of(folder: &str, record: &Record, analysis: &Analysis) -> Self {
        let header = &record.header;
        let (answer, decision) = words::answer(record, analysis);
        let interpreters = header.interpreters.iter();
        let interpreters: Vec<String> = interpreters
            .map(|each| format!("{} {}", each.implementation, each.version))
            .collect();
        let baseline = &record.suite.measure.baseline;
        let metric = record.suite.measure.metrics.first();
        let median_ms = metric.and_then(|metric| {
            let mut scenarios = analysis.scenarios.iter();
            let summary = scenarios.find(|each| each.name == *baseline)?;
            let mut metrics = summary.metrics.iter();
            Some(metrics.find(|each| each.metric == *metric)?.median_ms)
        });
        Self {
            folder: folder.to_owned(),
            app: analysis.app.clone(),
            answer,
            verdict: decision.map(|decision| words::verdict(decision.verdict)),
            invalid: (analysis.validity != Validity::Valid).then(|| words::validity(analysis)),
            interpreters: interpreters.join(", "),
            host: hosts(record),
            started: header.started.clone(),
            blocks: analysis.blocks,
            metric: metric.map_or("", |metric| metric.name()),
            baseline: baseline.clone(),
            median_ms,
        }
    }
}

/// The page: apps in the order of their names, the newest run of each first.
pub fn site_index(entries: &[Entry]) -> String {
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by(|a, b| {
        let newest_first = b.started.cmp(&a.started);
        a.app
            .cmp(&b.app)
            .then(newest_first)
            .then(a.folder.cmp(&b.folder))
    });
    let title = "How long Python apps take to start";
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, STYLE, SCRIPT))
            body {
                header {
                    h1 { (title) }
                    p.answer { (count(&entries)) }
                    p.quiet { "Each run has a page of its own, with its record. Runs were measured at different \
                        times, and their medians are those of their hour: within a run scenarios are \
                        compared in pairs, between runs they are not." }
                }
                main #main {
                    p hidden {
                        label for="filter" { "Only runs with " }
                        input #filter type="search" autocomplete="off";
                        " " span #shown role="status" {}
                    }
                    (table(&entries))
                }
                footer { p { "Made with coldsnake " (env!("CARGO_PKG_VERSION")) "." } }
                (script("data", &serde_json::Value::Null, SCRIPT))
            }
        }
    };
    page.into_string()
}

fn count(entries: &[&Entry]) -> String {
    let mut apps: Vec<&str> = entries.iter().map(|entry| entry.app.as_str()).collect();
    apps.dedup();
    let plural = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    };
    format!(
        "{} of {}.",
        plural(entries.len(), "run"),
        plural(apps.len(), "app")
    )
}

fn table(entries: &[&Entry]) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table.sortable {
                caption { "Runs" }
                thead { tr {
                    th scope="col" { "app" }
                    th.text scope="col" { "what was found" }
                    th scope="col" { "baseline's" br; "median, ms" }
                    th.text scope="col" { "interpreter" }
                    th.text scope="col" { "host" }
                    th scope="col" { "measured" }
                    th scope="col" { "blocks" }
                    th scope="col" { "record" }
                } }
                tbody { @for entry in entries { (row(entry)) } }
            }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let median = entry.median_ms.map(|ms| ms.to_string());
    html! {
        tr {
            th scope="row" { a href={ (entry.folder) "/" (PAGE_FILE) } { (entry.app) } }
            td.text.answer-of {
                @if let Some(invalid) = entry.invalid { strong { (invalid) } " " }
                @if let Some(word) = entry.verdict { span class={ "badge " (word) } { (word) } " " }
                (entry.answer)
            }
            td data-v=[median] {
                (entry.median_ms.map_or(numbers::UNKNOWN.to_owned(), numbers::time))
                br; span.quiet { (entry.baseline) ", " (entry.metric) }
            }
            td.text { (entry.interpreters) }
            td.text { (entry.host) }
            td data-v=(entry.started) { (entry.started) }
            td { (entry.blocks) }
            td { a href={ (entry.folder) "/record.jsonl" } download { "download" } }
        }
    }
}
