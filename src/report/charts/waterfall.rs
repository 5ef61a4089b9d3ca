//! A typical traced launch: each module from when it was looked for until it was done with, and what its
//! own time went into.

use std::time::Duration;

use plotters::backend::DrawingBackend;

use super::super::attached::{TracedModule, TracedScenario};
use super::super::draw::{ChartError, Drawing, Look, MARGIN, Scale, Sheet, WIDTH, fit, width};
use super::super::numbers;
use super::super::theme::Ink;
use super::heading::Heading;
use super::{Body, Chart, axis};
use crate::trace::{Kind, Lane, Part, Phase, Place, Profile, ms, slices};

/// Modules that are drawn, those that lasted longest.
const MOST: usize = 40;
/// From one row to the next.
const ROW: f64 = 21.0;
const BAR: f64 = 11.0;
const LEFT: f64 = MARGIN + 168.0;
const RIGHT: f64 = WIDTH - MARGIN - 116.0;
const LEGEND: f64 = 24.0;
const AXIS: f64 = 56.0;
/// Stretches closer than this are drawn as one.
const CLOSE: f64 = 0.4;
const SMALL: Look = Look {
    size: 13.0,
    ..Look::QUIET
};

/// What is told apart by a colour, and its name.
const KINDS: [(&str, Ink); 7] = [
    ("execute", Ink::Scenario(0)),
    ("compile", Ink::Scenario(1)),
    ("unmarshal", Ink::Scenario(2)),
    ("read", Ink::Scenario(3)),
    ("find", Ink::Scenario(4)),
    ("dlopen", Ink::Scenario(5)),
    ("rest", Ink::Scenario(6)),
];

/// The colour of a node's own time.
fn ink(kind: Kind) -> Ink {
    let name = match kind {
        Kind::Execute => "execute",
        Kind::Compile => "compile",
        Kind::Unmarshal => "unmarshal",
        Kind::Read => "read",
        Kind::Find => "find",
        Kind::Dlopen => "dlopen",
        Kind::Import | Kind::Write | Kind::Tracer => "rest",
    };
    let known = KINDS.iter().find(|(each, _)| *each == name);
    known.map_or(Ink::Quiet, |(_, ink)| *ink)
}

/// A stretch of a row, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: f64,
    to: f64,
    ink: Ink,
}

#[derive(Debug, Clone)]
struct Row {
    name: String,
    facts: String,
    /// From the first to the last moment, in milliseconds.
    span: (f64, f64),
    stretches: Vec<Stretch>,
}

/// Rows of modules over the launch's time.
#[derive(Debug, Clone)]
pub struct Waterfall {
    heading: Heading,
    rows: Vec<Row>,
    /// Of the launch, in milliseconds.
    total: f64,
}

/// The chart of a scenario's typical launch.
pub fn chart(profile: &Profile) -> Chart {
    let total = ms(profile.typical.total);
    let title = format!(
        "A traced launch of {} under {}, module by module",
        numbers::time(total) + " ms",
        profile.scenario
    );
    let notes = "From the spawn on. A module's row is grey from when it was looked for until it was \
                 done with; coloured is its own time. At the right, what that was mostly.";
    let rows = rows(profile);
    let modules = profile.typical.modules.keys();
    let there = modules.filter(|(place, _)| *place == Place::Path).count();
    let caption = match there.saturating_sub(MOST) {
        0 => String::new(),
        left_out => format!("The {left_out} shortest modules are left out."),
    };
    Chart {
        name: format!("waterfall-{}", profile.scenario),
        caption,
        series: Vec::new(),
        of: Vec::new(),
        body: Body::Waterfall(Waterfall {
            heading: Heading::new(&title, notes),
            rows,
            total,
        }),
        title,
        notes: notes.to_owned(),
    }
}

/// The chart of a scenario of a `trace.json`, which holds each module's medians and no single launch.
pub fn chart_of_file(scenario: &TracedScenario) -> Chart {
    let ends = scenario.modules.iter();
    let last = ends.map(|module| module.begin_ms + module.inclusive_ms);
    let total = last.fold(scenario.traced_ms, f64::max);
    let title = format!(
        "Traced launches of {} ms under {}, module by module",
        numbers::time(scenario.traced_ms),
        scenario.name
    );
    let notes = "From the spawn on, medians. A module's row is grey from when it was looked for until \
                 it was done with; its own time is coloured, put together at the row's beginning. At \
                 the right, what that was mostly.";
    let mut modules: Vec<&TracedModule> = scenario
        .modules
        .iter()
        .filter(|module| module.place == Place::Path.name())
        .collect();
    let left_out = modules.len().saturating_sub(MOST);
    modules.sort_by(|a, b| b.inclusive_ms.total_cmp(&a.inclusive_ms));
    modules.truncate(MOST);
    modules.sort_by(|a, b| a.begin_ms.total_cmp(&b.begin_ms));
    Chart {
        name: format!("waterfall-{}", scenario.name),
        caption: match left_out {
            0 => String::new(),
            _ => format!("The {left_out} shortest modules are left out."),
        },
        series: Vec::new(),
        of: Vec::new(),
        body: Body::Waterfall(Waterfall {
            heading: Heading::new(&title, notes),
            rows: modules.into_iter().map(row_of_file).collect(),
            total,
        }),
        title,
        notes: notes.to_owned(),
    }
}

fn row_of_file(module: &TracedModule) -> Row {
    let time = |name: &str| module.phases_ms.get(name).and_then(|ms| ms.as_f64());
    let mut at = module.begin_ms;
    let mut stretches = Vec::new();
    let mut most = ("execute", 0.0);
    for name in Phase::ALL.map(Phase::name) {
        let Some(ms) = time(name) else {
            continue;
        };
        if ms > most.1 {
            most = (name, ms);
        }
        let known = KINDS.iter().find(|(kind, _)| *kind == name);
        stretches.push(Stretch {
            from: at,
            to: at + ms,
            ink: known.map_or(Ink::Scenario(6), |(_, ink)| *ink),
        });
        at += ms;
    }
    Row {
        name: module.name.clone(),
        facts: format!("{} {}", most.0, numbers::time(most.1)),
        span: (module.begin_ms, module.begin_ms + module.inclusive_ms),
        stretches,
    }
}

fn rows(profile: &Profile) -> Vec<Row> {
    let account = &profile.typical;
    let Some(path) = account.lanes.first() else {
        return Vec::new();
    };
    let mut modules: Vec<_> = account
        .modules
        .iter()
        .filter(|((place, _), _)| *place == path.place)
        .map(|((_, name), module)| (name, module))
        .collect();
    modules.sort_by(|a, b| {
        let by_time = b.1.inclusive.cmp(&a.1.inclusive);
        by_time.then_with(|| a.0.cmp(b.0))
    });
    modules.truncate(MOST);
    modules.sort_by(|a, b| (a.1.begin, a.0).cmp(&(b.1.begin, b.0)));
    let whole = |name: &str, from: Duration, to: Duration| Row {
        name: name.to_owned(),
        facts: format!("{} ms", numbers::time(ms(to.saturating_sub(from)))),
        span: (ms(from), ms(to)),
        stretches: vec![Stretch {
            from: ms(from),
            to: ms(to),
            ink: Ink::Scenario(6),
        }],
    };
    let mut rows = vec![whole(Part::Start.name(), Duration::ZERO, path.begin)];
    let all = stretches(path);
    for (name, module) in modules {
        let own = all.iter().filter(|(owner, _)| *owner == name.as_str());
        let mut most = (Phase::Execute, Duration::ZERO);
        for phase in Phase::ALL {
            if module.phases[phase as usize] > most.1 {
                most = (phase, module.phases[phase as usize]);
            }
        }
        rows.push(Row {
            name: name.clone(),
            facts: format!("{} {}", most.0, numbers::time(ms(most.1))),
            span: (ms(module.begin), ms(module.end)),
            stretches: own.map(|(_, stretch)| *stretch).collect(),
        });
    }
    if path.end < account.total {
        rows.push(whole(Part::End.name(), path.end, account.total));
    }
    rows
}

/// Whose each stretch of the path is.
fn stretches(path: &Lane) -> Vec<(&str, Stretch)> {
    slices(&path.nodes)
        .into_iter()
        .map(|slice| {
            let node = &path.nodes[slice.node];
            let stretch = Stretch {
                from: ms(slice.begin),
                to: ms(slice.end),
                ink: ink(node.kind),
            };
            (node.module.as_str(), stretch)
        })
        .collect()
}

impl Drawing for Waterfall {
    fn height(&self) -> f64 {
        self.heading.bottom() + LEGEND + self.rows.len() as f64 * ROW + AXIS
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        self.heading.draw(sheet)?;
        let top = self.heading.bottom();
        let mut x = MARGIN;
        for (name, ink) in KINDS {
            sheet.rectangle((x, top - 2.0), (x + 10.0, top + 8.0), ink, 1.0)?;
            sheet.text(x + 14.0, top + 8.0, name, SMALL)?;
            x += 24.0 + width(name, SMALL);
        }
        let top = top + LEGEND;
        let bottom = top + self.rows.len() as f64 * ROW;
        let time = Scale::exact(0.0, self.total, LEFT, RIGHT);
        axis::grid(sheet, &time, (top, bottom))?;
        axis::below(sheet, &time, bottom, "ms since the spawn")?;
        for (index, row) in self.rows.iter().enumerate() {
            let middle = top + index as f64 * ROW + ROW / 2.0;
            self.draw_row(sheet, row, &time, middle)?;
        }
        Ok(())
    }
}

impl Waterfall {
    fn draw_row<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        row: &Row,
        time: &Scale,
        middle: f64,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let name = fit(&row.name, SMALL, LEFT - MARGIN - 8.0);
        sheet.text(MARGIN, middle + 5.0, &name, SMALL.ink(Ink::Text))?;
        sheet.text(WIDTH - MARGIN, middle + 5.0, &row.facts, SMALL.right())?;
        let (upper, lower) = (middle - BAR / 2.0, middle + BAR / 2.0);
        let bar = |from: f64, to: f64, ink: Ink| {
            let (from, to) = (time.clamped(from), time.clamped(to));
            sheet.rectangle((from, upper), (to, lower), ink, 1.0)
        };
        bar(row.span.0, row.span.1, Ink::Faint)?;
        let mut waiting: Option<Stretch> = None;
        for stretch in &row.stretches {
            waiting = Some(match waiting {
                Some(before)
                    if before.ink == stretch.ink
                        && time.place(stretch.from) - time.place(before.to) < CLOSE =>
                {
                    Stretch {
                        to: stretch.to,
                        ..before
                    }
                }
                Some(before) => {
                    bar(before.from, before.to, before.ink)?;
                    *stretch
                }
                None => *stretch,
            });
        }
        if let Some(last) = waiting {
            bar(last.from, last.to, last.ink)?;
        }
        Ok(())
    }
}
