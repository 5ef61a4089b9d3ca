use super::*;
use crate::record::{Missing, Part, Shard, merge};

/// The record's shards, merged.
fn shared(record: &Record, of: u32) -> Record {
    let whole: Shard = format!("1/{of}").parse().unwrap();
    let parts = Shard::all(whole.of()).map(|shard| {
        let mut part = record.clone();
        part.header.shard = Some(shard);
        part.launches
            .retain(|launch| shard.owner(launch.block) == shard);
        Part::new(Path::new("part"), part)
    });
    merge(parts.collect(), Missing::Refuse).unwrap()
}

fn ended(mut record: Record, stop_reason: StopReason) -> Record {
    if let Some(end) = &mut record.end {
        end.stop_reason = stop_reason;
    }
    record
}

#[test]
fn a_merged_record_says_of_contrasts_and_medians_what_the_run_says() {
    let alone = ended(usual(60), StopReason::MaxBlocks);
    let (whole, merged) = (analyse(&alone), analyse(&shared(&alone, 4)));
    let figures = |of: &Analysis| {
        format!(
            "{:?}",
            (&of.contrasts, &of.noise_floor, &of.scenarios, of.blocks)
        )
    };
    assert_eq!(figures(&whole), figures(&merged));
    assert!(whole.order.iter().all(|order| order.drift.is_some()));
    assert!(merged.order.iter().all(|order| order.drift.is_none()));
    let position = |analysis: &Analysis| format!("{:?}", analysis.order[0].position);
    assert_eq!(position(&whole), position(&merged));
}

#[test]
fn shards_use_up_their_time_and_are_decided_all_the_same() {
    let suite = SUITE.replace(
        "[measure]",
        "[measure]\nuntil = \"decided\"\nprecision = \"40%\"",
    );
    let undecided = "before everything was decided";
    let of = |blocks| {
        let made = record(&suite, blocks, Noise::Usual, |scenario, _| truth(scenario));
        analyse(&shared(&ended(made, StopReason::Budget), 3)).warnings
    };
    assert!(!says(&of(300), undecided), "{:?}", of(300));
    assert!(says(&of(12), undecided), "{:?}", of(12));
}

#[test]
fn the_budget_that_would_do_is_told_for_each_shard() {
    let made = ended(usual(20), StopReason::Budget);
    let of = |made: &Record| analyse(made).warnings;
    assert!(says(&of(&made), " would be needed") && !says(&of(&made), "each shard"));
    let merged = of(&shared(&made, 2));
    assert!(
        says(&merged, " for each shard would be needed"),
        "{merged:?}"
    );
    // A shard alone is not meant to be precise.
    let mut part = made.clone();
    part.header.shard = Some("1/1".parse().unwrap());
    assert!(!says(&of(&part), " would be needed"));
}

#[test]
fn load_and_steal_are_held_against_the_cpus_of_the_machine_of_the_block() {
    let mut merged = shared(&usual(20), 2);
    for launch in &mut merged.launches {
        // A third of two CPUs, and a sixth of four.
        launch.usage.others = Some(launch.times.wall * 2 / 3);
    }
    let disturbed = |record: &Record| analyse(record).disturbance.by_others;
    let all = merged.launches.len() as u64;
    assert_eq!(disturbed(&merged), all);
    merged.header.shards[1].host.cpus = 4;
    assert_eq!(disturbed(&merged), all / 2);
    assert_eq!(merged.header.host_of(0).cpus, 2);
    assert_eq!(merged.header.host_of(3).cpus, 4);
    // The first is missing.
    merged.header.shards.remove(0);
    assert_eq!(merged.header.host_of(3).cpus, 4);
}

#[test]
fn machines_of_different_speed_make_no_effect_where_there_is_none() {
    let (mut contrasts, mut alarms, mut records_with_one) = (0, 0, 0);
    for seed in 0..100 {
        let mut made = seeded(seed, SUITE, 24, Noise::Usual, |_, _| 200.0);
        for launch in &mut made.launches {
            let slower = [1, 2, 5][launch.block as usize % 3];
            let times = &mut launch.times;
            for time in [&mut times.ready, &mut times.import].into_iter().flatten() {
                *time *= slower;
            }
        }
        let merged = analyse(&shared(&made, 3));
        let excludes = |contrast: &&Contrast| {
            let interval = contrast.shift_ms.interval;
            interval.is_some_and(|it| it.low() > 0.0 || it.high() < 0.0)
        };
        let ready = || {
            merged
                .contrasts
                .iter()
                .filter(|it| it.metric == Metric::Ready)
        };
        assert!(ready().all(|contrast| contrast.shift_ms.interval.is_some()));
        contrasts += ready().count();
        let wrong = ready().filter(excludes).count();
        alarms += wrong;
        records_with_one += usize::from(wrong > 0);
    }
    assert_eq!(contrasts, 500);
    // The intervals of a record hold together at 95 %, so five of a hundred are expected at most.
    println!("{alarms} false alarms in {records_with_one} of 100 records");
    assert!(
        records_with_one <= 10,
        "{alarms} in {records_with_one} records"
    );
}
