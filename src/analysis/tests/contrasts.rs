use super::*;
use crate::suite::quantity::Fraction;

#[test]
fn a_known_effect_is_found_within_its_interval() {
    let analysis = analyse(&usual(60));
    assert_eq!(analysis.blocks, 60);
    assert_eq!(analysis.contrasts.len(), 10);
    let before = contrast(&analysis, "before", Metric::Ready);
    let interval = before.shift_ms.interval.unwrap();
    assert!(interval.contains(27.0), "{:?}", before.shift_ms);
    assert!(interval.half_width() < 5.0, "{:?}", before.shift_ms);
    assert!(
        (before.ratio.estimate - 1.135).abs() < 0.02,
        "{:?}",
        before.ratio
    );
    let cpu = before.cpu_shift_ms.unwrap();
    assert!(cpu.interval.unwrap().contains(27.0 * 0.9), "{cpu:?}");
    assert!(before.p_value < 1e-6);
    assert_eq!((before.blocks, before.differences_ms.len()), (60, 60));
    assert_eq!(analysis.validity, Validity::Valid);
}

#[test]
fn no_effect_is_found_as_seldom_as_promised() {
    const RUNS: u64 = 200;
    let (mut alarms, mut twins, mut invalid) = (0, 0, 0);
    for seed in 0..RUNS {
        let analysis = analyse(&seeded(seed, SUITE, 20, Noise::Usual, |_, _| 200.0));
        let excludes = |contrast: &Contrast| {
            contrast.metric == Metric::Ready && !contrast.shift_ms.interval.unwrap().contains(0.0)
        };
        alarms += u64::from(analysis.contrasts.iter().any(excludes));
        twins += u64::from(analysis.noise_floor.iter().any(excludes));
        invalid += u64::from(analysis.validity != Validity::Valid);
    }
    // 5 % of 200 are 10, with a standard deviation of 3.1; of the twin's two metrics together
    // 0.2 % are 0.4. Five contrasts at once must not alarm more often than one does.
    assert!(
        alarms <= 19,
        "{alarms} of {RUNS} runs find an effect where there is none"
    );
    assert!((2..=19).contains(&twins), "{twins} of {RUNS} twins differ");
    assert!(invalid <= 3, "{invalid} of {RUNS} runs are called invalid");
}

#[test]
fn the_noise_floor_is_narrower_than_simultaneous_intervals() {
    let analysis = analyse(&record(SUITE, 40, Noise::Usual, |_, _| 200.0));
    let width = |c: &Contrast| c.shift_ms.interval.unwrap().half_width();
    let floor = analysis.noise_floor.iter().map(width).fold(0.0, f64::max);
    let contrasts = analysis.contrasts.iter().map(width).sum::<f64>() / 10.0;
    assert_eq!(analysis.noise_floor.len(), 2);
    assert!(floor < contrasts, "{floor} {contrasts}");
}

#[test]
fn differences_come_in_the_order_of_the_blocks_whatever_the_order_of_the_lines() {
    let mut record = record(SUITE, 8, Noise::None, |_, _| 200.0);
    for launch in &mut record.launches {
        if launch.arm.scenario == 1 && launch.kind == LaunchKind::App {
            launch.times.ready = Some(millis(200.0 + f64::from(launch.block)));
        }
    }
    record.launches.reverse();
    let analysis = analyse(&record);
    assert_eq!(
        contrast(&analysis, "cold", Metric::Ready).differences_ms,
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    );
}

#[test]
fn a_failure_in_one_arm_drops_its_pair_and_no_other() {
    let mut record = usual(30);
    for launch in &mut record.launches {
        // A failed launch may well have been ready before it failed: its time counts as little.
        if launch.arm.scenario == 1 && launch.kind == LaunchKind::App && launch.block < 3 {
            launch.failure = Some("exit status 1".to_owned());
        }
    }
    let analysis = analyse(&record);
    assert_eq!(contrast(&analysis, "cold", Metric::Ready).blocks, 27);
    assert_eq!(contrast(&analysis, "cold", Metric::Import).blocks, 30);
    assert_eq!(contrast(&analysis, "before", Metric::Ready).blocks, 30);
    assert_eq!(analysis.noise_floor[0].blocks, 30);
    assert_eq!(analysis.scenarios[1].failures, 3);
    assert!(says(
        &analysis.warnings,
        "3 of 60 launches of cold failed (5.0 %), the first with: exit status 1"
    ));
    assert!(says(
        &analysis.warnings,
        "3 blocks are left out of cold against warm (ready), as one of the two launches gave no \
         time; 27 remain"
    ));
}

#[test]
fn a_block_that_breaks_off_is_not_complete() {
    let mut record = usual(10);
    record.launches.truncate(10 * 14 - 1);
    assert_eq!(analyse(&record).blocks, 9);
}

#[test]
fn nothing_at_all_is_an_answer() {
    let mut record = usual(0);
    record.end = None;
    let analysis = analyse(&record);
    assert_eq!((analysis.blocks, analysis.contrasts.len()), (0, 0));
    assert_eq!(Outcome::of(&analysis), Outcome::AllSupported);
    assert!(says(&analysis.warnings, "the record breaks off"));
}

#[test]
fn a_repeated_launch_counts_once() {
    let mut record = usual(10);
    let copies = record.launches.clone();
    record.launches.extend(copies);
    let analysis = analyse(&record);
    assert_eq!(contrast(&analysis, "cold", Metric::Ready).blocks, 10);
    assert!(says(&analysis.warnings, "140 launches are left out"));
}

#[test]
fn hundreds_of_thousands_of_launches_are_analysed() {
    let record = usual(100_000 / 14);
    let analysis = analyse(&record);
    let before = contrast(&analysis, "before", Metric::Ready);
    assert_eq!(before.blocks, 7142);
    assert!(
        (before.shift_ms.estimate - 27.0).abs() < 1.0,
        "{:?}",
        before.shift_ms
    );
}

#[test]
fn blocks_may_carry_any_number() {
    let mut record = usual(10);
    for launch in &mut record.launches {
        launch.block = u32::MAX - launch.block * 400_000_000;
    }
    assert_eq!(analyse(&record).blocks, 10);
}

#[test]
fn a_run_is_precise_once_every_contrast_is() {
    let few = usual(5);
    let interim_few = interim(&few.suite, &few.launches);
    assert!(interim_few.widths.iter().all(|w| w.half_width.is_none()));
    assert!(!interim_few.is_settled());
    let many = usual(60);
    let interim_many = interim(&many.suite, &many.launches);
    let widest = interim_many.widest().unwrap().half_width.unwrap();
    assert!(widest > 0.0 && widest < 0.1, "{widest}");
    assert!(is_settled(&many, widest * 1.01) && !is_settled(&many, widest * 0.99));
}

/// Is it all as precise as this?
fn is_settled(record: &Record, precision: f64) -> bool {
    let mut suite = record.suite.clone();
    suite.measure.precision = Fraction::parse(&format!("{:.9}%", precision * 100.0)).unwrap();
    interim(&suite, &record.launches).is_settled()
}

#[test]
fn the_headline_is_the_first_claims_contrast() {
    let suite = claimed("{ saves-at-least = \"1ms\" }");
    let record = record(&suite, 20, Noise::None, |scenario, _| truth(scenario));
    let interim = interim(&record.suite, &record.launches);
    assert_eq!(
        interim.to_string(),
        "saves 27.0 ms [27.0, 27.0]: later against before (ready)"
    );
    let nothing = super::interim(&record.suite, &[]);
    assert_eq!(nothing.to_string(), "nothing to compare yet");
}

#[test]
fn a_single_scenario_is_precise_once_its_twin_agrees_with_it() {
    let (suite, _) = SUITE.split_once("[[scenario]]\nname = \"cold\"").unwrap();
    let record = record(suite, 30, Noise::Usual, |_, _| 200.0);
    let interim = interim(&record.suite, &record.launches);
    assert_eq!(interim.widths.len(), 2);
    assert!(is_settled(&record, 0.5) && !is_settled(&record, 1e-6));
    assert!(interim.to_string().contains(": warm's twin ("));
}

#[test]
fn a_contrast_that_is_missing_makes_the_others_no_better() {
    let mut contrasts = analyse(&usual(20)).contrasts;
    for contrast in &mut contrasts {
        contrast.p_value = 0.01;
    }
    super::super::contrasts::adjust(&mut contrasts, Metric::Ready, 7);
    for contrast in &contrasts {
        let expected = if contrast.metric == Metric::Ready {
            0.07
        } else {
            0.01
        };
        assert!((contrast.p_value - expected).abs() < 1e-12, "{contrast:?}");
    }
}
