//! Which launches the machine disturbed, as far as it shows. They count like all others: to leave
//! out those that something slowed down would be to choose by what was measured.
//!
//! `METHODOLOGY.md` defines a disturbed launch for people; here is the same for the compiler.

use std::collections::BTreeMap;
use std::time::Duration;

use super::model::Disturbance;
use super::words;
use crate::record::host::STEP;
use crate::record::{Arm, Launch, Record};
use crate::stats::describe;
use crate::suite::LaunchKind;

/// Steal, of a launch's wall time.
const MOST_STEAL: f64 = 0.05;
/// CPU time of others, of all CPUs' time: on two CPUs that is half of one.
const MOST_OTHERS: f64 = 0.25;
/// The fence of what is far out (Tukey 1977, "Exploratory Data Analysis", chapter 2), in
/// interquartile ranges beyond the upper quartile.
const FENCE: f64 = 3.0;
/// Involuntary switches beyond the median that are not worth a word, even where they are far out.
const FEW_SWITCHES: f64 = 10.0;
/// Disturbed launches of all, beyond which a warning says so.
const MOST_DISTURBED: f64 = 0.1;

/// Counts them.
pub fn disturbance(record: &Record) -> Disturbance {
    let fences = fences(record);
    let mut found = Disturbance {
        launches: record.launches.len() as u64,
        ..Disturbance::default()
    };
    // Seconds of CPU time: what others used, and what there was.
    let (mut others, mut all) = (0.0, 0.0);
    for launch in &record.launches {
        let cpus = f64::from(record.header.host_of(launch.block).all_cpus());
        let wall = launch.times.wall.as_secs_f64();
        // In steps of 10 ms, so of 20 ms only 10 are sure.
        let sure = |time: Duration, steps| time.saturating_sub(STEP * steps).as_secs_f64();
        let stolen = sure(launch.usage.steal, 1) > MOST_STEAL * wall;
        // The sum of several columns, each in steps.
        let shared = launch
            .usage
            .others
            .is_some_and(|others| sure(others, 2) > MOST_OTHERS * wall * cpus);
        let fence = fences.get(&(launch.arm, launch.kind));
        let preempted =
            fence.is_some_and(|fence| launch.usage.involuntary_switches as f64 > *fence);
        found.by_steal += u64::from(stolen);
        found.by_others += u64::from(shared);
        found.by_preemption += u64::from(preempted);
        found.disturbed += u64::from(stolen || shared || preempted);
        if let Some(time) = launch.usage.others {
            others += time.as_secs_f64();
            all += wall * cpus;
        }
    }
    found.others_share = (all > 0.0).then(|| others / all);
    found
}

/// The number of involuntary switches beyond which a launch stands out among those of its arm.
fn fences(record: &Record) -> BTreeMap<(Arm, LaunchKind), f64> {
    let mut by_arm: BTreeMap<(Arm, LaunchKind), Vec<f64>> = BTreeMap::new();
    let switches = |launch: &Launch| launch.usage.involuntary_switches as f64;
    for launch in &record.launches {
        let key = (launch.arm, launch.kind);
        by_arm.entry(key).or_default().push(switches(launch));
    }
    let fence = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        let quartile = |p| describe::quantile_of_sorted(&values, p);
        let (low, median, high) = (quartile(0.25)?, quartile(0.5)?, quartile(0.75)?);
        Some((high + FENCE * (high - low)).max(median + FEW_SWITCHES))
    };
    let fences = by_arm.into_iter();
    fences
        .filter_map(|(key, values)| Some((key, fence(values)?)))
        .collect()
}

/// Said where many were.
pub fn warning(found: &Disturbance) -> Option<String> {
    (found.share() > MOST_DISTURBED).then(|| {
        format!(
            "{} were disturbed by the machine ({}): intervals are wider for it; stop what else \
             runs there, or measure for longer",
            of_all(found),
            reasons(found)
        )
    })
}

/// "12 of 240 launches (5.0 %)"
fn of_all(found: &Disturbance) -> String {
    format!(
        "{} of {} ({})",
        words::thousands(found.disturbed),
        words::count(found.launches, "launch", "launches"),
        words::percent(found.share())
    )
}

/// "8 by steal, 5 by other processes"
fn reasons(found: &Disturbance) -> String {
    let all = [
        (found.by_steal, "by steal"),
        (found.by_others, "by other processes"),
        (found.by_preemption, "by losing the CPU unusually often"),
    ];
    let there = all.into_iter().filter(|(count, _)| *count > 0);
    let texts: Vec<String> = there
        .map(|(count, reason)| format!("{} {reason}", words::thousands(count)))
        .collect();
    words::list(&texts, texts.len())
}

impl Disturbance {
    /// Disturbed launches of all.
    pub fn share(&self) -> f64 {
        match self.launches {
            0 => 0.0,
            all => self.disturbed as f64 / all as f64,
        }
    }

    /// A sentence for every report.
    pub fn sentence(&self) -> String {
        let others = self.others_share.map_or(String::new(), |share| {
            format!(
                "; other processes used {} of its CPU time",
                words::percent(share)
            )
        });
        if self.disturbed == 0 {
            return format!("The machine disturbed no launch that shows{others}.");
        }
        format!(
            "The machine disturbed {}: {}{others}. None is left out.",
            of_all(self),
            reasons(self)
        )
    }
}
