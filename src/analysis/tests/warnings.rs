use super::*;

#[test]
fn a_broken_receipt_makes_the_record_invalid() {
    let mut record = usual(10);
    let mut line = receipt("cold", &[]);
    line.violations.push("3 pycs were read".to_owned());
    record.receipts.push(line);
    let Validity::Invalid(why) = analyse(&record).validity else {
        panic!("a violation went unseen");
    };
    assert_eq!(
        why,
        ["cold: 3 pycs were read (seen in an untimed app launch)"]
    );
}

#[test]
fn violations_of_launches_are_gathered_and_cut_short() {
    let mut record = usual(20);
    for launch in &mut record.launches {
        if launch.arm.scenario == 2 {
            launch.violations.push("a pyc was written".to_owned());
        }
        if launch.arm.scenario == 1 && launch.kind == LaunchKind::App && launch.block < 8 {
            launch.violations.push(format!("oddity {}", launch.block));
        }
    }
    let Validity::Invalid(why) = analyse(&record).validity else {
        panic!("a violation went unseen");
    };
    assert_eq!(why.len(), 6);
    assert_eq!(why[0], "cold: oddity 0 (1 launch, first in block 0)");
    assert_eq!(why[5], "and 4 more");
    record.launches.retain(|launch| launch.arm.scenario != 1);
    let Validity::Invalid(why) = analyse(&record).validity else {
        panic!("a violation went unseen");
    };
    assert_eq!(
        why,
        ["read-only: a pyc was written (40 launches, first in block 0)"]
    );
}

/// The twin truly takes `offset` ms more.
fn twin_off_by(offset: f64, blocks: u32) -> Analysis {
    analyse(&record(SUITE, blocks, Noise::Usual, |_, role| match role {
        Role::Twin => 200.0 + offset,
        Role::Itself => 200.0,
    }))
}

#[test]
fn a_twin_that_differs_makes_the_record_invalid() {
    let Validity::Invalid(why) = twin_off_by(10.0, 40).validity else {
        panic!("the twin's offset went unseen");
    };
    assert!(
        why[0].starts_with("the twin of warm, the same scenario launched again"),
        "{why:?}"
    );
    assert!(why[0].contains("more than it (ready; p = "), "{why:?}");
    assert_eq!(twin_off_by(0.0, 40).validity, Validity::Valid);
}

#[test]
fn a_twin_that_differs_by_what_may_be_chance_is_a_warning() {
    // Seven blocks cannot give a p-value below 2/128.
    let analysis = twin_off_by(300.0, 7);
    assert_eq!(analysis.validity, Validity::Valid);
    assert!(says(
        &analysis.warnings,
        "chance does that in one run of twenty"
    ));
}

#[test]
fn a_scenario_that_never_started_has_no_contrasts() {
    let mut record = usual(10);
    for launch in &mut record.launches {
        if launch.arm.scenario == 1 {
            launch.failure = Some("time-out".to_owned());
            launch.times = Times::default();
        }
    }
    let analysis = analyse(&record);
    assert!(
        analysis
            .contrasts
            .iter()
            .all(|contrast| contrast.scenario != "cold")
    );
    assert_eq!(analysis.contrasts.len(), 8);
    assert!(analysis.scenarios[1].metrics.is_empty());
    assert!(says(
        &analysis.warnings,
        "no launch of cold gave the metric ready"
    ));
    assert!(says(
        &analysis.warnings,
        "20 of 20 launches of cold failed (100 %)"
    ));
}

#[test]
fn how_a_run_ended_is_said() {
    let mut record = usual(20);
    assert!(!says(&analyse(&record).warnings, "narrow"));
    record.end = Some(End {
        stop_reason: StopReason::Budget,
        blocks: 20,
        elapsed_s: 40.0,
        heat_throttles: None,
        blocks_beside_others: 0,
    });
    let found = analyse(&record).warnings;
    assert!(says(
        &found,
        "the time was used up before every interval was as narrow as asked"
    ));
    assert!(
        says(&found, "asked was ± 2.0 %; a budget of about "),
        "{found:#?}"
    );
    record.end.as_mut().unwrap().stop_reason = StopReason::Interrupted;
    assert!(says(&analyse(&record).warnings, "the run was interrupted"));
    record.end = None;
    assert!(says(&analyse(&record).warnings, "the record breaks off"));
}

#[test]
fn the_budget_that_would_be_needed_grows_with_the_square_of_the_width() {
    let mut record = record(SUITE, 20, Noise::Usual, |_, _| 200.0);
    record.end.as_mut().unwrap().stop_reason = StopReason::MaxBlocks;
    let analysis = analyse(&record);
    let widest = analysis
        .contrasts
        .iter()
        .filter_map(|contrast| crate::analysis::interim::half_width(&contrast.ratio))
        .fold(0.0, f64::max);
    let blocks = (20.0 * (widest / 0.02).powi(2)).ceil();
    assert!(
        says(
            &analysis.warnings,
            &format!("; about {blocks} blocks would be needed")
        ),
        "{:#?}",
        analysis.warnings
    );
}

#[test]
fn too_few_blocks_and_damaged_lines_are_said() {
    let mut record = usual(5);
    for line in [7, 9] {
        record.damaged.push(crate::record::DamagedLine {
            line,
            reason: "it breaks off in the middle".to_owned(),
        });
    }
    let found = analyse(&record).warnings;
    assert!(
        says(
            &found,
            "10 contrasts have no interval: at least 8 blocks are needed for it, and there are 5"
        ),
        "{found:#?}"
    );
    assert!(says(
        &found,
        "lines 7 and 9 of the record cannot be read and are left out: it breaks off"
    ));
}

#[test]
fn the_machines_part_is_said() {
    let quiet = analyse(&record(SUITE, 40, Noise::None, |s, _| truth(s))).warnings;
    assert_eq!(quiet, [""; 0]);
    let mut record = usual(60);
    record.header.host.load_1min = 3.5;
    for launch in &mut record.launches {
        launch.usage.steal = launch.times.wall / 10;
        launch.usage.peak_memory_kib = 5000 * 1024;
        // A machine that becomes slower and slower, and a place that is worst.
        let slower = f64::from(launch.block) * 2.0 + f64::from(launch.position % 7) * 20.0;
        launch.times.ready = launch.times.ready.map(|time| time + millis(slower));
    }
    let found = analyse(&record).warnings;
    for words in [
        "the machine was busy when the run started: load 3.50 on 2 CPUs",
        "the hypervisor gave 5.0 % of the machine's time to others",
        "the machine's speed drifted during the run",
        "the place within a block matters (ready; p = ",
        "used 5,000 MiB of the machine's 8,000",
    ] {
        assert!(says(&found, words), "{words}: {found:#?}");
    }
}

#[test]
fn two_modes_are_said() {
    let mut record = usual(60);
    for launch in &mut record.launches {
        if launch.arm.scenario == 1 && launch.block % 2 == 0 {
            launch.times.ready = launch.times.ready.map(|time| time + millis(400.0));
        }
    }
    let found = analyse(&record).warnings;
    assert!(
        says(&found, "the times of cold (ready) have more than one mode"),
        "{found:#?}"
    );
}
