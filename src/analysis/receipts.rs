//! What the untimed launches showed, counted.

use super::model::{ByOrigin, ReceiptSummary};
use crate::record::Record;
use crate::record::format::{ModuleReceipt, ReceiptLine};
use crate::suite::LaunchKind;

/// The receipts that speak for a scenario: those of the app's command where there are any, else
/// those of the import; and which kind of launch they are of.
pub fn receipts_of<'a>(record: &'a Record, scenario: &str) -> (LaunchKind, Vec<&'a ReceiptLine>) {
    let of = |kind: LaunchKind| {
        let all = record.receipts.iter();
        all.filter(|line| line.scenario == scenario && line.launch == kind.name())
            .collect::<Vec<_>>()
    };
    let app = of(LaunchKind::App);
    if app.is_empty() {
        (LaunchKind::Import, of(LaunchKind::Import))
    } else {
        (LaunchKind::App, app)
    }
}

/// A scenario's receipt in counts: from the first line that speaks for it. Violations are those
/// of all its lines.
pub fn summary(record: &Record, scenario: &str) -> ReceiptSummary {
    let (_, lines) = receipts_of(record, scenario);
    let mut summary = lines
        .first()
        .map(|line| summarised(line))
        .unwrap_or_default();
    for line in &record.receipts {
        if line.scenario == scenario {
            summary.violations.extend(line.violations.iter().cloned());
        }
    }
    summary
}

/// The receipt of one kind of launch, in counts; empty where there is none.
pub fn summary_of(record: &Record, scenario: &str, kind: LaunchKind) -> ReceiptSummary {
    let mut lines = record.receipts.iter();
    lines
        .find(|line| line.scenario == scenario && line.launch == kind.name())
        .map(summarised)
        .unwrap_or_default()
}

fn summarised(line: &ReceiptLine) -> ReceiptSummary {
    let mut summary = ReceiptSummary {
        prefix_pycs: line.prefix_pycs,
        prefix_pycache_folders: line.prefix_pycache_folders,
        app_cached: read_from_pycs(line, "app"),
        ..ReceiptSummary::default()
    };
    for module in &line.modules {
        match module.code.as_str() {
            "read" => count(&mut summary.read, module),
            "compiled" => count(&mut summary.compiled, module),
            _ => {}
        }
        match module.write.as_deref() {
            None => {}
            Some("written") => count(&mut summary.written, module),
            Some(errno) => {
                count(&mut summary.writes_failed, module);
                summary.errnos.push(errno.to_owned());
            }
        }
    }
    summary.errnos.sort();
    summary.errnos.dedup();
    summary
}

fn count(counts: &mut ByOrigin, module: &ModuleReceipt) {
    match module.origin.as_str() {
        "app" => counts.app += 1,
        "stdlib" => counts.stdlib += 1,
        // Whatever is neither the app's nor Python's own was installed by someone.
        _ => counts.site_packages += 1,
    }
}

/// The modules of an origin that were read from a pyc, sorted.
pub fn read_from_pycs(line: &ReceiptLine, origin: &str) -> Vec<String> {
    let read = |module: &&ModuleReceipt| module.origin == origin && module.code == "read";
    let mut names: Vec<String> = line
        .modules
        .iter()
        .filter(read)
        .map(|module| module.name.clone())
        .collect();
    names.sort();
    names
}

/// The modules that were compiled and not written: they are compiled again at the next start.
pub fn compiled_in_vain(line: &ReceiptLine) -> impl Iterator<Item = &ModuleReceipt> {
    line.modules.iter().filter(|module| {
        module.code == "compiled"
            && module.write.as_deref() != Some("written")
            // CPython never caches the script itself, in no scenario; it is nothing to mend.
            && module.name != "__main__"
    })
}
