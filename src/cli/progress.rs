//! What a person sees while it measures: a bar with the time left and the current interval on a
//! terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::say;
use crate::analysis::Condition;
use crate::runner::Event;

/// May progress be shown?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    Quiet,
    Normal,
}

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// No shorter line is cut: below this a terminal shows nothing of use anyway.
const NARROWEST: u16 = 20;

/// Shows progress on stderr.
#[derive(Debug)]
pub struct Progress {
    out: Out,
    /// What is known so far: "block 7: prefix-warm against vps-before (ready): saves …".
    known: String,
}

#[derive(Debug)]
enum Out {
    Nowhere,
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// Progress for this process's stderr.
    pub fn new(verbosity: Verbosity) -> Self {
        let out = match (verbosity, std::io::stderr().is_terminal()) {
            (Verbosity::Quiet, _) => Out::Nowhere,
            (Verbosity::Normal, true) => {
                let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
                bar.set_style(style("{spinner} {msg}"));
                Out::Bar(bar)
            }
            (Verbosity::Normal, false) => Out::Lines {
                last: Instant::now(),
            },
        };
        Self {
            out,
            known: "block 1".to_owned(),
        }
    }

    /// Something that takes a moment begins.
    pub fn doing(&mut self, what: &str) {
        match &self.out {
            Out::Nowhere => {}
            Out::Bar(bar) => {
                bar.set_message(cut(what));
                bar.tick();
            }
            Out::Lines { .. } => say(what),
        }
    }

    /// What one can do for a quieter measurement, before it begins.
    pub fn advise(&mut self, conditions: &[Condition]) {
        for condition in conditions {
            let tell = || say(&condition.advice());
            match &self.out {
                Out::Nowhere => {}
                Out::Bar(bar) => bar.suspend(tell),
                Out::Lines { .. } => tell(),
            }
        }
    }

    /// The runner has come a step further.
    pub fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Receipt { scenario } => {
                if let Out::Bar(bar) = &self.out {
                    bar.set_message(cut(&format!("checking that `{scenario}` holds")));
                    bar.tick();
                }
            }
            Event::Launch { elapsed, budget } => self.launch(elapsed, budget),
            Event::Block { blocks, interim } => {
                self.known = format!("block {}: {interim}", blocks + 1);
            }
            Event::Count { done, all } => {
                self.step(&format!("counting instructions, launch {done} of {all}"));
            }
            Event::Failure { scenario, failure } => {
                let tell = || say(&format!("a launch under `{scenario}` failed: {failure}"));
                match &self.out {
                    Out::Bar(bar) => bar.suspend(tell),
                    // A failure is a diagnosis, not progress: --quiet does not hide it.
                    Out::Nowhere | Out::Lines { .. } => tell(),
                }
            }
        }
    }

    /// One of many steps that no budget ends.
    pub fn step(&mut self, message: &str) {
        match &mut self.out {
            Out::Nowhere => {}
            Out::Bar(bar) => {
                bar.set_message(cut(message));
                bar.tick();
            }
            Out::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    say(message);
                }
            }
        }
    }

    fn launch(&mut self, elapsed: Duration, budget: Duration) {
        let left = budget.saturating_sub(elapsed).as_secs();
        let message = format!("{left:>3} s left at most, {}", self.known);
        match &mut self.out {
            Out::Nowhere => {}
            Out::Bar(bar) => {
                if bar.length() == Some(0) {
                    bar.set_style(style("{bar:12.cyan} {msg}"));
                    bar.set_length(budget.as_millis() as u64);
                }
                bar.set_position(elapsed.min(budget).as_millis() as u64);
                bar.set_message(cut(&message));
            }
            Out::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    say(message.trim_start());
                }
            }
        }
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        if let Out::Bar(bar) = &self.out {
            bar.finish_and_clear();
        }
    }
}

/// What fits beside the bar in one line.
fn cut(message: &str) -> String {
    let columns =
        terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| width.0);
    let room = usize::from(columns.max(NARROWEST)) - 14;
    if message.chars().count() <= room {
        return message.to_owned();
    }
    let mut cut: String = message.chars().take(room - 1).collect();
    cut.push('…');
    cut
}

fn style(template: &str) -> ProgressStyle {
    // The templates are ours, so this does not fail; if it did, a default bar does no harm.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
