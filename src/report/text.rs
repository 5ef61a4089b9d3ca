//! Text for a terminal: sections, sentences that hang, tables.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use super::numbers;

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

#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    Good,
    Bad,
    Unsure,
    Heading,
}

/// Text as it is laid out, piece by piece.
pub struct Page {
    width: usize,
    colour: Colour,
    text: String,
}

impl Page {
    /// A page for a terminal.
    pub fn new(terminal: Terminal) -> Self {
        Self {
            width: terminal.width.clamp(NARROWEST, WIDEST),
            colour: terminal.colour,
            text: String::new(),
        }
    }

    /// All that was put on it.
    pub fn into_text(self) -> String {
        self.text
    }

    pub(super) fn painted(&self, paint: Paint, text: &str) -> String {
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

    /// An empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// An empty line and a heading.
    pub fn section(&mut self, title: &str) {
        self.blank();
        self.text += &self.painted(Paint::Heading, title);
        self.blank();
    }

    pub(super) fn list(&mut self, sentences: &[String]) {
        for sentence in sentences {
            self.sentence("-", sentence, 2);
        }
    }

    /// Lines to be copied: indented, and never wrapped.
    pub(super) fn verbatim(&mut self, lines: &[String]) {
        for line in lines {
            self.text += "    ";
            self.text
                .extend(line.chars().filter(|letter| !letter.is_control()));
            self.text.push('\n');
        }
    }

    /// A lead, and a text that hangs `indent` columns in.
    pub fn sentence(&mut self, lead: &str, text: &str, indent: usize) {
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

    /// A line to be copied: it is not broken, however long it is.
    pub fn as_is(&mut self, text: &str, indent: usize) {
        self.text += &" ".repeat(indent);
        self.text += &harmless(text);
        self.text.push('\n');
    }

    /// A heading and a table; the first column is a name, the others are figures.
    pub fn table<const COLUMNS: usize>(
        &mut self,
        title: &str,
        header: [&str; COLUMNS],
        rows: Vec<[String; COLUMNS]>,
    ) {
        self.text += &self.painted(Paint::Heading, title);
        self.blank();
        // What the figures leave.
        let room = self.width.saturating_sub(57).max(16);
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(self.width).unwrap_or(u16::MAX))
            .set_header(header);
        for cells in rows {
            let cells = cells.iter().enumerate().map(|(column, cell)| match column {
                0 => hyphenated(&tame(cell), room),
                _ => tame(cell),
            });
            table.add_row(cells.map(Cell::new));
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

/// Without typographic signs, and without what could move a terminal's cursor.
fn tame(text: &str) -> String {
    harmless(&numbers::plain(text))
}

fn harmless(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// Columns that a text takes, colours left out.
pub(super) fn visible(text: &str) -> usize {
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
