//! Effects, member by member and over all hosts.

use rayon::prelude::*;

use super::super::blocks::Pairs;
use super::super::contrasts::pairs;
use super::super::procedure::Procedure;
use super::groups::{Group, Named, Piece, Side};
use super::{By, Effect, Pool, Pooled, Row};
use crate::stats::describe::median;
use crate::stats::interval::{Estimate, Interval, Level};
use crate::stats::meta_analysis::{GroupEffect, PooledEffect, pool};
use crate::stats::multiple;
use crate::suite::Metric;

/// What is compared, as it is called beside others.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    pub baseline: String,
    pub scenario: String,
    pub metric: Metric,
}

impl Subject {
    fn of(named: &Named) -> Self {
        Self {
            baseline: named.baseline.clone(),
            scenario: named.scenario.clone(),
            metric: named.spec.metric,
        }
    }

    /// The contrast of a record that it is.
    pub fn find<'a>(&self, piece: &'a Piece) -> Option<&'a Named> {
        let mut contrasts = piece.contrasts.iter();
        contrasts.find(|named| Self::of(named) == *self)
    }
}

/// All effects of an experiment, in the order of its suites.
pub fn effects(group: &Group, by: By) -> Vec<Effect> {
    let mut subjects: Vec<Subject> = Vec::new();
    for side in &group.members {
        for named in side.pieces.iter().flat_map(|piece| &piece.contrasts) {
            let subject = Subject::of(named);
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
    }
    subjects
        .par_iter()
        .map(|subject| effect(group, subject, by))
        .collect()
}

fn effect(group: &Group, subject: &Subject, by: By) -> Effect {
    let measured: Vec<Option<Measured>> = group
        .members
        .iter()
        .map(|side| Measured::of(side, subject))
        .collect();
    let pooled = match by {
        By::Host => pooled(&measured),
        By::Interpreter | By::App => None,
    };
    let alone = measured.iter().enumerate().filter(|(_, each)| {
        let each = each.as_ref();
        by == By::Host && each.is_some_and(|each| each.shift.is_none() || each.log_ratio.is_none())
    });
    Effect {
        baseline: subject.baseline.clone(),
        scenario: subject.scenario.clone(),
        metric: subject.metric,
        rows: measured
            .iter()
            .map(|each| each.as_ref().map(|each| each.row))
            .collect(),
        pooled,
        without_error: alone.map(|(index, _)| index).collect(),
    }
}

/// A member's effect, and as the pool takes it.
struct Measured {
    row: Row,
    /// At this level, as all hosts have the same suite.
    level: Level,
    shift: Option<GroupEffect>,
    log_ratio: Option<GroupEffect>,
}

impl Measured {
    fn of(side: &Side, subject: &Subject) -> Option<Self> {
        let mut together = Pairs::default();
        let mut first = None;
        for piece in &side.pieces {
            let Some(named) = subject.find(piece) else {
                continue;
            };
            first.get_or_insert(piece);
            together.times.extend(pairs_of(piece, named).times);
        }
        let piece = first?;
        let beside = piece.contrasts.iter();
        let beside = beside.filter(|named| named.spec.metric == subject.metric);
        let level = multiple::bonferroni(Level::P95, beside.count());
        let procedure = Procedure::of(&piece.given.record.suite);
        let differences = together.differences_ms();
        let both = together.both_ms();
        let row = Row {
            blocks: differences.len() as u32,
            baseline_median_ms: median(&together.first_ms())?,
            shift_ms: procedure.estimate(&differences, level)?,
            ratio: procedure.ratio(&both, level)?,
        };
        // By the interval at 95 %, which there is before there is one at the level of several.
        let shift = procedure.estimate(&differences, Level::P95);
        let ratio = procedure.ratio(&both, Level::P95);
        let n = differences.len();
        Some(Self {
            row,
            level,
            shift: shift.and_then(|each| group_effect(&each, n)),
            log_ratio: ratio
                .and_then(|each| logarithm(&each))
                .and_then(|each| group_effect(&each, n)),
        })
    }
}

/// The pairs of launches that a record has of a contrast.
pub fn pairs_of(piece: &Piece, named: &Named) -> Pairs {
    pairs(&piece.blocks, &named.spec)
}

/// What a record by itself says of a shift, in milliseconds.
pub fn shift_of(piece: &Piece, named: &Named) -> Option<GroupEffect> {
    let differences = pairs_of(piece, named).differences_ms();
    let procedure = Procedure::of(&piece.given.record.suite);
    group_effect(
        &procedure.estimate(&differences, Level::P95)?,
        differences.len(),
    )
}

/// By an estimate with its interval at 95 %, of so many differences.
fn group_effect(estimate: &Estimate, n: usize) -> Option<GroupEffect> {
    GroupEffect::from_interval(estimate.estimate, estimate.interval?, n, Level::P95)
}

fn logarithm(ratio: &Estimate) -> Option<Estimate> {
    let interval = ratio.interval?;
    Some(Estimate {
        estimate: ratio.estimate.ln(),
        interval: Interval::new(interval.low().ln(), interval.high().ln()),
    })
}

fn pooled(measured: &[Option<Measured>]) -> Option<Pooled> {
    let usable: Vec<(&Measured, GroupEffect, GroupEffect)> = measured
        .iter()
        .flatten()
        .filter_map(|each| Some((each, each.shift?, each.log_ratio?)))
        .collect();
    let level = usable.first()?.0.level;
    let shifts: Vec<GroupEffect> = usable.iter().map(|(_, shift, _)| *shift).collect();
    let logs: Vec<GroupEffect> = usable.iter().map(|(_, _, log)| *log).collect();
    let (shift, log) = (pool(&shifts, level)?, pool(&logs, level)?);
    Some(Pooled {
        members: usable.len() as u32,
        blocks: usable.iter().map(|(each, ..)| each.row.blocks).sum(),
        shift_ms: Pool::of(&shift, |value| value),
        ratio: Pool::of(&log, f64::exp),
    })
}

impl Pool {
    fn of(pooled: &PooledEffect, scale: fn(f64) -> f64) -> Self {
        let scaled = |ends: Interval| Interval::new(scale(ends.low()), scale(ends.high()));
        Self {
            mean: Estimate {
                estimate: scale(pooled.estimate),
                interval: scaled(pooled.interval),
            },
            prediction: pooled.prediction.and_then(scaled),
            tau: pooled.tau,
            heterogeneity: pooled.heterogeneity,
        }
    }
}
