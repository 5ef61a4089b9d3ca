//! What a module takes to compile, over the modules that a receipt's launch compiled.
//!
//! The times are skewed, many small modules and a few large ones, and a claim such as "a module
//! takes 1 to 10 ms" is on the usual one: so it is decided by the median, with its interval. It is
//! CPU time, of one launch, so that a process that is held up meanwhile compiles no longer for it.

use super::super::words;
use super::{Condition, Outcome};
use crate::record::format::{ModuleReceipt, ReceiptLine};
use crate::stats::bounds::{Bounds, Verdict};
use crate::stats::interval::{Estimate, Level};
use crate::stats::median;
use crate::suite::Evidence;

/// The condition on compile times, if the claim has one.
pub(super) fn condition(evidence: &Evidence, receipts: &[&ReceiptLine]) -> Option<Condition> {
    const WHAT: &str = "median time to compile a module";
    let (low, high) = evidence.compile_time?;
    let (low, high) = (low.as_secs_f64() * 1e3, high.as_secs_f64() * 1e3);
    let modules: Vec<&ModuleReceipt> = receipts
        .iter()
        .flat_map(|line| &line.modules)
        .filter(|module| module.compile_ms.is_some())
        .collect();
    let times: Vec<f64> = modules.iter().filter_map(|m| m.compile_ms).collect();
    let expected = format!("{WHAT}: {} to {} ms", words::exact(low), words::exact(high));
    let Some(median) = median::estimate(&times, Level::P95) else {
        return Some(Condition {
            expected,
            measured: format!("{WHAT}: not seen"),
            outcome: Outcome::Open("no compile time of a module is recorded".to_owned()),
        });
    };
    let bounds = Bounds::Within { low, high };
    let verdict = |estimate: &Estimate| estimate.interval.map(|interval| bounds.judge(&interval));
    let decided = verdict(&median);
    // Rounding must not contradict the verdict, see `verdicts`.
    let decimals = (words::decimals_of(&median)..=words::MOST_DECIMALS)
        .find(|&decimals| {
            let shown = median.interval.map(|i| words::outwards(i, decimals));
            shown.map(|interval| bounds.judge(&interval)) == decided
        })
        .unwrap_or(words::MOST_DECIMALS);
    let within = times
        .iter()
        .filter(|time| (low..=high).contains(time))
        .count();
    let mut measured = format!(
        "{WHAT}: {} (of {}, {} of which took {} to {} ms",
        words::amount(&median, decimals),
        words::count(times.len() as u64, "module", "modules"),
        words::percent(within as f64 / times.len() as f64),
        words::exact(low),
        words::exact(high),
    );
    let lines: u64 = modules.iter().filter_map(|module| module.lines).sum();
    if lines > 0 {
        let each = times.iter().sum::<f64>() / (lines as f64 / 1e3);
        measured += &format!("; {} ms for 1,000 lines", words::significant(each));
    }
    measured += ")";
    let outcome = match (decided, median.interval) {
        (Some(Verdict::Supported), _) => Outcome::Holds,
        (Some(Verdict::Refuted), _) => Outcome::Fails,
        (_, Some(interval)) => {
            let mut beyond = Vec::new();
            if interval.low() < low {
                beyond.push(format!("below {} ms", words::exact(low)));
            }
            if interval.high() > high {
                beyond.push(format!("above {} ms", words::exact(high)));
            }
            Outcome::Open(format!("the interval reaches {}", beyond.join(" and ")))
        }
        (_, None) => Outcome::Open(format!(
            "no interval: needs at least {} modules",
            median::smallest_n(Level::P95)
        )),
    };
    Some(Condition {
        expected,
        measured,
        outcome,
    })
}
