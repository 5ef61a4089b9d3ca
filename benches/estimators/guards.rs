//! `{ max-regression = "5%" }` until decided: how often a change that costs the bound is let through, how
//! often no change is stopped, and after how many blocks. Plan, looks and verdicts are the program's own.

use coldsnake::analysis::analyse;
use coldsnake::stats::bounds::Verdict;

use crate::noise::Source;
use crate::tally::{Mean, Share, binomial_error, heading, line, on_all_cpus, shown};
use crate::trial::{Effect, REGRESSION_BOUND, Trial, Until};

const MOST_BLOCKS: u32 = 200;

/// What the change costs: nothing, half of the bound, the bound, twice the bound.
const COSTS: [Effect; 4] = [
    Effect::None,
    Effect::Percent(2.5),
    Effect::Percent(5.0),
    Effect::Percent(10.0),
];

/// The verdicts of many runs.
#[derive(Default)]
struct Tally {
    passed: Share,
    stopped: Share,
    /// Of all runs, those included that end undecided.
    blocks: Mean,
}

fn tally(source: &Source, cost: Effect, trials: u32) -> Tally {
    let outcomes = on_all_cpus(trials, |number| {
        let seed = u64::from(number) + 3_000_000;
        let trial = Trial::run(source, cost, Until::Guarded(MOST_BLOCKS), seed);
        let analysis = analyse(&trial.record);
        (analysis.claims[0].verdict, analysis.blocks)
    });
    let mut tally = Tally::default();
    for (verdict, blocks) in outcomes {
        tally.passed.count(verdict == Verdict::Supported);
        tally.stopped.count(verdict == Verdict::Refuted);
        tally.blocks.take(f64::from(blocks));
    }
    tally
}

/// Prints the table.
pub fn print(sources: &[Source], trials: u32) {
    println!("### Simulated guards\n");
    println!(
        "{trials} runs for each noise and cost, of a guard against {REGRESSION_BOUND} that stops when it is decided, or \
         after {MOST_BLOCKS} blocks. Shares in percent of those that end as *no regression* and as *regression* (the \
         rest is inconclusive), and the mean number of blocks. A share of 5 % or 95 % is uncertain by {:.1} points \
         (two standard deviations).\n",
        binomial_error(5.0, trials)
    );
    let names: Vec<String> = ["noise".to_owned()]
        .into_iter()
        .chain(COSTS.map(|cost| match cost {
            Effect::None => "costs nothing".to_owned(),
            cost => format!("costs {cost}"),
        }))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    println!("{}", heading(&names));
    for source in sources {
        let cells = COSTS.map(|cost| {
            let tally = tally(source, cost, trials);
            format!(
                "{}, {}; {}",
                shown(tally.passed.percent(), 1),
                shown(tally.stopped.percent(), 1),
                shown(tally.blocks.value(), 0)
            )
        });
        eprintln!("guards: {} is done", source.name());
        let mut row = vec![source.name().to_owned()];
        row.extend(cells);
        println!("{}", line(&row));
    }
}
