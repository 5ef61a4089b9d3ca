//! What effects of many records say, in words and figures.

use super::super::changes::{less_one, percent, with_ends};
use super::super::numbers;
use crate::analysis::{By, Common, Effect, Experiment, Member, Pool, Pooled, Row, outwards};
use crate::stats::interval::{Estimate, Interval};

/// Below this, hosts differ by more than chance.
const DIFFER_P_VALUE: f64 = 0.05;
/// A ratio beyond this, or below its reciprocal, is none that a start has: the interval says nothing.
const SENSELESS: f64 = 20.0;

/// A ratio as a change: "+5.2 %" and "[+1.0, +9.1]".
pub fn change(ratio: &Estimate) -> (String, Option<String>) {
    percent(&less_one(ratio))
}

/// What is compared: "cold against warm, exit".
pub fn subject(effect: &Effect) -> String {
    format!(
        "{} against {}, {}",
        effect.scenario, effect.baseline, effect.metric
    )
}

/// "1 host", "5 hosts".
pub fn count(number: u64, by: By) -> String {
    let word = if number == 1 { by.word() } else { by.words() };
    format!("{} {word}", numbers::fixed(number as f64, 0))
}

/// What an experiment's records have in common, to stand above it.
pub fn heading(common: &Common) -> String {
    let suite = common.suite.as_ref().map(|suite| format!("suite {suite}"));
    let host = common.host.as_ref().map(|host| format!("on {host}"));
    [&common.app, &suite, &common.interpreters, &host]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

/// "5 hosts, 7 records, 140 blocks".
pub fn extent(experiment: &Experiment, by: By) -> String {
    let records: u64 = {
        let mut names: Vec<&String> = experiment.members.iter().flat_map(|m| &m.records).collect();
        names.sort();
        names.dedup();
        names.len() as u64
    };
    let blocks: u64 = experiment
        .members
        .iter()
        .map(|member| u64::from(member.blocks))
        .sum();
    let some = |number: u64, one: &str, many: &str| {
        let word = if number == 1 { one } else { many };
        format!("{} {word}", numbers::fixed(number as f64, 0))
    };
    format!(
        "{}, {}, {}",
        count(experiment.members.len() as u64, by),
        some(records, "record", "records"),
        some(blocks, "block", "blocks")
    )
}

/// The members that an effect's table has, and those that it leaves out: apps that are not measured by its metric at
/// all. A host or an app that lacks this effect only is shown, as missing.
pub fn shown<'a>(
    effect: &'a Effect,
    experiment: &'a Experiment,
    by: By,
) -> (Vec<(&'a Member, Option<&'a Row>)>, Vec<String>) {
    let measured = |place: usize| {
        let mut same = experiment
            .effects
            .iter()
            .filter(|each| each.metric == effect.metric);
        by != By::App || same.any(|each| each.rows.get(place).is_some_and(Option::is_some))
    };
    let all = experiment.members.iter().zip(&effect.rows).enumerate();
    let (there, elsewhere): (Vec<_>, Vec<_>) = all.partition(|(place, _)| measured(*place));
    (
        there
            .into_iter()
            .map(|(_, (member, row))| (member, row.as_ref()))
            .collect(),
        elsewhere
            .into_iter()
            .map(|(_, (member, _))| member.name.clone())
            .collect(),
    )
}

/// What an effect shows, in a sentence without its full stop.
pub fn finding(effect: &Effect, experiment: &Experiment, by: By) -> String {
    let (scenario, baseline) = (&effect.scenario, &effect.baseline);
    if let Some(pooled) = &effect.pooled {
        let over = format!("over {}", count(pooled.members.into(), by));
        return one(scenario, baseline, &pooled.ratio.mean, &over);
    }
    let rows: Vec<(&str, &Estimate)> = experiment
        .members
        .iter()
        .zip(&effect.rows)
        .filter_map(|(member, row)| Some((member.name.as_str(), &row.as_ref()?.ratio)))
        .collect();
    let by_size =
        |a: &&(&str, &Estimate), b: &&(&str, &Estimate)| a.1.estimate.total_cmp(&b.1.estimate);
    let (Some(least), Some(most)) = (rows.iter().min_by(by_size), rows.iter().max_by(by_size))
    else {
        return format!("Nothing is known of {scenario} against {baseline}");
    };
    if let [(name, ratio)] = rows[..] {
        let place = match by {
            By::Host => "on",
            By::Interpreter => "under",
            By::App => "of",
        };
        return one(scenario, baseline, ratio, &format!("{place} {name}"));
    }
    let shown = |(name, ratio): &(&str, &Estimate)| format!("{} ({name})", change(ratio).0);
    format!(
        "{scenario} against {baseline}: from {} to {}",
        shown(least),
        shown(most)
    )
}

fn one(scenario: &str, baseline: &str, ratio: &Estimate, over: &str) -> String {
    let share = less_one(ratio);
    let (text, ends) = percent(&share);
    let ends = ends.unwrap_or_default();
    // Its sign is said in words, and the ends follow suit.
    let size = |share: &Estimate| {
        let (size, ends) = percent(share);
        with_ends((size, ends)).replace('+', "")
    };
    match share.interval {
        Some(interval) if interval.low() > 0.0 => {
            format!(
                "{scenario} is {} slower than {baseline} {over}",
                size(&share)
            )
        }
        Some(interval) if interval.high() < 0.0 => {
            let mirrored = Estimate {
                estimate: -share.estimate,
                interval: Interval::new(-interval.high(), -interval.low()),
            };
            format!(
                "{scenario} is {} faster than {baseline} {over}",
                size(&mirrored)
            )
        }
        Some(_) => format!(
            "No difference between {scenario} and {baseline} is shown {over}: {text} {ends}"
        ),
        None => format!("{scenario} against {baseline}: {text} {over}, without an interval"),
    }
}

/// The finding and whether hosts agree in it, to stand alone.
pub fn title(effect: &Effect, experiment: &Experiment, by: By) -> String {
    let finding = finding(effect, experiment, by);
    match &effect.pooled {
        Some(pooled) if differ(&pooled.ratio) => {
            format!("{finding}; {} differ by more than chance", by.words())
        }
        Some(_) => format!(
            "{finding}; {} do not differ by more than chance",
            by.words()
        ),
        None => finding,
    }
}

fn differ(pool: &Pool) -> bool {
    pool.heterogeneity.p_value < DIFFER_P_VALUE
}

/// Do hosts differ, in each of the two units, and what that means.
pub fn heterogeneity(pooled: &Pooled, by: By) -> String {
    let one = |unit: &str, pool: &Pool| {
        let found = &pool.heterogeneity;
        let answer = match differ(pool) {
            true => "yes",
            false => "not that it shows",
        };
        let p = match found.p_value < 0.0001 {
            true => "p < 0.0001".to_owned(),
            false => format!("p {}", numbers::fixed(found.p_value, 4)),
        };
        format!(
            "{unit}: {answer} (I² {} %, {p})",
            numbers::fixed(found.i_squared * 100.0, 0)
        )
    };
    let so = match (differ(&pooled.shift_ms), differ(&pooled.ratio)) {
        (true, false) => {
            " So the change in % carries over to other hosts better than the one in ms."
        }
        (false, true) => {
            " So the change in ms carries over to other hosts better than the one in %."
        }
        (true, true) => " So the mean says little about a single host.",
        (false, false) => "",
    };
    format!(
        "Do {} differ by more than chance? {}; {}.{so}",
        by.words(),
        one("In ms", &pooled.shift_ms),
        one("in %", &pooled.ratio)
    )
}

/// Where a further host's change lies: "[+1.0, +9.1]" in percent. `None` where the interval says nothing.
pub fn further(pool: &Pool) -> Option<(Interval, String)> {
    let ratio = pool.prediction?;
    let sensible = ratio.high() < SENSELESS && ratio.low() > 1.0 / SENSELESS;
    let share = Interval::new((ratio.low() - 1.0) * 100.0, (ratio.high() - 1.0) * 100.0)?;
    sensible.then(|| (share, ends(share)))
}

/// "[+1.0, +9.1]"
pub fn ends(interval: Interval) -> String {
    let middle = Estimate {
        estimate: interval.low() / 2.0 + interval.high() / 2.0,
        interval: Some(interval),
    };
    let places = crate::analysis::decimals_of(&middle);
    let shown = outwards(interval, places);
    format!(
        "[{}, {}]",
        numbers::signed(shown.low(), places),
        numbers::signed(shown.high(), places)
    )
}

/// A change with its interval: "+5.2 % [+1.0, +9.1]".
pub fn change_with_ends(ratio: &Estimate) -> String {
    with_ends(change(ratio))
}
