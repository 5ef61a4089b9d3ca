//! Counts: whether they repeat, and what they are compared with.

use super::*;
use crate::record::format::Counters;
use crate::record::{Count, CountSource, Instructions};

fn counted(scenario: usize, round: u32, count: u64) -> Count {
    Count {
        scenario,
        kind: LaunchKind::App,
        round,
        source: CountSource::Valgrind,
        outcome: Ok(Instructions {
            count,
            forked: 0,
            running: None,
        }),
    }
}

/// A record with these counts of the first scenarios' app launches.
fn with_counts(scenarios: &[&[u64]]) -> Record {
    let mut record = usual(6);
    record.header.counters = Some(Counters {
        instructions_by: Some("valgrind-3.19.0".to_owned()),
        ..Counters::default()
    });
    for (scenario, counts) in scenarios.iter().enumerate() {
        for (round, &count) in (0..).zip(*counts) {
            record.counts.push(counted(scenario, round, count));
        }
    }
    record
}

fn counting(record: &Record) -> Counting {
    analyse(record).counting.unwrap()
}

#[test]
fn counts_that_lie_within_a_thousandth_repeat() {
    for (counts, repeatable) in [
        ([1_000_000, 1_000_000, 1_001_000], true),
        ([1_000_000, 1_000_000, 1_001_001], false),
        ([999_000, 1_000_000, 1_000_000], true),
        ([1, 1_000_000, 1_000_000], false),
    ] {
        let record = with_counts(&[&counts]);
        let found = counting(&record);
        assert_eq!(found.is_repeatable(), Some(repeatable), "{counts:?}");
        assert_eq!(found.instructions[0].median, 1_000_000.0);
        let warned = says(&analyse(&record).warnings, "do not repeat");
        assert_eq!(warned, !repeatable, "{counts:?}");
    }
}

#[test]
fn one_count_says_nothing_on_whether_it_repeats() {
    let record = with_counts(&[&[1_000_000]]);
    assert_eq!(counting(&record).is_repeatable(), None);
    assert!(says(&analyse(&record).warnings, "were counted once"));
    assert_eq!(counting(&with_counts(&[])).is_repeatable(), None);
}

#[test]
fn a_scenarios_counts_are_held_against_its_baselines() {
    let record = with_counts(&[&[100, 101, 102], &[204, 200, 202]]);
    let found = counting(&record);
    let [contrast] = found.contrasts.as_slice() else {
        panic!("{:?}", found.contrasts);
    };
    let names: Vec<&str> = record
        .suite
        .scenarios
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(contrast.baseline, names[0]);
    assert_eq!(contrast.scenario, names[1]);
    assert_eq!(contrast.ratio, 2.0);
    assert_eq!(contrast.least, 200.0 / 102.0);
    assert_eq!(contrast.greatest, 204.0 / 100.0);
}

#[test]
fn what_limits_counts_is_told() {
    let mut record = with_counts(&[&[100, 100, 100]]);
    let Ok(counted) = &mut record.counts[1].outcome else {
        unreachable!();
    };
    (counted.forked, counted.running) = (2, Some(0.5));
    record.counts[2].outcome = Err("it crashed".to_owned());
    let warnings = analyse(&record).warnings;
    assert!(says(&warnings, "fork 2 processes"), "{warnings:?}");
    assert!(
        says(&warnings, "ran for 50 % of the time only"),
        "{warnings:?}"
    );
    assert!(
        says(&warnings, "could not be counted: it crashed"),
        "{warnings:?}"
    );
    // Two are left.
    assert_eq!(counting(&record).instructions[0].launches, 2);
}

#[test]
fn counts_that_were_asked_for_and_are_not_there_are_missed() {
    let suite = SUITE.replace("[measure]", "[measure]\ncounter = \"instructions\"");
    let asked = super::record(&suite, 6, Noise::Usual, |_, _| 200.0);
    assert!(says(
        &analyse(&asked).warnings,
        "instructions were to be counted"
    ));
    assert!(!says(&analyse(&usual(6)).warnings, "instructions"));
}

#[test]
fn a_record_that_says_nothing_of_counters_has_a_summary_without_them() {
    let summary = analyse(&usual(6)).to_summary_json();
    assert!(!summary.contains("counters"));
    let summary = analyse(&with_counts(&[&[1, 1, 1]])).to_summary_json();
    assert!(summary.contains("\"counters\""));
}

#[test]
fn the_kernels_counters_are_the_medians_of_the_launches_that_went_well() {
    let mut record = with_counts(&[]);
    let mut launches = record.launches.iter_mut().filter(|launch| {
        launch.arm.scenario == 0
            && launch.arm.role == Role::Itself
            && launch.kind == LaunchKind::App
    });
    for (launch, faults) in launches.by_ref().zip([10, 20, 30]) {
        launch.usage.counted.page_faults = Some(faults);
    }
    let failed = launches.next().unwrap();
    failed.usage.counted.page_faults = Some(1000);
    failed.failure = Some("it crashed".to_owned());
    let found = counting(&record);
    assert_eq!(found.launches.len(), 1);
    assert_eq!(found.launches[0].page_faults, Some(20.0));
    assert_eq!(found.launches[0].instructions, None);
}
