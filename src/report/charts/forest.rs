//! What a scenario does on each host, one below the other, and on all of them: a forest plot.
//!
//! A row has the change in percent with its interval. Hosts are diamonds on bars; their mean is a diamond as wide as
//! its interval, with a thin line for where a further host lies. Shapes say it, colours only repeat it.

use plotters::backend::DrawingBackend;

use super::super::across::words;
use super::super::changes::less_one;
use super::super::draw::{ChartError, Drawing, Look, MARGIN, Scale, Sheet, WIDTH, fit};
use super::super::theme::Ink;
use super::heading::Heading;
use super::rows::Arrangement;
use super::{Body, Chart, axis};
use crate::analysis::{Across, By, Effect, Experiment};
use crate::stats::interval::{Estimate, Interval};

const STRIP: f64 = 20.0;
const GAP: f64 = 8.0;
const AXIS: f64 = 62.0;
/// More rows than this make no picture.
const MOST_ROWS: usize = 60;
/// Half the mean's diamond.
const HALF: f64 = 8.0;
const ONE: Ink = Ink::Scenario(0);
const ALL: Ink = Ink::Scenario(1);

/// A row for each member, and one for their mean.
#[derive(Debug, Clone)]
pub struct Forest {
    heading: Heading,
    rows: Vec<Row>,
    mean: Option<Mean>,
    axis: String,
}

#[derive(Debug, Clone)]
struct Row {
    name: String,
    facts: String,
    /// Percent.
    change: Option<Estimate>,
}

#[derive(Debug, Clone)]
struct Mean {
    row: Row,
    /// Percent.
    further: Option<Interval>,
    /// The same in words.
    beside: String,
}

/// The charts of all effects, experiment by experiment.
pub fn charts(across: &Across) -> Vec<Chart> {
    let of = |experiment: &Experiment| -> Vec<Chart> {
        let effects = experiment.effects.iter();
        effects
            .map(|effect| chart(effect, experiment, across.by))
            .collect()
    };
    across.experiments.iter().flat_map(of).collect()
}

fn chart(effect: &Effect, experiment: &Experiment, by: By) -> Chart {
    let title = words::title(effect, experiment, by);
    let mut notes = format!(
        "{}; {}. Diamonds on bars: change and 95 % interval of one {}.",
        words::heading(&experiment.common),
        words::subject(effect),
        by.word()
    );
    if let Some(pooled) = &effect.pooled {
        notes += &format!(" Wide diamond: mean of all {}.", by.words());
        if words::further(&pooled.ratio).is_some() {
            notes += &format!(" Thin line: where a further {} lies.", by.word());
        }
    }
    let (shown, _) = words::shown(effect, experiment, by);
    if shown.len() > MOST_ROWS {
        notes += &format!(
            " The first {MOST_ROWS} of {} are drawn.",
            words::count(shown.len() as u64, by)
        );
    }
    let rows = shown.into_iter().take(MOST_ROWS).map(|(member, row)| Row {
        name: member.name.clone(),
        facts: row.map_or("not measured".to_owned(), |row| {
            words::change_with_ends(&row.ratio)
        }),
        change: row.map(|row| hundredfold(&row.ratio)),
    });
    let mean = effect.pooled.map(|pooled| {
        let further = words::further(&pooled.ratio);
        Mean {
            row: Row {
                name: format!("Mean of {}", words::count(pooled.members.into(), by)),
                facts: words::change_with_ends(&pooled.ratio.mean),
                change: Some(hundredfold(&pooled.ratio.mean)),
            },
            beside: match &further {
                Some((_, ends)) => format!("a further {}: {ends} %", by.word()),
                None => format!("too few {} to tell of a further one", by.words()),
            },
            further: further.map(|(interval, _)| interval),
        }
    });
    Chart {
        name: format!(
            "forest-{}-{}-{}",
            effect.scenario, effect.baseline, effect.metric
        ),
        caption: effect
            .pooled
            .map_or_else(String::new, |pooled| words::heterogeneity(&pooled, by)),
        series: Vec::new(),
        of: Vec::new(),
        body: Body::Forest(Forest {
            heading: Heading::new(&title, &notes),
            rows: rows.collect(),
            mean,
            axis: format!(
                "% change of {} against {} (below zero: faster)",
                effect.scenario, effect.baseline
            ),
        }),
        title,
        notes,
    }
}

/// A ratio's change in percent.
fn hundredfold(ratio: &Estimate) -> Estimate {
    let share = less_one(ratio);
    Estimate {
        estimate: share.estimate * 100.0,
        interval: share
            .interval
            .and_then(|ends| Interval::new(ends.low() * 100.0, ends.high() * 100.0)),
    }
}

fn values(change: &Estimate) -> impl Iterator<Item = f64> {
    let ends = change.interval.map(|ends| [ends.low(), ends.high()]);
    ends.into_iter().flatten().chain([change.estimate])
}

impl Forest {
    fn arrangement(&self) -> Arrangement {
        let rows = self
            .rows
            .iter()
            .chain(self.mean.iter().map(|mean| &mean.row));
        Arrangement::of(rows.map(|row| (row.name.as_str(), row.facts.as_str())))
    }

    fn row_height(&self) -> f64 {
        self.arrangement().height() + STRIP + GAP
    }

    fn mean_height(&self) -> f64 {
        match self.mean {
            Some(_) => self.row_height() + GAP + Look::QUIET.line_height(),
            None => 0.0,
        }
    }

    /// Over all that was seen. Where a further host lies may be far more than that, and is cut off.
    fn scale(&self) -> Scale {
        let changes = self
            .rows
            .iter()
            .chain(self.mean.iter().map(|mean| &mean.row));
        let seen: Vec<f64> = changes
            .filter_map(|row| row.change.as_ref())
            .flat_map(values)
            .filter(|value| value.is_finite())
            .chain([0.0])
            .collect();
        let low = seen.iter().copied().fold(0.0, f64::min);
        let high = seen.iter().copied().fold(0.0, f64::max);
        let room = high - low;
        let further = self.mean.iter().filter_map(|mean| mean.further);
        let further = further.flat_map(|ends| {
            [
                ends.low().max(low - room / 2.0),
                ends.high().min(high + room / 2.0),
            ]
        });
        Scale::linear(
            seen.iter().copied().chain(further),
            MARGIN + 8.0,
            WIDTH - MARGIN - 8.0,
        )
    }

    /// The mean's diamond, and the line of a further host.
    fn draw_mean<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        mean: &Mean,
        scale: &Scale,
        middle: f64,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        if let Some(further) = mean.further {
            let ends = [further.low(), further.high()];
            let [left, right] = ends.map(|end| scale.clamped(end));
            sheet.line((left, middle), (right, middle), Ink::Text, 1.0)?;
            for (end, x, outward) in [(ends[0], left, -1.0), (ends[1], right, 1.0)] {
                if scale.holds(end) {
                    sheet.line((x, middle - 4.0), (x, middle + 4.0), Ink::Text, 1.0)?;
                } else {
                    // It goes on beyond the axis.
                    let tip = (x + outward * 6.0, middle);
                    sheet.polygon(&[(x, middle - 4.5), tip, (x, middle + 4.5)], Ink::Text, 1.0)?;
                }
            }
        }
        let Some(change) = &mean.row.change else {
            return Ok(());
        };
        let at = scale.clamped(change.estimate);
        let (low, high) = match change.interval {
            Some(ends) => (scale.clamped(ends.low()), scale.clamped(ends.high())),
            None => (at, at),
        };
        // A very narrow interval is still a diamond.
        let (low, high) = (low.min(at - 4.0), high.max(at + 4.0));
        let corners = [
            (low, middle),
            (at, middle - HALF),
            (high, middle),
            (at, middle + HALF),
        ];
        sheet.polygon(&corners, ALL, 1.0)
    }
}

impl Drawing for Forest {
    fn height(&self) -> f64 {
        self.heading.bottom()
            + self.rows.len() as f64 * self.row_height()
            + self.mean_height()
            + AXIS
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        self.heading.draw(sheet)?;
        let scale = self.scale();
        let arrangement = self.arrangement();
        let zero = scale.place(0.0);
        let mut top = self.heading.bottom();
        for row in &self.rows {
            arrangement.draw(sheet, (&row.name, &row.facts), Ink::Text, top)?;
            let strip = (
                top + arrangement.height(),
                top + arrangement.height() + STRIP,
            );
            axis::grid(sheet, &scale, strip)?;
            sheet.line((zero, strip.0), (zero, strip.1), Ink::Quiet, 1.5)?;
            if let Some(mean) = self.mean.as_ref().and_then(|mean| mean.row.change) {
                let x = scale.clamped(mean.estimate);
                sheet.dashes((x, strip.0), (x, strip.1), ALL, 1.0)?;
            }
            if let Some(change) = row.change.filter(|change| change.estimate.is_finite()) {
                let ends = change
                    .interval
                    .map(|ends| (scale.clamped(ends.low()), scale.clamped(ends.high())));
                let at = (scale.clamped(change.estimate), (strip.0 + strip.1) / 2.0);
                sheet.estimate(at, ends, ONE)?;
            }
            top += self.row_height();
        }
        if let Some(mean) = &self.mean {
            sheet.line((MARGIN, top), (WIDTH - MARGIN, top), Ink::Faint, 1.0)?;
            top += GAP;
            arrangement.draw(sheet, (&mean.row.name, &mean.row.facts), ALL, top)?;
            let strip = (
                top + arrangement.height(),
                top + arrangement.height() + STRIP,
            );
            axis::grid(sheet, &scale, strip)?;
            sheet.line((zero, strip.0), (zero, strip.1), Ink::Quiet, 1.5)?;
            self.draw_mean(sheet, mean, &scale, (strip.0 + strip.1) / 2.0)?;
            let below = strip.1 + 16.0;
            sheet.text(WIDTH - MARGIN, below, &mean.beside, Look::QUIET.right())?;
            top += self.row_height() + Look::QUIET.line_height();
        }
        let meaning = fit(&self.axis, Look::QUIET, WIDTH - 2.0 * MARGIN);
        axis::below(sheet, &scale, top + 2.0, &meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::across::fixture;
    use super::super::super::theme::Theme;
    use super::*;

    #[test]
    fn a_forest_of_any_number_of_hosts_can_be_drawn_and_names_all_of_them() {
        for count in [1, 2, 3, 12] {
            let across = fixture::hosts(count);
            let charts = charts(&across);
            assert_eq!(charts.len(), 2);
            for chart in charts {
                let svg = chart.svg().unwrap();
                for member in &across.experiments[0].members {
                    assert!(svg.contains(&format!(">{}</text>", member.name)), "{count}");
                }
                assert_eq!(svg.contains("Mean of"), count > 1);
                assert!(chart.png(Theme::Dark).unwrap().starts_with(b"\x89PNG"));
            }
        }
    }

    #[test]
    fn so_many_hosts_that_nobody_would_scroll_over_them_are_not_all_drawn() {
        let chart = &charts(&fixture::hosts(500))[0];
        assert!(
            chart
                .notes
                .ends_with("The first 60 of 500 hosts are drawn.")
        );
        let svg = chart.svg().unwrap();
        assert!(svg.contains(">web-60.") && !svg.contains(">web-61."));
        assert!(svg.contains("Mean of 500 hosts"));
    }

    #[test]
    fn a_title_says_what_was_found_and_whether_hosts_agree() {
        let across = fixture::hosts(12);
        let titles: Vec<String> = charts(&across)
            .into_iter()
            .map(|chart| chart.title)
            .collect();
        assert!(
            titles[0].contains("slower than warm over 12 hosts"),
            "{titles:?}"
        );
        assert!(titles[0].contains("hosts differ by more than chance"));
        assert!(
            titles[1].contains("faster than warm over 12 hosts"),
            "{titles:?}"
        );
        assert!(titles[1].contains("do not differ by more than chance"));
    }
}
