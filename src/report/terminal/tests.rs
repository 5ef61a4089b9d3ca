//! Every line fits, and says what it should.

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::report::fixture;
use crate::report::text::{Colour, visible};

fn rendered((record, analysis): (Record, Analysis), width: usize) -> String {
    let colour = Colour::Never;
    terminal(&record, &analysis, Terminal { width, colour })
}

#[test]
fn no_line_is_wider_than_the_terminal_and_none_wider_than_100_columns() {
    for width in [60, 80, 100, 120] {
        for case in [
            fixture::lernmanager(),
            fixture::crowded(),
            fixture::odd(),
            fixture::failed(),
        ] {
            for line in rendered(case, width).lines() {
                assert!(line.width() <= width.min(100), "{width}: {line}");
            }
        }
    }
}

#[test]
fn a_tiny_terminal_makes_no_panic() {
    for width in [0, 1, 20] {
        assert!(!rendered(fixture::crowded(), width).is_empty());
    }
}

#[test]
fn the_table_says_what_was_measured_and_what_noise_is() {
    let text = rendered(fixture::lernmanager(), 80);
    assert!(rendered(fixture::lernmanager(), 100).contains("vps-before -> prefix-warm"));
    let row = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(row("warm "), ["warm", "247", "0", "0"]);
    assert_eq!(row("cold ")[..3], ["cold", "295", "+44"]);
    assert_eq!(row("cold ")[6..], ["23", "23"]);
    assert!(text.contains("noise floor (its twin)"));
    assert!(text.contains("Noise floor: warm is launched twice"));
    assert!(!text.contains('−') && !text.contains('→'));
}

#[test]
fn a_verdict_is_one_sentence_with_a_hanging_indent() {
    let text = rendered(fixture::lernmanager(), 80);
    let start = text.find("refuted       restart-100ms").unwrap();
    let lines: Vec<&str> = text[start..].lines().take(2).collect();
    assert!(lines[0].contains("\"~100ms per server restart\": saves"));
    assert!(lines[1].starts_with("              "));
    assert!(text.contains("inconclusive  prefix-like-writable"));
}

#[test]
fn colour_comes_only_when_asked_for() {
    let (record, analysis) = fixture::lernmanager();
    let text = |colour| terminal(&record, &analysis, Terminal { width: 80, colour });
    assert!(!text(Colour::Never).contains('\x1b'));
    assert!(text(Colour::Always).contains("\x1b[31mrefuted\x1b[0m"));
    let visible = |text: String| text.lines().map(visible).max().unwrap();
    assert!(visible(text(Colour::Always)) <= 80);
}

#[test]
fn an_invalid_record_says_so_first() {
    let text = rendered(fixture::odd(), 80);
    let invalid = text.find("INVALID").unwrap();
    assert!(invalid < text.find("scenario").unwrap());
    assert!(text.contains("- cold: 3 pycs were read"));
    assert!(!text.contains("Valid:"));
}

#[test]
fn names_cannot_move_the_cursor() {
    let (record, mut analysis) = fixture::lernmanager();
    analysis.claims[0].text = "\x1b[2J\r\nboo".to_owned();
    let colour = Colour::Never;
    let text = terminal(&record, &analysis, Terminal { width: 80, colour });
    assert!(!text.contains('\x1b') && !text.contains('\r'));
}
