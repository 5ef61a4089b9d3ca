//! What launches of one program take while nothing about it changes: traces of real ones, and noise
//! of known kinds.

use crate::stats_noise::Noise;

/// What one launch took, before any effect is added. Milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub wall: f64,
    /// The rest is known of real launches only.
    pub real: Option<Real>,
}

/// What a trace knows besides the time.
#[derive(Debug, Clone, Copy)]
pub struct Real {
    pub cpu: f64,
    /// Wall time of the reference that was launched just before.
    pub reference: f64,
}

/// Where the times come from.
pub enum Source {
    Trace {
        name: &'static str,
        readings: Vec<Reading>,
    },
    Synthetic {
        name: &'static str,
        /// Hands on the machine's state, which a launch may change, and returns the time as a
        /// multiple of [`BASE_MS`].
        next: fn(&mut Noise, &mut f64) -> f64,
    },
}

/// What a launch takes without noise, where there is no trace.
const BASE_MS: f64 = 100.0;

/// The plan of a run draws from the same generator: its order must know nothing of the noise.
const APART: u64 = 1 << 40;

/// Recorded by `scripts/traces`; see benches/traces/README.md.
const TRACES: [(&str, &str); 4] = [
    ("short, busy", include_str!("../traces/short-busy.csv")),
    ("long, busy", include_str!("../traces/long-busy.csv")),
    (
        "short, overloaded",
        include_str!("../traces/short-overloaded.csv"),
    ),
    (
        "long, overloaded",
        include_str!("../traces/long-overloaded.csv"),
    ),
];

impl Source {
    /// All of them, real ones first.
    pub fn all() -> Vec<Self> {
        let traces = TRACES.map(|(name, text)| Self::Trace {
            name,
            readings: readings(text),
        });
        let synthetic = [
            ("steady 3 %", steady as fn(&mut Noise, &mut f64) -> f64),
            ("AR(1) 10 %", autoregressive),
            ("random walk", walk),
            ("two speeds", bimodal),
            ("t3 tails", heavy),
            ("spikes", spikes),
        ]
        .map(|(name, next)| Self::Synthetic { name, next });
        traces.into_iter().chain(synthetic).collect()
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Trace { name, .. } | Self::Synthetic { name, .. } => name,
        }
    }

    /// One launch after the other, from a random moment on. A trace begins anew at its end.
    pub fn stream(&self, seed: u64) -> Box<dyn FnMut() -> Reading + '_> {
        let mut noise = Noise::seeded(seed + APART);
        match self {
            Self::Trace { readings, .. } => {
                let mut place = noise.below(readings.len());
                Box::new(move || {
                    place = (place + 1) % readings.len();
                    readings[place]
                })
            }
            Self::Synthetic { next, .. } => {
                let mut state = noise.normal();
                Box::new(move || Reading {
                    wall: BASE_MS * next(&mut noise, &mut state),
                    real: None,
                })
            }
        }
    }
}

fn readings(text: &str) -> Vec<Reading> {
    let reading = |line: &str| {
        let fields: Vec<f64> = line
            .split(',')
            .map(|field| field.parse().expect("a trace holds numbers"))
            .collect();
        let [wall, cpu, reference] = fields[..] else {
            panic!("a trace has three columns: {line}");
        };
        Reading {
            wall: wall / 1e3,
            real: Some(Real {
                cpu: cpu / 1e3,
                reference: reference / 1e3,
            }),
        }
    };
    text.lines().skip(1).map(reading).collect()
}

/// Independent launches, log-normal.
fn steady(noise: &mut Noise, _: &mut f64) -> f64 {
    (0.03 * noise.normal()).exp()
}

/// The machine's speed has a memory of 0.8 from one launch to the next, as measured.
fn autoregressive(noise: &mut Noise, state: &mut f64) -> f64 {
    *state = 0.8 * *state + 0.6 * noise.normal();
    (0.10 * *state + 0.02 * noise.normal()).exp()
}

/// The machine's speed goes anywhere between half and double.
fn walk(noise: &mut Noise, state: &mut f64) -> f64 {
    *state = (*state + noise.normal()).clamp(-70.0, 70.0);
    (0.01 * *state + 0.02 * noise.normal()).exp()
}

/// Two in five launches take 30 % more.
fn bimodal(noise: &mut Noise, _: &mut f64) -> f64 {
    let speed = if noise.uniform() < 0.4 { 1.3 } else { 1.0 };
    speed * (0.02 * noise.normal()).exp()
}

fn heavy(noise: &mut Noise, _: &mut f64) -> f64 {
    (0.03 * noise.t3()).exp()
}

/// One in ten launches takes more, by a third or by a multiple.
fn spikes(noise: &mut Noise, _: &mut f64) -> f64 {
    let spike = if noise.uniform() < 0.1 {
        0.3 * noise.log_normal()
    } else {
        0.0
    };
    (0.03 * noise.normal()).exp() * (1.0 + spike)
}
