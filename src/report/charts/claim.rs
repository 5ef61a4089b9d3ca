//! What a claim says, beside what every block showed.

use plotters::backend::DrawingBackend;

use super::super::draw::{
    ChartError, Drawing, Fill, Look, MARGIN, Part, Scale, Sheet, WIDTH, fit, swarm, thinned, width,
};
use super::super::numbers::{self, ends};
use super::super::theme::Ink;
use super::super::words;
use super::heading::Heading;
use super::samples::{colour, fences, places};
use super::series::{Series, Values};
use super::{Body, Chart};
use super::{axis, band};
use crate::analysis::{Analysis, DecidedEffect, Decision};
use crate::record::Record;
use crate::suite::Metric;

const RADIUS: f64 = 3.5;
const DOTS: f64 = 66.0;
/// Between the dots and the claims.
const GAP: f64 = 10.0;
/// A claim's id and verdict, and its text.
const NAME: f64 = 46.0;
const STRIP: f64 = 26.0;
const ROW: f64 = NAME + STRIP + 12.0;
const AXIS: f64 = 62.0;
const MOST: usize = 2000;

/// The differences of one pair of scenarios, and the claims on it.
#[derive(Debug, Clone)]
pub struct ClaimChart {
    heading: Heading,
    /// What each block saved.
    savings_ms: Vec<f64>,
    claims: Vec<(Decision, DecidedEffect)>,
    colour: usize,
    /// The pair's places in the suite.
    of: Vec<usize>,
}

/// A chart for each pair that claims are on, in the order of the claims.
pub fn charts(record: &Record, analysis: &Analysis) -> Vec<Chart> {
    let mut pairs: Vec<Vec<(Decision, DecidedEffect)>> = Vec::new();
    for claim in &analysis.claims {
        let Some(effect) = &claim.effect else {
            continue;
        };
        let claim = (claim.clone(), effect.clone());
        match pairs
            .iter_mut()
            .find(|pair| pair_of(&pair[0].1) == pair_of(effect))
        {
            Some(pair) => pair.push(claim),
            None => pairs.push(vec![claim]),
        }
    }
    pairs
        .into_iter()
        .filter_map(|claims| chart(record, analysis, claims))
        .collect()
}

fn pair_of(effect: &DecidedEffect) -> (&str, &str, Metric) {
    (&effect.from, &effect.to, effect.metric)
}

fn chart(
    record: &Record,
    analysis: &Analysis,
    claims: Vec<(Decision, DecidedEffect)>,
) -> Option<Chart> {
    let (first, effect) = claims.first()?;
    let (blocks, savings_ms): (Vec<u32>, Vec<f64>) = savings(analysis, effect).into_iter().unzip();
    let bands: Vec<String> = claims
        .iter()
        .map(|(_, each)| words::band(each.band_ms))
        .collect();
    let title = format!(
        "{}; {} {}",
        words::found(&effect.to, &first.measured),
        match bands.len() {
            1 => "the claim says",
            _ => "the claims say",
        },
        bands.join(" and ")
    );
    let notes = format!(
        "{} against {}, {}. Each dot: one of {} blocks; diamond and bar: estimate and interval; \
         shaded: the claim.",
        effect.to,
        effect.from,
        words::metric_label(effect.metric, &record.suite),
        numbers::fixed(savings_ms.len() as f64, 0),
    );
    let verdicts: Vec<String> = claims
        .iter()
        .map(|(claim, _)| {
            format!(
                "{} is {}: {}, {}.",
                claim.id,
                words::verdict(claim.verdict),
                claim.measured,
                claim.reason
            )
        })
        .collect();
    Some(Chart {
        name: format!("claim-{}", first.id),
        caption: verdicts.join(" "),
        series: vec![series(effect, &blocks, &savings_ms)],
        of: places(record, [&effect.from, &effect.to]),
        body: Body::Claim(ClaimChart {
            heading: Heading::new(&title, &notes),
            savings_ms,
            colour: colour(&record.suite, &effect.to),
            of: places(record, [&effect.from, &effect.to]),
            claims,
        }),
        title,
        notes,
    })
}

/// The pair's differences as savings, whichever way round the analysis holds them.
fn savings(analysis: &Analysis, effect: &DecidedEffect) -> Vec<(u32, f64)> {
    let same = |a: &str, b: &str| {
        analysis
            .contrasts
            .iter()
            .find(|each| each.metric == effect.metric && each.baseline == a && each.scenario == b)
    };
    let (contrast, sign) = match same(&effect.from, &effect.to) {
        Some(contrast) => (Some(contrast), -1.0),
        None => (same(&effect.to, &effect.from), 1.0),
    };
    let Some(contrast) = contrast else {
        return Vec::new();
    };
    let blocks = contrast.differences_in.iter().copied();
    blocks
        .zip(contrast.differences_ms.iter().map(|ms| sign * ms))
        .filter(|(_, ms)| ms.is_finite())
        .collect()
}

fn series(effect: &DecidedEffect, blocks: &[u32], savings_ms: &[f64]) -> Series {
    let every = thinned(savings_ms.len(), MOST);
    Series {
        label: format!("{} → {}", effect.from, effect.to),
        metric: effect.metric,
        blocks: blocks.iter().copied().step_by(every).collect(),
        values: Values::Savings(savings_ms.iter().copied().step_by(every).collect()),
    }
}

impl ClaimChart {
    fn scale(&self) -> Scale {
        let fenced = fences(self.savings_ms.iter().copied()).map(|(low, high)| [low, high]);
        let known = self.claims.iter().flat_map(|(_, effect)| {
            let (low, high) = ends(&effect.saving_ms).unzip();
            [effect.band_ms.low, effect.band_ms.high, low, high]
                .into_iter()
                .flatten()
                .chain([effect.saving_ms.estimate])
        });
        Scale::linear(
            known.chain(fenced.into_iter().flatten()).chain([0.0]),
            MARGIN + RADIUS,
            WIDTH - MARGIN - RADIUS,
        )
    }

    /// What the dots alone do not say.
    fn note(&self, scale: &Scale) -> String {
        let every = thinned(self.savings_ms.len(), MOST);
        let beyond: Vec<String> = self
            .savings_ms
            .iter()
            .step_by(every)
            .filter(|ms| !scale.holds(**ms))
            .map(|ms| numbers::signed(*ms, 0))
            .collect();
        let mut notes = Vec::new();
        if self.savings_ms.is_empty() {
            notes.push("No complete pair of launches.".to_owned());
        }
        if every > 1 {
            notes.push(format!("Every {every}th block is shown."));
        }
        if !beyond.is_empty() {
            notes.push(format!(
                "Rings lie beyond the axis: {} ms",
                beyond.join(", ")
            ));
        }
        notes.join(" ")
    }

    fn note_height(&self) -> f64 {
        match self.note(&self.scale()).is_empty() {
            true => 0.0,
            false => 24.0,
        }
    }

    /// Where the claims begin, below the dots.
    fn first_row(&self) -> f64 {
        self.heading.bottom() + self.note_height() + DOTS + GAP
    }

    fn draw_dots<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        scale: &Scale,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let top = self.heading.bottom();
        let note = fit(&self.note(scale), Look::QUIET, WIDTH - 2.0 * MARGIN);
        sheet.text(MARGIN, top + 12.0, &note, Look::QUIET)?;
        let middle = top + self.note_height() + DOTS / 2.0;
        let every = thinned(self.savings_ms.len(), MOST);
        let shown = || self.savings_ms.iter().step_by(every);
        let places: Vec<f64> = shown().map(|ms| scale.clamped(*ms)).collect();
        let offsets = swarm(&places, RADIUS, DOTS / 2.0 - RADIUS - 4.0);
        let dots: Vec<_> = shown()
            .zip(&places)
            .zip(offsets)
            .map(|((ms, x), offset)| {
                let fill = match scale.holds(*ms) {
                    true => Fill::Solid,
                    false => Fill::Outline,
                };
                ((*x, middle + offset), fill)
            })
            .collect();
        let part = Part::Marks {
            row: 0,
            of: &self.of,
        };
        sheet.part(part, |sheet| {
            sheet.dots(&dots, RADIUS, Ink::Scenario(self.colour))
        })
    }

    fn draw_claim<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        (claim, effect): &(Decision, DecidedEffect),
        scale: &Scale,
        top: f64,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let verdict = words::verdict(claim.verdict);
        let bold = Look::LABEL.bold();
        let room = WIDTH - 2.0 * MARGIN;
        let id_room = room - width(verdict, bold) - 16.0;
        sheet.text(MARGIN, top + 16.0, &fit(&claim.id, bold, id_room), bold)?;
        sheet.text(WIDTH - MARGIN, top + 16.0, verdict, bold.right())?;
        let text = format!("\u{201c}{}\u{201d}", claim.text);
        let text = fit(&text, Look::QUIET, room);
        sheet.text(MARGIN, top + 37.0, &text, Look::QUIET)?;
        let middle = top + NAME + STRIP / 2.0;
        let ink = Ink::Scenario(self.colour);
        let interval = ends(&effect.saving_ms).map(|(l, h)| (scale.clamped(l), scale.clamped(h)));
        if effect.saving_ms.estimate.is_finite() {
            sheet.estimate(
                (scale.clamped(effect.saving_ms.estimate), middle),
                interval,
                ink,
            )?;
        }
        Ok(())
    }
}

impl Drawing for ClaimChart {
    fn height(&self) -> f64 {
        self.first_row() + self.claims.len() as f64 * ROW + AXIS
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        self.heading.draw(sheet)?;
        let scale = self.scale();
        let rows: Vec<f64> = (0..self.claims.len())
            .map(|index| self.first_row() + index as f64 * ROW)
            .collect();
        let strip = |row: &f64| (row + NAME, row + NAME + STRIP);
        let dots = (self.first_row() - GAP - DOTS, self.first_row() - GAP);
        for area in rows.iter().map(strip).chain([dots]) {
            axis::grid(sheet, &scale, area)?;
        }
        for ((_, effect), row) in self.claims.iter().zip(&rows) {
            // Behind the dots too, so that they can be compared with the band.
            band::draw(sheet, effect.band_ms, &scale, (dots, 0.14))?;
            band::draw(sheet, effect.band_ms, &scale, (strip(row), 0.4))?;
        }
        let zero = scale.place(0.0);
        for (top, bottom) in rows.iter().map(strip).chain([dots]) {
            sheet.line((zero, top), (zero, bottom), Ink::Quiet, 1.5)?;
        }
        let taken = ends_around(&self.claims, &scale);
        for (claim, row) in self.claims.iter().zip(&rows) {
            self.draw_claim(sheet, claim, &scale, *row)?;
            band::label(
                sheet,
                claim.1.band_ms,
                &scale,
                row + NAME + STRIP / 2.0,
                taken,
            )?;
        }
        let bottom = self.first_row() + rows.len() as f64 * ROW - 6.0;
        axis::below(sheet, &scale, bottom, "ms saved (below zero: slower)")?;
        self.draw_dots(sheet, &scale)
    }
}

/// What the estimates' marks cover, over all claims of the chart.
fn ends_around(claims: &[(Decision, DecidedEffect)], scale: &Scale) -> Option<(f64, f64)> {
    claims
        .iter()
        .filter(|(_, effect)| effect.saving_ms.estimate.is_finite())
        .map(|(_, effect)| {
            let at = effect.saving_ms.estimate;
            let (low, high) = ends(&effect.saving_ms).unwrap_or((at, at));
            (scale.clamped(low.min(at)), scale.clamped(high.max(at)))
        })
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
