//! The report for a terminal: tables, then sentences.
//!
//! Apart from what the analysis's sentences and the suite's names contain, it is plain ASCII:
//! the minus is the hyphen-minus everywhere, arrows are `->`.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use super::{numbers, words};
use crate::analysis::{Analysis, Contrast, Pairing, Validity};
use crate::record::Record;
use crate::stats::bounds::Verdict;
use crate::suite::Metric;

/// May colours be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Always,
    Never,
}

/// Where the report will be read.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Columns.
    pub width: usize,
    pub colour: Colour,
}

/// No table gets narrower than this: below it there would be a letter a line.
const NARROWEST: usize = 60;
/// Lines longer than this are hard to read, and get cut off in logs.
const WIDEST: usize = 100;

/// The whole report as text, ending with a line break.
pub fn terminal(record: &Record, analysis: &Analysis, terminal: Terminal) -> String {
    let mut page = Page {
        width: terminal.width.clamp(NARROWEST, WIDEST),
        colour: terminal.colour,
        text: String::new(),
    };
    page.sentence("", &words::about_run(analysis), 0);
    if let Validity::Invalid(reasons) = &analysis.validity {
        page.blank();
        page.sentence(
            &page.painted(Paint::Bad, "INVALID"),
            "do not rely on these figures:",
            9,
        );
        page.list(reasons);
    }
    for &metric in &record.suite.measure.metrics {
        page.blank();
        page.table(record, analysis, metric);
    }
    let failed = analysis.scenarios.iter().filter(|each| each.failures > 0);
    let failed: Vec<String> = failed.map(words::failures).collect();
    if !failed.is_empty() {
        page.section("Failed launches");
        page.list(&failed);
    }
    if !analysis.noise_floor.is_empty() {
        page.blank();
        page.sentence("", &words::noise_floor(&record.suite.measure.baseline), 0);
    }
    if !analysis.claims.is_empty() {
        page.section("Claims");
        page.claims(analysis);
    }
    if !analysis.break_even.is_empty() {
        page.section("Break-even");
        let sentences: Vec<String> = analysis.break_even.iter().map(words::break_even).collect();
        page.list(&sentences);
    }
    if !analysis.findings.is_empty() {
        page.section("Findings");
        page.list(&analysis.findings);
    }
    if !analysis.warnings.is_empty() {
        page.section("Warnings");
        page.list(&analysis.warnings);
    }
    if analysis.validity == Validity::Valid {
        page.blank();
        page.sentence("", words::validity(&analysis.validity), 0);
    }
    page.text
}

#[derive(Debug, Clone, Copy)]
enum Paint {
    Good,
    Bad,
    Unsure,
    Heading,
}

struct Page {
    width: usize,
    colour: Colour,
    text: String,
}

impl Page {
    fn painted(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Good => 32,
            Paint::Bad => 31,
            Paint::Unsure => 33,
            Paint::Heading => 1,
        };
        match self.colour {
            Colour::Always => format!("\x1b[{code}m{text}\x1b[0m"),
            Colour::Never => text.to_owned(),
        }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.blank();
        self.text += &self.painted(Paint::Heading, title);
        self.blank();
    }

    fn list(&mut self, sentences: &[String]) {
        for sentence in sentences {
            self.sentence("-", sentence, 2);
        }
    }

    /// A lead, and a text that hangs `indent` columns in.
    fn sentence(&mut self, lead: &str, text: &str, indent: usize) {
        let lines = wrapped(&tame(text), self.width - indent);
        for (index, line) in lines.iter().enumerate() {
            let before = match index {
                0 => format!("{lead}{}", " ".repeat(indent.saturating_sub(visible(lead)))),
                _ => " ".repeat(indent),
            };
            self.text += &before;
            self.text += line;
            self.text.push('\n');
        }
    }

    fn claims(&mut self, analysis: &Analysis) {
        /// "inconclusive" and two spaces.
        const INDENT: usize = 14;
        for claim in &analysis.claims {
            let paint = match claim.verdict {
                Verdict::Supported => Paint::Good,
                Verdict::Refuted => Paint::Bad,
                Verdict::Inconclusive => Paint::Unsure,
            };
            let lead = self.painted(paint, words::verdict(claim.verdict));
            let text = format!(
                "{}  \"{}\": {}, {}",
                claim.id, claim.text, claim.measured, claim.reason
            );
            self.sentence(&lead, &text, INDENT);
        }
    }

    fn table(&mut self, record: &Record, analysis: &Analysis, metric: Metric) {
        let title = words::metric_label(metric);
        self.text += &self.painted(Paint::Heading, title);
        self.blank();
        // What the figures leave.
        let room = self.width.saturating_sub(57).max(16);
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(self.width).unwrap_or(u16::MAX))
            .set_header(HEADER);
        for cells in rows(record, analysis, metric) {
            let [name, figures @ ..] = cells.map(|cell| tame(&cell));
            let name = hyphenated(&name, room);
            table.add_row([name].into_iter().chain(figures).map(Cell::new));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            let (left, right) = (u16::from(index > 0), 1);
            column.set_padding((left, right));
            column.set_delimiter(' ');
            if index > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            self.text += line.trim_end();
            self.text.push('\n');
        }
    }
}

const HEADER: [&str; 7] = [
    "scenario",
    "median\nms",
    "shift\nms",
    "95 % interval\nms",
    "ratio",
    "compiled\nmodules",
    "written\npycs",
];

/// The baseline, its twin, the other scenarios, then the pairs that only claims name.
fn rows(record: &Record, analysis: &Analysis, metric: Metric) -> Vec<[String; 7]> {
    let baseline = &record.suite.measure.baseline;
    let of_metric = |all: &'_ [Contrast]| -> Vec<Contrast> {
        let those = all.iter().filter(|each| each.metric == metric);
        those.cloned().collect()
    };
    let contrasts = of_metric(&analysis.contrasts);
    let mut rows = Vec::new();
    for scenario in &analysis.scenarios {
        let median = scenario.metrics.iter().find(|each| each.metric == metric);
        let median = median.map_or(numbers::UNKNOWN.to_owned(), |each| {
            numbers::time(each.median_ms)
        });
        let contrast = contrasts
            .iter()
            .find(|each| each.baseline == *baseline && each.scenario == scenario.name);
        let [shift, interval, ratio] = effect(contrast);
        let uncontrolled = match contrast.map(|each| each.pairing) {
            Some(Pairing::Uncontrolled) => " (uncontrolled)",
            _ => "",
        };
        rows.push([
            format!("{}{uncontrolled}", scenario.name),
            median,
            shift,
            interval,
            ratio,
            scenario.receipt.compiled.total().to_string(),
            scenario.receipt.written.total().to_string(),
        ]);
        if scenario.name == *baseline {
            for twin in of_metric(&analysis.noise_floor) {
                rows.push(without_receipt("noise floor (its twin)".to_owned(), &twin));
            }
        }
    }
    for contrast in contrasts.iter().filter(|each| each.baseline != *baseline) {
        rows.push(without_receipt(words::pair(contrast), contrast));
    }
    rows
}

fn without_receipt(name: String, contrast: &Contrast) -> [String; 7] {
    let [shift, interval, ratio] = effect(Some(contrast));
    let nothing = String::new;
    [
        name,
        nothing(),
        shift,
        interval,
        ratio,
        nothing(),
        nothing(),
    ]
}

fn effect(contrast: Option<&Contrast>) -> [String; 3] {
    let Some(contrast) = contrast else {
        return [const { String::new() }; 3];
    };
    let (shift, ends) = numbers::difference(&contrast.shift_ms);
    [
        shift,
        ends.unwrap_or_else(|| numbers::UNKNOWN.to_owned()),
        numbers::ratio(contrast.ratio.estimate),
    ]
}

/// Without typographic signs, and without what could move a terminal's cursor.
fn tame(text: &str) -> String {
    numbers::plain(text)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// Columns that a text takes, colours left out.
fn visible(text: &str) -> usize {
    let mut rest = text;
    let mut columns = 0;
    while let Some((before, code)) = rest.split_once('\x1b') {
        columns += before.width();
        rest = code.split_once('m').map_or("", |(_, after)| after);
    }
    columns + rest.width()
}

/// Lines of at most `room` columns; a word that is longer is broken.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let gap = usize::from(used > 0);
        if used + gap + word.width() <= room {
            push(&mut lines, if gap > 0 { " " } else { "" });
            push(&mut lines, word);
            used += gap + word.width();
            continue;
        }
        if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for letter in word.chars() {
            let columns = unicode_width::UnicodeWidthChar::width(letter).unwrap_or(0);
            if used + columns > room && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, letter.encode_utf8(&mut [0; 4]));
            used += columns;
        }
    }
    lines
}

/// A long name in lines broken after its hyphens rather than anywhere.
fn hyphenated(name: &str, room: usize) -> String {
    let spaced = name.replace('-', "-\u{200b}").replace("-\u{200b}>", "->");
    let mut text = String::new();
    let mut used = 0;
    for part in spaced.split_inclusive(['\u{200b}', ' ']) {
        let part = part.trim_end_matches('\u{200b}');
        if used > 0 && used + part.trim_end().width() > room {
            text.push('\n');
            used = 0;
        }
        text += part;
        used += part.width();
    }
    text
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[cfg(test)]
mod tests;
