//! What a person sees while it measures: a bar with the time left and the current interval on a
//! terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::runner::Event;

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    Quiet,
    Normal,
}

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Shows progress on stderr.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// Lines instead of a bar.
    lines: bool,
    last_line: Instant,
    /// Launches of the current block, as a share.
    position: String,
}

impl Progress {
    pub fn new(verbosity: Verbosity) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = match (verbosity, terminal) {
            (Verbosity::Normal, true) => {
                ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
            }
            (Verbosity::Quiet, _) | (_, false) => ProgressBar::hidden(),
        };
        bar.set_style(style("{spinner} {wide_msg}"));
        Self {
            bar,
            lines: verbosity == Verbosity::Normal && !terminal,
            last_line: Instant::now(),
            position: String::new(),
        }
    }

    /// Something that takes a moment begins.
    pub fn doing(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.tick();
        if self.lines {
            eprintln!("coldsnake: {what}");
        }
    }

    pub fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Receipt { scenario } => {
                self.bar
                    .set_message(format!("checking that `{scenario}` holds"));
                self.bar.tick();
            }
            Event::Launch { done, of } => {
                self.position = format!("{done}/{of}");
                self.bar.tick();
            }
            Event::Block {
                blocks,
                elapsed,
                budget,
                interim,
            } => self.block(blocks, elapsed, budget, &format!("{interim:?}")),
            Event::Failure { scenario, failure } => self.bar.suspend(|| {
                eprintln!("coldsnake: a launch under `{scenario}` failed: {failure}");
            }),
        }
    }

    fn block(&mut self, blocks: u32, elapsed: Duration, budget: Duration, interim: &str) {
        let left = budget.saturating_sub(elapsed).as_secs();
        let message = format!("{left} s left at most, block {blocks}: {interim}");
        if self.bar.length().is_none() {
            self.bar.set_style(style("{bar:20} {wide_msg}"));
        }
        self.bar.set_length(budget.as_millis() as u64);
        self.bar
            .set_position(elapsed.min(budget).as_millis() as u64);
        if self.lines && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            eprintln!("coldsnake: {message}");
        }
        self.bar.set_message(message);
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are ours and are tried by every test that runs the program.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
