//! Counts of trials, and trials on all CPUs.

use std::num::NonZero;
use std::ops::AddAssign;
use std::thread;

/// How often something was so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Share {
    hits: u32,
    trials: u32,
}

impl Share {
    pub fn count(&mut self, hit: bool) {
        self.hits += u32::from(hit);
        self.trials += 1;
    }

    /// `None` without a trial.
    pub fn percent(self) -> Option<f64> {
        (self.trials > 0).then(|| 100.0 * f64::from(self.hits) / f64::from(self.trials))
    }
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.trials += other.trials;
    }
}

/// A mean.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    pub fn take(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// `None` of nothing.
    pub fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// What the function makes of each number below `count`, in order, computed on all CPUs.
pub fn on_all_cpus<T: Send>(count: u32, make: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let cpus = thread::available_parallelism().map_or(1, NonZero::get) as u32;
    let make = &make;
    let mut made: Vec<(u32, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cpus)
            .map(|first| {
                let numbers = (first..count).step_by(cpus as usize);
                scope.spawn(move || {
                    numbers
                        .map(|number| (number, make(number)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let results = workers.into_iter().map(|worker| worker.join());
        results
            .flat_map(|result| result.expect("no trial panics"))
            .collect()
    });
    made.sort_by_key(|(number, _)| *number);
    made.into_iter().map(|(_, value)| value).collect()
}

/// Two standard deviations of a share of that many trials, in percent.
pub fn binomial_error(percent: f64, trials: u32) -> f64 {
    2.0 * (percent * (100.0 - percent) / f64::from(trials)).sqrt()
}

/// With that many decimals, or a dash.
pub fn shown(value: Option<f64>, decimals: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.decimals$}"))
}

/// A line of a Markdown table.
pub fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The heading of a Markdown table whose first column is text and whose others are numbers.
pub fn heading(cells: &[&str]) -> String {
    let rule: Vec<&str> = (0..cells.len())
        .map(|column| if column == 0 { "---" } else { "---:" })
        .collect();
    format!("| {} |\n|{}|", cells.join(" | "), rule.join("|"))
}
