//! Why runs end, on launches that are none: whole runs in no time.

use std::path::Path;
use std::time::Duration;

use super::fake::{Fake, Feigned, header};
use super::*;
use crate::analysis::analyse;
use crate::record::{Record, Role};
use crate::suite::SuiteFile;

/// `warm` with its twin, and `cold`: three launches a block.
fn suite(measure: &str) -> String {
    format!(
        r#"
        [app]
        name = "x"
        source = "app"
        command = ["{{python}}", "x.py"]
        [measure]
        {measure}
        [[scenario]]
        name = "warm"
        [[scenario]]
        name = "cold"
        bytecode = "absent"
        "#
    )
}

/// A run, as it is read back from its lines, and the scenarios whose failure was told.
fn run(
    measure: &str,
    next: impl FnMut(Arm, LaunchKind) -> Result<Feigned, StageError>,
) -> (Record, Vec<String>) {
    let text = suite(measure);
    let suite = SuiteFile::from_text(Path::new("x.toml"), text.as_str())
        .suite()
        .unwrap();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    Run {
        suite: &suite,
        launches: &mut Fake::new(next),
        tell: &mut |event| {
            if let Event::Failure { scenario, .. } = event {
                failed.push(scenario.to_owned());
            }
        },
    }
    .measure(&mut lines, header(&text, 7), Vec::new())
    .unwrap();
    (Record::from_lines(lines).unwrap(), failed)
}

/// `cold` takes 150 ms and `warm` 100 ms, give or take what depends on the launch's number.
fn launches(spread: Duration) -> impl FnMut(Arm, LaunchKind) -> Result<Feigned, StageError> {
    let mut number = 0;
    move |arm, _| {
        number += 1;
        let usual = Duration::from_millis(if arm.scenario == 0 { 100 } else { 150 });
        // 7 and 11 have no common factor with 3, so no arm gets always the same.
        Ok(Feigned::busy(usual + spread * (number * 7 % 11)))
    }
}

fn end(record: &Record) -> (StopReason, u32) {
    let end = record.end.as_ref().unwrap();
    assert_eq!(record.damaged, []);
    (end.stop_reason, end.blocks)
}

#[test]
fn a_quiet_run_stops_by_precision_at_the_fewest_blocks() {
    let (record, _) = run("", launches(Duration::ZERO));
    assert_eq!(end(&record), (StopReason::Precision, 20));
    assert_eq!(record.launches.len(), 60);
    let analysis = analyse(&record);
    assert_eq!(analysis.contrasts[0].shift_ms.estimate, 50.0);
    assert_eq!(analysis.noise_floor[0].shift_ms.estimate, 0.0);
}

#[test]
fn a_noisier_run_goes_on_until_its_intervals_are_narrow_enough() {
    let spread = Duration::from_micros(1_500);
    let (record, _) = run("precision = \"2%\"", launches(spread));
    let (reason, blocks) = end(&record);
    assert_eq!(reason, StopReason::Precision);
    assert!(blocks > 20 && blocks.is_multiple_of(5), "{blocks}");
    let at = |blocks: u32| {
        let mut launches = record.launches.clone();
        launches.retain(|launch| launch.block < blocks);
        interim(&record.suite, &launches)
    };
    assert!(at(blocks).is_within(0.02) && !at(blocks - 5).is_within(0.02));
}

#[test]
fn a_run_stops_when_another_block_would_not_fit_in_the_budget() {
    // A block takes 350 ms: eight fit in 3 s, and a ninth does not.
    let (record, _) = run("budget = \"3s\"", launches(Duration::ZERO));
    assert_eq!(end(&record), (StopReason::Budget, 8));
    assert_eq!(record.end.unwrap().elapsed_s, 2.8);
    let last = record.launches.last().unwrap();
    assert!(last.at < Duration::from_secs_f64(2.8) && last.at > Duration::from_secs_f64(2.6));
}

#[test]
fn a_run_stops_at_the_greatest_number_of_blocks_however_wide_the_intervals_are() {
    let (record, _) = run("max-blocks = 12", launches(Duration::from_millis(100)));
    assert_eq!(end(&record), (StopReason::MaxBlocks, 12));
}

#[test]
fn five_failures_in_a_row_end_a_run_and_each_scenario_is_told_once() {
    let mut usual = launches(Duration::ZERO);
    let mut number = 0;
    let (record, failed) = run("", |arm, kind| {
        number += 1;
        let mut feigned = usual(arm, kind)?;
        if number > 30 {
            feigned.outcome = Err(Failure::NoImportTime);
        }
        Ok(feigned)
    });
    // Ten whole blocks, and five launches of the next two.
    assert_eq!(end(&record), (StopReason::Failures, 11));
    assert_eq!(record.launches.len(), 35);
    let failures = record.launches.iter().filter(|l| l.failure.is_some());
    assert_eq!(failures.count(), 5);
    let mut failed = failed;
    failed.sort();
    assert_eq!(failed, ["cold", "warm"]);
}

#[test]
fn one_scenario_that_always_fails_does_not_end_a_run() {
    let mut usual = launches(Duration::ZERO);
    let (record, failed) = run("max-blocks = 30", |arm, kind| {
        let mut feigned = usual(arm, kind)?;
        if arm.scenario == 1 {
            feigned.outcome = Err(Failure::NoImportTime);
        }
        Ok(feigned)
    });
    assert_eq!(end(&record), (StopReason::MaxBlocks, 30));
    assert_eq!(failed, ["cold"]);
}

#[test]
fn an_interrupted_run_keeps_every_launch_before_it() {
    let mut usual = launches(Duration::ZERO);
    let mut number = 0;
    let (record, _) = run("", |arm, kind| {
        number += 1;
        if number == 24 {
            return Err(Interrupted.into());
        }
        usual(arm, kind)
    });
    assert_eq!(end(&record), (StopReason::Interrupted, 7));
    assert_eq!(record.launches.len(), 23);
}

#[test]
fn another_error_ends_the_run_without_a_last_line() {
    let text = suite("");
    let suite = SuiteFile::from_text(Path::new("x.toml"), text.as_str())
        .suite()
        .unwrap();
    let mut lines = Vec::new();
    let mut fake = Fake::new(|_, _| Err(StageError::NoPort(std::io::Error::other("none"))));
    let result = Run {
        suite: &suite,
        launches: &mut fake,
        tell: &mut |_| {},
    }
    .measure(&mut lines, header(&text, 7), Vec::new());
    assert!(matches!(
        result,
        Err(RunError::Stage(StageError::NoPort(_)))
    ));
    let record = Record::from_lines(lines).unwrap();
    assert!(record.end.is_none() && record.launches.is_empty());
}

#[test]
fn every_arm_is_launched_as_the_plan_says() {
    let (record, _) = run("max-blocks = 6", launches(Duration::ZERO));
    let plan = Plan::new(&record.suite, 7);
    let planned = (0..6).flat_map(|index| plan.block(index).launches);
    let launched = record.launches.iter().map(|l| (l.arm, l.kind));
    assert!(planned.eq(launched));
    let twins = record.launches.iter().filter(|l| l.arm.role == Role::Twin);
    assert_eq!(twins.count(), 6);
}
