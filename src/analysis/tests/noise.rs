use super::*;

fn host(change: impl FnOnce(&mut Host)) -> Host {
    let mut host = usual(5).header.host;
    change(&mut host);
    host
}

/// What is advised, and what the report of a record of such a machine warns of.
fn told(host: Host, affinity: Option<Affinity>) -> (Vec<String>, Vec<String>) {
    let advice = conditions(&host, affinity.as_ref())
        .iter()
        .map(Condition::advice)
        .collect();
    let mut record = record(SUITE, 20, Noise::None, |scenario, _| truth(scenario));
    record.header.host = host;
    record.header.affinity = affinity;
    (advice, analyse(&record).warnings)
}

#[test]
fn a_steady_machine_is_not_spoken_of() {
    let steady = host(|host| {
        host.governor = Some("performance".to_owned());
        host.turbo = Some("off".to_owned());
        host.smt = Some("on".to_owned());
        host.power = Some("mains".to_owned());
        host.steal_before = Some(0.01);
        host.heat_throttles = Some(7);
    });
    assert_eq!(told(steady, None), (Vec::new(), Vec::new()));
}

#[test]
fn each_condition_is_advised_on_in_one_line_and_warned_of() {
    type Change = fn(&mut Host);
    let conditions: [(Change, &str, &str); 8] = [
        (
            |host| host.load_1min = 3.5,
            "busy (load 3.50 on 2 CPUs): stop what else runs",
            "busy when the run started: load 3.50 on 2 CPUs",
        ),
        (
            |host| host.governor = Some("powersave".to_owned()),
            "governor is powersave: `cpupower frequency-set -g performance`",
            "governor was powersave",
        ),
        (
            |host| host.turbo = Some("on".to_owned()),
            "turbo is on",
            "turbo was on",
        ),
        (
            |host| host.power = Some("battery".to_owned()),
            "plug it in",
            "ran on battery",
        ),
        (
            |host| host.traced_by = Some("gdb (pid 4711)".to_owned()),
            "traced by gdb (pid 4711), which slows down every launch: run it without",
            "was traced by gdb (pid 4711)",
        ),
        (
            |host| host.other_runs = vec![4711],
            "another coldsnake is measuring (pid 4711), and both disturb each other",
            "another coldsnake was running",
        ),
        (
            |host| host.other_runs = vec![8, 9],
            "2 other coldsnakes are measuring (pids 8 and 9)",
            "2 other coldsnakes were running",
        ),
        (
            |host| host.steal_before = Some(0.12),
            "the hypervisor gives 12 % of the machine's time to others",
            "the hypervisor gave 12 % of the machine's time to others before",
        ),
    ];
    for (change, advice, warning) in conditions {
        let (advised, warned) = told(host(change), None);
        assert_eq!(
            (advised.len(), warned.len()),
            (1, 1),
            "{advised:?} {warned:?}"
        );
        assert!(advised[0].contains(advice), "{advised:?}");
        assert!(!advised[0].contains('\n') && advised[0].chars().count() < 140);
        assert!(warned[0].contains(warning), "{warned:?}");
    }
}

#[test]
fn load_is_held_against_all_cpus_of_the_machine() {
    let part = host(|host| {
        host.load_1min = 3.5;
        host.cpus_online = Some(8);
    });
    assert_eq!(told(part, None).0, [""; 0]);
}

#[test]
fn cpus_of_one_core_are_not_apart() {
    let threads = || host(|host| host.siblings = vec!["0,2".to_owned(), "1,3".to_owned()]);
    let on = |harness: &str, children: &str| {
        Some(Affinity {
            harness: harness.to_owned(),
            children: children.to_owned(),
            why: String::new(),
        })
    };
    let (advice, warnings) = told(threads(), on("0", "2-3"));
    assert!(says(
        &advice,
        "coldsnake (CPU 0) and the app (CPU 2-3) share a core"
    ));
    assert!(says(&warnings, "shared a core"));
    // Apart, or not meant to be.
    for (harness, children) in [("0", "1,3"), ("0-3", "0-3"), ("", "")] {
        assert_eq!(told(threads(), on(harness, children)).0, [""; 0]);
    }
}

#[test]
fn what_happened_during_the_run_is_said() {
    let mut record = usual(20);
    record.header.host.heat_throttles = Some(3);
    let end = record.end.as_mut().unwrap();
    end.heat_throttles = Some(3);
    assert!(!says(&analyse(&record).warnings, "heat"));
    let end = record.end.as_mut().unwrap();
    end.heat_throttles = Some(5);
    end.blocks_beside_others = 4;
    let warnings = analyse(&record).warnings;
    assert!(says(
        &warnings,
        "slowed down for its heat 2 times during the run"
    ));
    assert!(says(
        &warnings,
        "another coldsnake was running on the machine during 4 of 20 blocks"
    ));
}

#[test]
fn a_launch_is_disturbed_by_what_is_surely_more_than_its_bounds() {
    // Launches of 205 ms on two CPUs.
    let count = |change: &dyn Fn(&mut Usage)| {
        let mut record = record(SUITE, 20, Noise::None, |_, _| 200.0);
        change(&mut record.launches[0].usage);
        analyse(&record).disturbance
    };
    assert_eq!(count(&|_| {}).disturbed, 0);
    // One step may have been stolen before; 5 % of the wall time is 10.25 ms.
    assert_eq!(count(&|usage| usage.steal = millis(20.0)).by_steal, 0);
    assert_eq!(count(&|usage| usage.steal = millis(30.0)).by_steal, 1);
    // A quarter of two CPUs' time is 102.5 ms, and two steps are not sure.
    assert_eq!(
        count(&|usage| usage.others = Some(millis(120.0))).by_others,
        0
    );
    let found = count(&|usage| usage.others = Some(millis(130.0)));
    assert_eq!(found.by_others, 1);
    let share = found.others_share.unwrap();
    assert!((share - 130.0 / 410.0).abs() < 1e-9, "{share}");
    assert_eq!(
        count(&|usage| usage.involuntary_switches = 10).by_preemption,
        0
    );
    let found = count(&|usage| usage.involuntary_switches = 11);
    assert_eq!((found.by_preemption, found.disturbed), (1, 1));
    assert_eq!(found.others_share, None);
    let several = count(&|usage| {
        usage.involuntary_switches = 11;
        usage.steal = millis(30.0);
    });
    assert_eq!((several.disturbed, several.by_steal), (1, 1));
}

#[test]
fn an_app_that_always_loses_its_cpu_often_is_not_disturbed_by_that() {
    let mut record = usual(20);
    for launch in &mut record.launches {
        launch.usage.involuntary_switches = 300 + u64::from(launch.block % 7) * 10;
    }
    assert_eq!(analyse(&record).disturbance.disturbed, 0);
}

#[test]
fn disturbed_launches_count_and_are_told() {
    let with = |every: u32| {
        let mut record = usual(20);
        for launch in &mut record.launches {
            if launch.block % every == 0 {
                launch.usage.steal = millis(100.0);
            }
        }
        analyse(&record)
    };
    let (some, many) = (with(20), with(5));
    let launches = some.disturbance.launches;
    assert_eq!(launches, 20 * 14);
    assert_eq!(
        some.disturbance.sentence(),
        "The machine disturbed 14 of 280 launches (5.0 %): 14 by steal. None is left out."
    );
    assert!(!says(&some.warnings, "were disturbed"));
    assert!(says(
        &many.warnings,
        "56 of 280 launches (20 %) were disturbed by the machine (56 by steal)"
    ));
    // The same contrasts as without: nothing was left out.
    assert_eq!(many.contrasts[0].blocks, 20);
    assert_eq!(
        many.contrasts[0].shift_ms,
        usual_analysis().contrasts[0].shift_ms
    );
}

fn usual_analysis() -> Analysis {
    analyse(&usual(20))
}

#[test]
fn the_place_in_the_block_is_tested_for_each_metric() {
    let mut record = usual(60);
    for launch in &mut record.launches {
        // The first of a block's app launches.
        if launch.position == 0 {
            launch.times.ready = launch.times.ready.map(|time| time + millis(30.0));
        }
    }
    let analysis = analyse(&record);
    let of = |metric| {
        let mut orders = analysis.order.iter();
        let order = orders.find(|order| order.metric == metric).unwrap();
        order.position.clone().unwrap()
    };
    let ready = of(Metric::Ready);
    assert!(ready.p_value < 1e-6, "{}", ready.p_value);
    assert_eq!((ready.blocks, ready.offsets.len()), (60, 7));
    assert!((ready.offsets[0] - 30.0).abs() < 5.0, "{:?}", ready.offsets);
    assert!(of(Metric::Import).p_value > 0.001);
    let sentence = analysis
        .warnings
        .iter()
        .find(|text| text.contains("place within a block"));
    let sentence = sentence.unwrap();
    assert!(
        sentence.contains("launches at place 1 are slowest, by "),
        "{sentence}"
    );
    assert!(sentence.contains("between blocks"), "{sentence}");
    assert!(!says(&analyse(&usual(60)).warnings, "place within a block"));
}

#[test]
fn a_trend_is_said_with_its_size() {
    let mut record = record(SUITE, 40, Noise::None, |_, _| 200.0);
    for launch in &mut record.launches {
        launch.times.ready = launch
            .times
            .ready
            .map(|t| t + millis(f64::from(launch.block)));
    }
    let analysis = analyse(&record);
    let drift = analysis.order[0].drift.unwrap();
    assert_eq!((drift.launches, drift.rho), (40, 1.0));
    // 234.5 over 204.5
    assert!((drift.change - 0.1467).abs() < 1e-4, "{}", drift.change);
    assert!(says(
        &analysis.warnings,
        "the last quarter of the launches of warm took 15 % longer than the first"
    ));
    assert_eq!(analyse(&usual(5)).order[0].drift, None);
}
