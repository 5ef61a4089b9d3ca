//! A second import of the same module in the same process: what does it compile and open?

use super::Condition;
use super::counts::condition;
use crate::record::Record;
use crate::record::format::SecondImport;
use crate::suite::{Evidence, LaunchKind};

/// The conditions on it, if the claim has any. Only launches for the metric `import` import a module twice.
pub(super) fn conditions(evidence: &Evidence, record: &Record, scenario: &str) -> Vec<Condition> {
    let lines = record.receipts.iter();
    let seen: Vec<&SecondImport> = lines
        .filter(|line| line.scenario == scenario && line.launch == LaunchKind::Import.name())
        .filter_map(|line| line.second_import.as_ref())
        .collect();
    let numbers = |of: fn(&SecondImport) -> u64| -> Vec<i128> {
        seen.iter().map(|import| of(import).into()).collect()
    };
    let compiled = evidence.second_import_compiled.map(|wanted| {
        let what = "modules compiled by a second import in the same process";
        condition(wanted, what, &numbers(|import| import.compiled))
    });
    let opened = evidence.second_import_opened.map(|wanted| {
        let what = "files opened by it";
        condition(wanted, what, &numbers(|import| import.opened))
    });
    compiled.into_iter().chain(opened).collect()
}
