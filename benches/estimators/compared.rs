//! All estimators on the same runs: false alarms, coverage and width.

use coldsnake::analysis::analyse;
use coldsnake::record::format::StopReason;
use coldsnake::stats::interval::Interval;

use crate::estimators::{self, Scale};
use crate::noise::Source;
use crate::tally::{Mean, Share, binomial_error, heading, line, on_all_cpus, shown};
use crate::trial::{Effect, Row, Trial, Until};

/// Numbers of blocks at which a run ends whatever it shows, and then the runner's own rule.
const FIXED: [usize; 3] = [20, 40, 80];
const WHENS: usize = FIXED.len() + 1;
/// A run under the runner's rule ends here at the latest: a simulation has no budget.
const MOST_BLOCKS: u32 = 120;
/// The estimators that reports show.
const SHOWN: [usize; 2] = [0, 1];
/// At which of the ends widths are compared: 40 blocks.
const COMPARED: usize = 1;

/// What became of one estimator's interval.
#[derive(Clone, Copy)]
struct Outcome {
    /// Where there is a truth to cover.
    covers: Option<bool>,
    half_width: f64,
}

/// Of one trial: [when][estimator].
struct Outcomes {
    by_when: Vec<Vec<Option<Outcome>>>,
    blocks: usize,
    is_precise: bool,
}

/// Of one source and effect.
#[derive(Clone, Default)]
struct Tally {
    covers: [[Share; estimators::ALL.len()]; WHENS],
    half_width: [[Mean; estimators::ALL.len()]; WHENS],
    blocks: Mean,
    precise: Share,
}

fn outcomes(rows: &[Row]) -> Vec<Option<Outcome>> {
    estimators::ALL
        .iter()
        .map(|estimator| {
            let interval = estimator.of(rows)?.interval?;
            Some(Outcome {
                covers: estimator.truth(rows).map(|truth| interval.contains(truth)),
                half_width: estimator.relative_half_width(rows, &interval)?,
            })
        })
        .collect()
}

/// The two intervals of a report are those that are judged here.
fn assert_reported(trial: &Trial) {
    let analysis = analyse(&trial.record);
    let contrast = &analysis.contrasts[0];
    let ratio = contrast.ratio.interval.map(|interval| {
        Interval::new(interval.low().ln(), interval.high().ln()).expect("ratios are ordered")
    });
    for (place, reported) in SHOWN.into_iter().zip([contrast.shift_ms.interval, ratio]) {
        let estimator = &estimators::ALL[place];
        let judged = estimator.of(&trial.rows).and_then(|e| e.interval);
        let ends = |i: Option<Interval>| i.map_or([0.0; 2], |i| [i.low(), i.high()]);
        for (a, b) in ends(judged).into_iter().zip(ends(reported)) {
            // A record keeps nanoseconds.
            assert!((a - b).abs() < 1e-5, "{}: {a} and {b}", estimator.name);
        }
    }
}

fn trial(source: &Source, effect: Effect, number: u32) -> Outcomes {
    let fixed = Trial::run(source, effect, Until::Blocks(80), u64::from(number));
    let ruled = Trial::run(
        source,
        effect,
        Until::Precise(MOST_BLOCKS),
        u64::from(number) + 1_000_000,
    );
    if number.is_multiple_of(100) {
        assert_reported(&ruled);
    }
    let mut by_when: Vec<_> = FIXED.map(|blocks| outcomes(&fixed.rows[..blocks])).into();
    by_when.push(outcomes(&ruled.rows));
    let stop_reason = ruled.record.end.as_ref().map(|end| end.stop_reason);
    Outcomes {
        by_when,
        blocks: ruled.rows.len(),
        is_precise: stop_reason == Some(StopReason::Precision),
    }
}

fn tally(source: &Source, effect: Effect, trials: u32) -> Tally {
    let mut tally = Tally::default();
    for outcomes in on_all_cpus(trials, |number| trial(source, effect, number)) {
        for (when, of_when) in outcomes.by_when.into_iter().enumerate() {
            for (place, outcome) in of_when.into_iter().enumerate() {
                if let Some(outcome) = outcome {
                    if let Some(covers) = outcome.covers {
                        tally.covers[when][place].count(covers);
                    }
                    tally.half_width[when][place].take(100.0 * outcome.half_width);
                }
            }
        }
        tally.blocks.take(outcomes.blocks as f64);
        tally.precise.count(outcomes.is_precise);
    }
    tally
}

/// Prints the tables.
pub fn print(sources: &[Source], trials: u32) {
    let all: Vec<Vec<Tally>> = sources
        .iter()
        .map(|source| {
            let tallies = Effect::ALL.map(|effect| tally(source, effect, trials));
            eprintln!("estimators: {} is done", source.name());
            tallies.into()
        })
        .collect();
    println!("### Estimators\n");
    println!(
        "{trials} runs for each noise, effect and end. A share of 5 % or 95 % is uncertain by \
         {:.1} points (two standard deviations) for one noise and effect.\n",
        binomial_error(5.0, trials)
    );
    println!("False alarms in percent (nominal 5): all noises together, and the worst of them.\n");
    let ends = ["estimator", "20 blocks", "40", "80", "by the rule"];
    println!("{}", heading(&ends));
    rates(
        sources,
        &all,
        |effects| &effects[..1],
        |percent| 100.0 - percent,
        f64::max,
    );
    println!(
        "\nCoverage in percent (nominal 95) of +2 % and +5 %, and for estimators in milliseconds of +20 ms: together, and the worst.\n"
    );
    println!("{}", heading(&ends));
    rates(
        sources,
        &all,
        |effects| &effects[1..],
        |percent| percent,
        f64::min,
    );
    println!("\nMean half-width after 40 blocks, in percent of the time, without an effect.\n");
    let names = sources.iter().map(Source::name);
    println!(
        "{}",
        heading(
            &std::iter::once("estimator")
                .chain(names)
                .collect::<Vec<_>>()
        )
    );
    for (place, estimator) in estimators::ALL.iter().enumerate() {
        let widths = all
            .iter()
            .map(|effects| effects[0].half_width[COMPARED][place]);
        let cells = widths.map(|width| shown(width.value(), 2));
        println!(
            "{}",
            line(
                &std::iter::once(estimator.name.to_owned())
                    .chain(cells)
                    .collect::<Vec<_>>()
            )
        );
    }
    println!(
        "\nThe intervals of a report, by noise, after 20 / 40 / 80 blocks / by the rule (2 %, at \
         most {MOST_BLOCKS} blocks). False alarms and coverage in percent, half-width in percent of \
         the time.\n"
    );
    println!(
        "{}",
        heading(&[
            "noise",
            "interval",
            "false alarms",
            "coverage, worst effect",
            "half-width",
            "blocks by the rule",
            "reach 2 %"
        ])
    );
    for (source, effects) in sources.iter().zip(&all) {
        for place in SHOWN {
            println!("{}", line(&by_noise(source, effects, place)));
        }
    }
}

/// A row for each estimator: what it does over all sources, and on the worst.
fn rates(
    sources: &[Source],
    all: &[Vec<Tally>],
    effects: fn(&[Tally]) -> &[Tally],
    rate: fn(f64) -> f64,
    worst: fn(f64, f64) -> f64,
) {
    for (place, estimator) in estimators::ALL.iter().enumerate() {
        let mut cells = vec![estimator.name.to_owned()];
        for when in 0..WHENS {
            let mut together = Share::default();
            let mut extreme: Option<(f64, &str)> = None;
            for (source, of_source) in sources.iter().zip(all) {
                for tally in effects(of_source) {
                    let share = tally.covers[when][place];
                    together += share;
                    let Some(percent) = share.percent().map(rate) else {
                        continue;
                    };
                    if extreme.is_none_or(|(most, _)| worst(most, percent) != most) {
                        extreme = Some((percent, source.name()));
                    }
                }
            }
            let of_all = shown(together.percent().map(rate), 1);
            cells.push(extreme.map_or(of_all.clone(), |(percent, name)| {
                format!("{of_all} ({percent:.1} {name})")
            }));
        }
        println!("{}", line(&cells));
    }
}

fn by_noise(source: &Source, effects: &[Tally], place: usize) -> Vec<String> {
    let none = &effects[0];
    let joined = |value: &dyn Fn(usize) -> Option<f64>, decimals| {
        let cells: Vec<String> = (0..WHENS)
            .map(|when| shown(value(when), decimals))
            .collect();
        cells.join(" / ")
    };
    let covers = |tally: &Tally, when: usize| tally.covers[when][place].percent();
    vec![
        source.name().to_owned(),
        match estimators::ALL[place].scale {
            Scale::Milliseconds => "shift".to_owned(),
            Scale::Logarithms => "ratio".to_owned(),
        },
        joined(&|when| covers(none, when).map(|percent| 100.0 - percent), 1),
        joined(
            &|when| {
                let effects = effects[1..].iter().filter_map(|tally| covers(tally, when));
                effects.reduce(f64::min)
            },
            1,
        ),
        joined(&|when| none.half_width[when][place].value(), 2),
        shown(none.blocks.value(), 0),
        format!("{} %", shown(none.precise.percent(), 0)),
    ]
}
