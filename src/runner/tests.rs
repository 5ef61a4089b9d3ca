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
    run_suite(&suite(measure), next)
}

fn run_suite(
    text: &str,
    next: impl FnMut(Arm, LaunchKind) -> Result<Feigned, StageError>,
) -> (Record, Vec<String>) {
    run_part(text, None, next)
}

/// A shard, or all of a run.
fn run_part(
    text: &str,
    shard: Option<&str>,
    next: impl FnMut(Arm, LaunchKind) -> Result<Feigned, StageError>,
) -> (Record, Vec<String>) {
    let header = Header {
        shard: shard.map(|shard| shard.parse().unwrap()),
        ..header(text, 7)
    };
    let suite = SuiteFile::from_text(Path::new("x.toml"), text)
        .suite()
        .unwrap();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    Run {
        suite: &suite,
        launches: &mut Fake::new(next),
        counter: None,
        tell: &mut |event| {
            if let Event::Failure { scenario, .. } = event {
                failed.push(scenario.to_owned());
            }
        },
    }
    .measure(&mut lines, header, Vec::new())
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

#[test]
fn what_cannot_be_counted_is_told_once_for_each_scenario_and_no_time_is_harmed() {
    let count = |measure: &str, failing: bool| {
        let text = suite(measure);
        let suite = SuiteFile::from_text(Path::new("x.toml"), text.as_str())
            .suite()
            .unwrap();
        let mut lines = Vec::new();
        let mut usual = launches(Duration::ZERO);
        let mut fake = Fake::new(move |arm, kind| {
            let mut feigned = usual(arm, kind)?;
            if failing {
                feigned.outcome = Err(Failure::NoImportTime);
            }
            Ok(feigned)
        });
        let counter = InstructionCounter::Perf;
        let mut run = Run {
            suite: &suite,
            launches: &mut fake,
            counter: Some(&counter),
            tell: &mut |_| {},
        };
        run.measure(&mut lines, header(&text, 7), Vec::new())
            .unwrap();
        Record::from_lines(lines).unwrap()
    };
    let record = count("max-blocks = 3", false);
    assert_eq!(end(&record), (StopReason::MaxBlocks, 3));
    let counted: Vec<_> = record
        .counts
        .iter()
        .map(|c| (c.scenario, c.round, c.outcome.is_err()))
        .collect();
    assert_eq!(counted, [(0, 0, true), (1, 0, true)]);
    assert_eq!(record.launches.len(), 9);
    // Where the app does not start, there is nothing to count.
    let record = count("", true);
    assert_eq!(end(&record).0, StopReason::Failures);
    assert!(record.counts.is_empty());
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
    assert!(at(blocks).is_settled() && !at(blocks - 5).is_settled());
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
        counter: None,
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

/// `warm` and three others; what each scenario takes, in ms, is the function's.
fn three(measure: &str, claims: &str) -> String {
    let scenarios: String = ["first", "later", "other"]
        .map(|name| format!("[[scenario]]\nname = \"{name}\"\nbytecode = \"absent\"\n"))
        .concat();
    format!(
        "{}{scenarios}{claims}",
        suite(measure).replace(
            "[[scenario]]\n        name = \"cold\"\n        bytecode = \"absent\"",
            ""
        )
    )
}

/// Times with noise of that many ms, the same seed always the same.
fn noisy(
    ms: [f64; 4],
    noise: [f64; 4],
) -> impl FnMut(Arm, LaunchKind) -> Result<Feigned, StageError> {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    move |arm, _| {
        let of = arm.scenario;
        let uniform: f64 = rng.random();
        let wall = ms[of] + noise[of] * (2.0 * uniform - 1.0);
        Ok(Feigned::busy(Duration::from_secs_f64(wall / 1e3)))
    }
}

/// Launches of a scenario, its twin's not counted, and the last block that has one.
fn launched(record: &Record, scenario: usize) -> (usize, u32) {
    let launches = record.launches.iter();
    let of: Vec<u32> = launches
        .filter(|launch| {
            launch.arm
                == Arm {
                    scenario,
                    role: Role::Itself,
                }
        })
        .map(|launch| launch.block)
        .collect();
    (of.len(), *of.last().unwrap())
}

#[test]
fn a_scenario_whose_interval_is_narrow_enough_sits_out_and_is_told() {
    let text = three("precision = \"1%\"\nbudget = \"10min\"", "");
    let (record, _) = run_suite(
        &text,
        noisy([100.0, 500.0, 100.0, 90.0], [1.0, 1.0, 6.0, 6.0]),
    );
    let (reason, blocks) = end(&record);
    assert_eq!(reason, StopReason::Precision);
    assert!(blocks > 60, "{blocks}");
    assert_eq!(launched(&record, 0), (blocks as usize, blocks - 1));
    assert_eq!(launched(&record, 1), (20, 19));
    let twins = record
        .launches
        .iter()
        .filter(|launch| launch.arm.role == Role::Twin);
    assert_eq!(twins.count(), blocks as usize);
    let analysis = analyse(&record);
    assert_eq!(analysis.blocks, blocks);
    assert_eq!(analysis.contrasts[0].blocks, 20);
    assert!(
        analysis.contrasts[0]
            .shift_ms
            .interval
            .unwrap()
            .contains(400.0)
    );
    let told = analysis.warnings.join("\n");
    assert!(told.contains(&format!("first ({})", blocks - 20)), "{told}");
}

#[test]
fn in_a_shard_no_scenario_sits_out_and_nothing_ends_it_but_its_time_and_its_blocks() {
    let ms = [100.0, 500.0, 100.0, 90.0];
    let of = |measure: &str, shard: &str| {
        let (record, _) = run_part(&three(measure, ""), Some(shard), noisy(ms, [1.0; 4]));
        let (reason, blocks) = end(&record);
        let mut there: Vec<u32> = record.launches.iter().map(|launch| launch.block).collect();
        assert_eq!(there.len(), 5 * blocks as usize);
        there.dedup();
        assert_eq!(analyse(&record).blocks, blocks);
        (reason, blocks, there)
    };
    // Alone, the run would end by precision after 20 blocks, and let scenarios sit out before.
    let (reason, blocks, there) = of("precision = \"10%\"\nbudget = \"60s\"", "2/3");
    assert_eq!(reason, StopReason::Budget);
    assert!(blocks > 60, "{blocks}");
    assert_eq!(there, (0..blocks).map(|n| 1 + 3 * n).collect::<Vec<_>>());
    let decided = "until = \"decided\"\nbudget = \"10min\"\nmax-blocks = 182";
    let (reason, blocks, there) = of(decided, "2/3");
    assert_eq!((reason, blocks), (StopReason::MaxBlocks, 61));
    assert_eq!(there.last(), Some(&181));
}

#[test]
fn claims_come_first_where_the_time_is_too_short_for_all() {
    let claim = "[[claim]]\nid = \"a\"\ntext = \"a\"\n\
                 contrast = { from = \"warm\", to = \"later\", metric = \"exit\" }\n\
                 expect = { saves-at-least = \"1ms\" }\n";
    let text = three("precision = \"1%\"\nbudget = \"60s\"", claim);
    let ms = [100.0, 500.0, 95.0, 90.0];
    let (record, _) = run_suite(&text, noisy(ms, [5.0, 200.0, 5.0, 5.0]));
    let (reason, blocks) = end(&record);
    assert_eq!(reason, StopReason::Budget);
    // Until the claim's contrast is narrow enough; then there is time for the others again.
    let (later, narrow) = launched(&record, 2);
    assert!(
        later > 40 && narrow + 1 < blocks,
        "{later} {narrow} {blocks}"
    );
    for sat_out in [1, 3] {
        let (launches, last) = launched(&record, sat_out);
        assert!(launches < blocks as usize - 10, "{launches} of {blocks}");
        assert_eq!(last, blocks - 1);
    }
    assert_eq!(
        analyse(&record).claims[0].verdict,
        crate::stats::bounds::Verdict::Supported
    );
}

#[test]
fn a_run_until_decided_ends_with_its_claims_and_says_by_which_rule() {
    let claim = |id: &str, to: &str, expect: &str| {
        format!(
            "[[claim]]\nid = \"{id}\"\ntext = \"x\"\n\
             contrast = {{ from = \"warm\", to = \"{to}\", metric = \"exit\" }}\n\
             expect = {{ {expect} }}\n"
        )
    };
    let claims = claim("easy", "first", "costs-at-most = \"100ms\"")
        + &claim("hard", "later", "saves-at-least = \"3ms\"");
    let text = three("until = \"decided\"", &claims);
    let ms = [100.0, 500.0, 95.0, 90.0];
    let (record, _) = run_suite(&text, noisy(ms, [9.0; 4]));
    let (reason, blocks) = end(&record);
    assert_eq!(reason, StopReason::Decided);
    let (easy, hard) = (launched(&record, 1).0, launched(&record, 2).0);
    assert!((20..30).contains(&easy) && hard > 2 * easy, "{easy} {hard}");
    assert_eq!(hard, blocks as usize);
    // Nothing is asked of it.
    assert_eq!(launched(&record, 3).0, 1);
    let analysis = analyse(&record);
    let verdicts: Vec<_> = analysis.claims.iter().map(|claim| claim.verdict).collect();
    use crate::stats::bounds::Verdict;
    assert_eq!(verdicts, [Verdict::Refuted, Verdict::Supported]);
    let saved = analysis.claims[1].effect.as_ref().unwrap().saving_ms;
    assert!(saved.interval.unwrap().low() >= 3.0);
}

#[test]
fn without_claims_a_run_until_decided_tells_each_effect_from_none() {
    let text = three("until = \"decided\"\nprecision = \"5%\"", "");
    let (record, _) = run_suite(&text, noisy([100.0, 500.0, 93.0, 100.0], [9.0; 4]));
    let (reason, _) = end(&record);
    assert_eq!(reason, StopReason::Decided);
    let analysis = analyse(&record);
    let interval = |index: usize| analysis.contrasts[index].ratio.interval.unwrap();
    assert!(interval(0).low() > 1.0 && interval(1).high() < 1.0);
    assert!(interval(2).low() > 0.95 && interval(2).high() < 1.05);
}

#[test]
fn a_run_whose_time_is_up_before_all_is_decided_says_so() {
    let text = three("until = \"decided\"\nbudget = \"20s\"", "");
    let (record, _) = run_suite(&text, noisy([100.0; 4], [9.0; 4]));
    assert_eq!(end(&record).0, StopReason::Budget);
    let warnings = analyse(&record).warnings;
    let told = "the time was used up before everything was decided";
    assert!(
        warnings.iter().any(|warning| warning == told),
        "{warnings:?}"
    );
}

#[test]
fn what_is_clear_waits_where_the_time_is_too_short_for_all() {
    let text = three("precision = \"1%\"\nbudget = \"40s\"", "");
    let ms = [100.0, 500.0, 95.0, 100.0];
    let (record, _) = run_suite(&text, noisy(ms, [9.0, 100.0, 9.0, 9.0]));
    let (reason, blocks) = end(&record);
    assert_eq!(reason, StopReason::Budget);
    assert_eq!(launched(&record, 1), (20, 19));
    assert_eq!(
        [2, 3].map(|open| launched(&record, open).0),
        [blocks as usize; 2]
    );
    let first = &analyse(&record).contrasts[0];
    let interval = first.shift_ms.interval.unwrap();
    assert!(interval.half_width() < 0.1 * first.shift_ms.estimate);
}
