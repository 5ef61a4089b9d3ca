//! The ways to estimate one effect and its 95 % interval from the same blocks.

use coldsnake::stats::hodges_lehmann;
use coldsnake::stats::interval::{Estimate, Interval, Level};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::trial::{Row, Sample, Timed};

/// On which scale an estimator speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    Milliseconds,
    /// Natural logarithms.
    Logarithms,
}

impl Scale {
    /// How much of a time is effect, on this scale.
    pub fn added(self, Timed { ms, added }: Timed) -> f64 {
        match self {
            Self::Milliseconds => added,
            Self::Logarithms => (ms / (ms - added)).ln(),
        }
    }

    /// The one effect that was added in all blocks, if there is one.
    pub fn truth(self, added: &[f64]) -> Option<f64> {
        let is_constant = added.iter().all(|each| (each - added[0]).abs() < 1e-9);
        (self == Self::Milliseconds || is_constant)
            .then(|| hodges_lehmann::estimate(added, Level::P95))?
            .map(|truth| truth.estimate)
    }
}

/// Which time of a launch is looked at; nothing where a source does not know it.
type Time = fn(&Sample) -> Option<Timed>;

/// An estimator of the effect.
pub struct Estimator {
    pub name: &'static str,
    pub scale: Scale,
    time: Time,
    /// One number for each block.
    differences: fn(&[Row], Time) -> Option<Vec<f64>>,
    estimate: fn(&[f64]) -> Option<Estimate>,
}

pub const ALL: [Estimator; 11] = [
    Estimator {
        name: "HL on differences (the shift)",
        scale: Scale::Milliseconds,
        time: wall,
        differences: plain,
        estimate: hodges,
    },
    Estimator {
        name: "HL on logarithms (the ratio)",
        scale: Scale::Logarithms,
        time: wall,
        differences: logs,
        estimate: hodges,
    },
    Estimator {
        name: "mean of differences",
        scale: Scale::Milliseconds,
        time: wall,
        differences: plain,
        estimate: |d| trimmed(d, 0.0),
    },
    Estimator {
        name: "10 % trimmed mean of differences",
        scale: Scale::Milliseconds,
        time: wall,
        differences: plain,
        estimate: |d| trimmed(d, 0.1),
    },
    Estimator {
        name: "20 % trimmed mean of differences",
        scale: Scale::Milliseconds,
        time: wall,
        differences: plain,
        estimate: |d| trimmed(d, 0.2),
    },
    Estimator {
        name: "20 % trimmed mean of logarithms",
        scale: Scale::Logarithms,
        time: wall,
        differences: logs,
        estimate: |d| trimmed(d, 0.2),
    },
    Estimator {
        name: "HL on logarithms, twin and baseline averaged",
        scale: Scale::Logarithms,
        time: wall,
        differences: with_twin,
        estimate: hodges,
    },
    Estimator {
        name: "CPU time, HL on differences",
        scale: Scale::Milliseconds,
        time: cpu,
        differences: plain,
        estimate: hodges,
    },
    Estimator {
        name: "CPU time, HL on logarithms",
        scale: Scale::Logarithms,
        time: cpu,
        differences: logs,
        estimate: hodges,
    },
    Estimator {
        name: "HL on logarithms, one reference a block",
        scale: Scale::Logarithms,
        time: wall,
        differences: |rows, time| {
            let level: Option<Vec<f64>> = rows
                .iter()
                .map(|row| Some(row.first.real?.reference.ln()))
                .collect();
            let level = level?;
            let mean = level.iter().sum::<f64>() / level.len() as f64;
            let centred: Vec<f64> = level.iter().map(|x| x - mean).collect();
            Some(without(&logs(rows, time)?, &centred))
        },
        estimate: hodges,
    },
    Estimator {
        name: "HL on logarithms, a reference before each launch",
        scale: Scale::Logarithms,
        time: wall,
        differences: |rows, time| {
            let covariate: Option<Vec<f64>> = rows
                .iter()
                .map(|row| {
                    let (from, to) = (row.before.real?.reference, row.after.real?.reference);
                    Some((to / from).ln())
                })
                .collect();
            Some(without(&logs(rows, time)?, &covariate?))
        },
        estimate: hodges,
    },
];

impl Estimator {
    /// The estimate and its 95 % interval; `None` where the source does not know what it needs.
    pub fn of(&self, rows: &[Row]) -> Option<Estimate> {
        (self.estimate)(&(self.differences)(rows, self.time)?)
    }

    /// What was added to the scenario's launches. An effect in percent is another number of
    /// milliseconds in each block, and their pseudomedian is taken. The other way round there is no
    /// truth: what is constant in milliseconds may be any ratio on a machine whose speed changes.
    pub fn truth(&self, rows: &[Row]) -> Option<f64> {
        let added: Option<Vec<f64>> = rows
            .iter()
            .map(|row| Some(self.scale.added((self.time)(&row.after)?)))
            .collect();
        self.scale.truth(&added?)
    }

    /// Half of the interval's width, as a share of the time.
    pub fn relative_half_width(&self, rows: &[Row], interval: &Interval) -> Option<f64> {
        Some(match self.scale {
            Scale::Logarithms => interval.half_width().exp() - 1.0,
            Scale::Milliseconds => {
                let time = |row: &Row| Some((self.time)(&row.before)?.ms);
                let times: Option<Vec<f64>> = rows.iter().map(time).collect();
                interval.half_width() / coldsnake::stats::describe::median(&times?)?
            }
        })
    }
}

fn wall(sample: &Sample) -> Option<Timed> {
    Some(sample.wall)
}

fn cpu(sample: &Sample) -> Option<Timed> {
    sample.cpu
}

fn plain(rows: &[Row], time: Time) -> Option<Vec<f64>> {
    rows.iter()
        .map(|row| Some(time(&row.after)?.ms - time(&row.before)?.ms))
        .collect()
}

fn logs(rows: &[Row], time: Time) -> Option<Vec<f64>> {
    rows.iter()
        .map(|row| Some((time(&row.after)?.ms / time(&row.before)?.ms).ln()))
        .collect()
}

/// Against the geometric mean of baseline and twin.
fn with_twin(rows: &[Row], time: Time) -> Option<Vec<f64>> {
    rows.iter()
        .map(|row| {
            let baseline = (time(&row.before)?.ms * time(&row.twin)?.ms).sqrt();
            Some((time(&row.after)?.ms / baseline).ln())
        })
        .collect()
}

fn hodges(differences: &[f64]) -> Option<Estimate> {
    hodges_lehmann::estimate(differences, Level::P95)
}

/// The differences less what a covariate explains of them, by least squares around their median.
/// Where sign flips of a block turn both difference and covariate, the slope stays as it is, and
/// what is left is as symmetric as it was.
fn without(differences: &[f64], covariate: &[f64]) -> Vec<f64> {
    let Some(centre) = coldsnake::stats::describe::median(differences) else {
        return Vec::new();
    };
    let pairs = || differences.iter().zip(covariate);
    let squares: f64 = covariate.iter().map(|x| x * x).sum();
    let products: f64 = pairs().map(|(d, x)| (d - centre) * x).sum();
    let slope = if squares > 0.0 {
        products / squares
    } else {
        0.0
    };
    pairs().map(|(d, x)| d - slope * x).collect()
}

/// The mean without a share of the values at either end, and Student's interval from the
/// winsorised variance. Tukey & McLaughlin (1963), Sankhyā A 25, 331–352; Wilcox (2017),
/// "Introduction to Robust Estimation and Hypothesis Testing", section 4.3.
fn trimmed(differences: &[f64], share: f64) -> Option<Estimate> {
    let n = differences.len();
    let cut = (share * n as f64).floor() as usize;
    let kept = n.checked_sub(2 * cut).filter(|&kept| kept >= 2)?;
    let mut sorted = differences.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = &sorted[cut..n - cut];
    let mean = middle.iter().sum::<f64>() / kept as f64;
    let (low, high) = (middle[0], middle[kept - 1]);
    let winsorised: Vec<f64> = sorted.iter().map(|d| d.clamp(low, high)).collect();
    let centre = winsorised.iter().sum::<f64>() / n as f64;
    let squares: f64 = winsorised.iter().map(|d| (d - centre).powi(2)).sum();
    let deviation = (squares / (n as f64 - 1.0)).sqrt();
    let error = deviation * (n as f64).sqrt() / kept as f64;
    let quantile = StudentsT::new(0.0, 1.0, kept as f64 - 1.0)
        .ok()?
        .inverse_cdf(0.975);
    Some(Estimate {
        estimate: mean,
        interval: Interval::new(mean - quantile * error, mean + quantile * error),
    })
}
