//! Records made up in memory, with known effects, and what must be found in them.

mod break_even;
mod claims;
mod compare;
mod contrasts;
mod counters;
mod interpreters;
mod noise;
mod receipts;
mod rounding;
mod shards;
mod summary;
mod warnings;

use std::path::Path;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::blocks::Blocks;
use super::*;
use crate::record::format::*;
use crate::record::{Launch, Record, Role, Surroundings, Times, Usage};
use crate::suite::{LaunchKind, Metric, SuiteFile};

/// `warm`, `cold`, `read-only`, `before`, `first` and `later`, measured by `ready` and `import`.
const SUITE: &str = r#"
[app]
name = "demo"
source = "app"
command = ["{python}", "run.py", "{port}"]
module = "app"
ready = { http = "/" }

[measure]
baseline = "warm"

[[scenario]]
name = "warm"

[[scenario]]
name = "cold"
bytecode = "absent"

[[scenario]]
name = "read-only"
source = "read-only"
bytecode = "absent"

[[scenario]]
name = "before"
source = "read-only"
bytecode = { by = ["{python}", "task.py"] }

[[scenario]]
name = "first"
source = "read-only"
prefix = "empty"

[[scenario]]
name = "later"
source = "read-only"
prefix = "warm"
"#;

/// Milliseconds that a launch of a scenario takes without any noise.
fn truth(scenario: &str) -> f64 {
    match scenario {
        "cold" => 245.0,
        "read-only" => 240.0,
        "before" => 227.0,
        "first" => 1000.0,
        _ => 200.0,
    }
}

/// How noisy the made-up machine is.
#[derive(Clone, Copy, PartialEq)]
enum Noise {
    /// Not at all: every launch takes what it truly takes.
    None,
    /// Drift from block to block, noise and now and then an outlier.
    Usual,
}

/// A record of `blocks` blocks, in which a launch truly takes what `time` says.
fn record(suite: &str, blocks: u32, noise: Noise, time: impl Fn(&str, Role) -> f64) -> Record {
    seeded(20_251_124, suite, blocks, noise, time)
}

fn seeded(
    seed: u64,
    suite: &str,
    blocks: u32,
    noise: Noise,
    time: impl Fn(&str, Role) -> f64,
) -> Record {
    let file = SuiteFile::from_text(Path::new("suite.toml"), suite);
    let suite = file.suite().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drift = 0.0;
    let mut launches = Vec::new();
    let planned = Blocks::new(&suite, &[]).planned_arms();
    for block in 0..blocks {
        drift += normal(&mut rng);
        let mut position = 0;
        for kind in suite.launch_kinds() {
            let mut arms = planned.clone();
            arms.shuffle(&mut rng);
            for arm in arms {
                let mut took = time(&suite.scenarios[arm.scenario].name, arm.role);
                if noise == Noise::Usual {
                    took += 10.0 + 5.0 * f64::sin(drift / 5.0) + 3.0 * normal(&mut rng).abs();
                    if rng.random_range(0..30) == 0 {
                        took += 80.0;
                    }
                }
                launches.push(launch(block, position, arm, kind, took));
                position += 1;
            }
        }
    }
    let end = End {
        stop_reason: StopReason::Precision,
        blocks,
        elapsed_s: f64::from(blocks) * 2.0,
        heat_throttles: None,
        blocks_beside_others: 0,
    };
    Record {
        header: header(file.text()),
        suite,
        receipts: Vec::new(),
        launches,
        end: Some(end),
        counts: Vec::new(),
        damaged: Vec::new(),
    }
}

/// About standard normal: the sum of twelve uniforms, less six.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

fn millis(ms: f64) -> Duration {
    Duration::from_nanos((ms * 1e6).round() as u64)
}

fn launch(block: u32, position: u32, arm: crate::record::Arm, kind: LaunchKind, ms: f64) -> Launch {
    let of = |wanted| (kind == wanted).then(|| millis(ms));
    Launch {
        block,
        position,
        arm,
        kind,
        at: Duration::from_secs(u64::from(block)),
        times: Times {
            ready: of(LaunchKind::App),
            import: of(LaunchKind::Import),
            wall: millis(ms + 5.0),
            ..Times::default()
        },
        usage: Usage {
            user: millis(ms * 0.8),
            system: millis(ms * 0.1),
            peak_memory_kib: 40 * 1024,
            ..Usage::default()
        },
        surroundings: Surroundings::default(),
        pycs_before: 0,
        pycs_after: 0,
        violations: Vec::new(),
        failure: None,
    }
}

fn header(suite: &str) -> Header {
    Header {
        format_version: 1,
        coldsnake: "0.1.0".to_owned(),
        started: "2025-01-01T12:00:00Z".to_owned(),
        command_line: vec!["coldsnake".to_owned(), "run".to_owned()],
        seed: 42,
        suite: SuiteText {
            origin: "suite.toml".to_owned(),
            text: suite.to_owned(),
            sha256: format!("{:064x}", suite.len()),
        },
        host: Host {
            kernel: "6.1.0".to_owned(),
            cpu_model: "Example CPU".to_owned(),
            cpus: 2,
            memory_mib: 8000,
            virtualization: "virtual machine".to_owned(),
            governor: None,
            load_1min: 0.5,
            ..Host::default()
        },
        affinity: None,
        interpreters: vec![Interpreter {
            executable: "/usr/bin/python3.11".to_owned(),
            version: "3.11.7".to_owned(),
            implementation: "CPython".to_owned(),
            cache_tag: "cpython-311".to_owned(),
            magic: 3495,
        }],
        environment: Environment {
            passed: Vec::new(),
            removed: Vec::new(),
        },
        isolation: Isolation {
            backing: "overlay".to_owned(),
            identity: "unprivileged".to_owned(),
            uid: 65534,
            read_only_by: "modes".to_owned(),
            notes: Vec::new(),
        },
        app_lines: 4000,
        counters: None,
        revisions: Vec::new(),
        working_tree: None,
        shard: None,
        shards: Vec::new(),
    }
}

/// The usual effects under the usual noise.
fn usual(blocks: u32) -> Record {
    record(SUITE, blocks, Noise::Usual, |scenario, _| truth(scenario))
}

/// The suite with one claim on `before` → `later`.
fn claimed(expect: &str) -> String {
    claimed_of("before", "later", expect)
}

fn claimed_of(from: &str, to: &str, expect: &str) -> String {
    format!(
        "{SUITE}\n[[claim]]\nid = \"c\"\ntext = \"t\"\n\
         contrast = {{ from = \"{from}\", to = \"{to}\", metric = \"ready\" }}\n\
         expect = {expect}\n"
    )
}

/// A receipt whose modules are given as "origin code write name", the write "-" for none.
fn receipt(scenario: &str, modules: &[&str]) -> ReceiptLine {
    let modules = modules.iter().map(|module| {
        let [origin, code, write, name] = module
            .split(' ')
            .collect::<Vec<_>>()
            .try_into()
            .expect("four words");
        ModuleReceipt {
            name: name.to_owned(),
            origin: origin.to_owned(),
            code: code.to_owned(),
            write: (write != "-").then(|| write.to_owned()),
            compile_ms: None,
            lines: None,
        }
    });
    ReceiptLine {
        scenario: scenario.to_owned(),
        launch: "app".to_owned(),
        executable: "/usr/bin/python3.11".to_owned(),
        cache_tag: None,
        pycache_prefix: None,
        dont_write_bytecode: false,
        flags: Vec::new(),
        modules: modules.collect(),
        second_import: None,
        pycs_before: 0,
        pycs_after: 0,
        source_filesystem: None,
        prefix_filesystem: None,
        prefix_pycs: 0,
        prefix_pycache_folders: 0,
        violations: Vec::new(),
    }
}

fn contrast<'a>(analysis: &'a Analysis, scenario: &str, metric: Metric) -> &'a Contrast {
    let mut contrasts = analysis.contrasts.iter();
    contrasts
        .find(|contrast| contrast.scenario == scenario && contrast.metric == metric)
        .unwrap()
}

/// Is there a sentence with these words in it?
fn says(sentences: &[String], words: &str) -> bool {
    sentences.iter().any(|sentence| sentence.contains(words))
}
