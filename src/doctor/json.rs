//! The diagnosis for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::audit::Audit;
use super::causes::{Cause, Diagnosis, Effect, Lack};
use super::fixes::fixes;
use super::observe::Comparison;
use super::remedies::Works;
use super::subject::Subject;
use super::text::{detail, headline, notes};
use super::verdict::{Evidence, Fate};
use super::words::module_name;

/// Raised when a key changes its meaning.
const FORMAT_VERSION: u32 = 1;

#[derive(Debug, Serialize)]
struct Report<'a> {
    format_version: u32,
    answer: String,
    subject: &'a str,
    user: &'a str,
    interpreter: Interpreter<'a>,
    prefix: Option<String>,
    modules: Counts,
    verdicts: BTreeMap<&'static str, usize>,
    findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<Observed>,
    notes: Vec<String>,
    each: Vec<Module>,
}

#[derive(Debug, Serialize)]
struct Interpreter<'a> {
    executable: String,
    version: &'a str,
    cache_tag: &'a str,
    magic: u16,
}

#[derive(Debug, Serialize)]
struct Counts {
    all: usize,
    cached: usize,
    compiled_at_every_start: usize,
    compiled_once: usize,
    failing: usize,
    apart: usize,
}

#[derive(Debug, Serialize)]
struct Finding {
    cause: &'static str,
    /// Why bytecode is not written.
    obstacle: Option<&'static str>,
    effect: &'static str,
    modules: usize,
    parts: BTreeMap<&'static str, usize>,
    examples: Vec<String>,
    evidence: Vec<String>,
    fixes: Vec<Fix>,
}

#[derive(Debug, Serialize)]
struct Fix {
    works: bool,
    what: String,
    because: Option<String>,
    lines: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Observed {
    modules: usize,
    differing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Module {
    name: String,
    part: &'static str,
    file: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    because: String,
    /// Why it is not written, where it would have to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<&'static str>,
}

/// The diagnosis as JSON, each module included.
pub fn json(
    subject: &Subject,
    audit: &Audit,
    diagnosis: &Diagnosis,
    observed: Option<&Comparison>,
) -> String {
    let total = diagnosis.total();
    let findings = diagnosis.findings.iter().map(|finding| {
        let (cause, obstacle) = match &finding.cause {
            Cause::Missing { lack, obstacle } => {
                (lack_word(lack), obstacle.as_ref().map(|o| o.word()))
            }
            Cause::PrefixInMemory { .. } => ("prefix-in-memory", Some("volatile")),
            Cause::PrefixGrows => ("prefix-grows", None),
        };
        Finding {
            cause,
            obstacle,
            effect: effect_word(finding.effect),
            modules: finding.modules,
            parts: finding
                .parts
                .iter()
                .map(|(part, count)| (part.word(), *count))
                .collect(),
            examples: finding.examples.clone(),
            evidence: finding.evidence.clone(),
            fixes: fixes(subject, finding)
                .into_iter()
                .map(|fix| Fix {
                    works: fix.works == Works::Yes,
                    what: fix.what,
                    because: fix.because,
                    lines: fix.lines,
                })
                .collect(),
        }
    });
    let report = Report {
        format_version: FORMAT_VERSION,
        answer: headline(subject, diagnosis),
        subject: &subject.name,
        user: subject.writing.rights.name(),
        interpreter: Interpreter {
            executable: subject.interpreter.executable.display().to_string(),
            version: &subject.interpreter.version,
            cache_tag: &subject.interpreter.tag,
            magic: subject.interpreter.magic,
        },
        prefix: subject
            .prefix
            .as_ref()
            .map(|prefix| prefix.path.display().to_string()),
        modules: Counts {
            all: total.all(),
            cached: total.cached,
            compiled_at_every_start: total.compiled,
            compiled_once: total.once,
            failing: total.failing,
            apart: total.apart,
        },
        verdicts: diagnosis
            .verdicts
            .iter()
            .map(|(verdict, count)| (verdict.word(), *count))
            .collect(),
        findings: findings.collect(),
        observed: observed.map(|comparison| Observed {
            modules: comparison.modules,
            differing: comparison.differing.clone(),
        }),
        notes: notes(subject, audit),
        each: modules(subject, audit),
    };
    // A structure of our own without maps whose keys could fail.
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn modules(subject: &Subject, audit: &Audit) -> Vec<Module> {
    let mut all = Vec::new();
    for folder in &audit.folders {
        for module in &folder.modules {
            let is_missed = matches!(module.verdict.fate(), Fate::Compiled | Fate::Fatal);
            let obstructed = folder.obstructed.as_ref().filter(|_| is_missed);
            all.push(Module {
                name: module_name(subject, folder, module),
                part: folder.part.word(),
                file: folder.path.join(&module.file).display().to_string(),
                verdict: module.verdict.word(),
                because: match module.evidence {
                    Evidence::None => String::new(),
                    evidence => detail(evidence),
                },
                obstacle: obstructed.map(|obstructed| obstructed.by.word()),
            });
        }
    }
    all
}

fn lack_word(lack: &Lack) -> &'static str {
    match lack {
        Lack::Corrupt => "corrupt",
        Lack::Unreadable => "unreadable",
        Lack::Absent => "absent",
        Lack::NeverCompiled(_) => "never-compiled",
        Lack::Upgraded => "upgraded",
        Lack::Level => "wrong-optimization",
        Lack::Mtime => "stale-mtime",
        Lack::Size => "stale-size",
        Lack::Hash => "stale-hash",
        Lack::Flags => "bad-header",
        Lack::AppImage => "app-image",
    }
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Fails => "fails",
        Effect::CompiledAlways => "compiled-at-every-start",
        Effect::CompiledAtBoot => "compiled-after-boot",
        Effect::CompiledOnce => "compiled-once",
        Effect::Harmless => "harmless",
    }
}
