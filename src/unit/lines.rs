//! The lines of a unit file (systemd.syntax(7)): sections, comments, continuations, assignments.

use std::path::Path;

use super::error::{Place, UnitError};

/// Blanks, as systemd counts them.
pub(super) const WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// One assignment, `Key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The section without its brackets.
    pub section: String,
    pub key: String,
    /// As written: continuations are joined, and nothing else is done.
    pub value: String,
    pub place: Place,
}

impl Directive {
    /// `Key=value (file:line)`, as sentences name it.
    pub fn named(&self) -> String {
        format!("{}={} ({})", self.key, self.value, self.place)
    }
}

/// A line that systemd passes over with a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    pub place: Place,
    pub reason: String,
}

/// What one file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub directives: Vec<Directive>,
    pub ignored: Vec<Ignored>,
}

/// Reads a file's text.
///
/// # Errors
/// When a section's heading is not closed: systemd refuses the whole file.
pub(super) fn read(file: &Path, text: &str) -> Result<Lines, UnitError> {
    let mut lines = Lines::default();
    let mut section: Option<String> = None;
    for (line, logical) in logical_lines(text) {
        let place = Place {
            file: file.to_owned(),
            line,
        };
        let trimmed = logical.trim_matches(WHITESPACE);
        if trimmed.is_empty() {
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let Some(name) = rest.strip_suffix(']') else {
                return Err(UnitError::Content {
                    place,
                    message: "the section's heading is not closed".to_owned(),
                    excerpt: trimmed.to_owned(),
                    help: "close it with `]`, as in [Service]".to_owned(),
                });
            };
            section = Some(name.to_owned());
            continue;
        }
        let mut ignore = |reason: &str| {
            lines.ignored.push(Ignored {
                place: place.clone(),
                reason: format!("`{trimmed}` {reason}, and systemd passes over it"),
            });
        };
        match (trimmed.split_once('='), &section) {
            (None, _) => ignore("is no assignment"),
            (Some(_), None) => ignore("stands before any section"),
            (Some((key, value)), Some(section)) => lines.directives.push(Directive {
                section: section.clone(),
                key: key.trim_matches(WHITESPACE).to_owned(),
                value: value.trim_matches(WHITESPACE).to_owned(),
                place,
            }),
        }
    }
    Ok(lines)
}

/// Joins continued lines, and leaves out comments, those between continued lines too: the next
/// line goes on where the one before the comment ended. Blanks that begin a line stay.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut all = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start_matches(WHITESPACE).starts_with(['#', ';']) {
            continue;
        }
        let (number, mut joined) = begun.take().unwrap_or((index + 1, String::new()));
        joined += line;
        // A backslash that is itself escaped continues nothing.
        let backslashes = joined.len() - joined.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            joined.pop();
            joined.push(' ');
            begun = Some((number, joined));
        } else {
            all.push((number, joined));
        }
    }
    all.extend(begun);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String, usize)> {
        read(Path::new("a.service"), text)
            .unwrap()
            .directives
            .into_iter()
            .map(|d| (d.key, d.value, d.place.line))
            .collect()
    }

    #[test]
    fn a_comment_inside_a_continuation_does_not_end_it() {
        let text = "[Service]\nExecStart=/bin/a \\\n# no\n  ; no\n  b \\\n  c\nUser=x\n";
        let pairs = pairs(text);
        assert_eq!(pairs[0].0, "ExecStart");
        assert_eq!(
            pairs[0].1.split_whitespace().collect::<Vec<_>>(),
            ["/bin/a", "b", "c"]
        );
        assert_eq!((pairs[0].2, pairs[1].2), (2, 7));
    }

    #[test]
    fn an_escaped_backslash_continues_nothing() {
        assert_eq!(
            pairs("[Service]\nA=x\\\\\nB=y"),
            [
                ("A".to_owned(), "x\\\\".to_owned(), 2),
                ("B".to_owned(), "y".to_owned(), 3)
            ]
        );
    }

    #[test]
    fn blanks_around_key_and_value_do_not_count_and_an_equals_sign_in_the_value_does() {
        assert_eq!(
            pairs("\u{feff}[Service]\r\n Environment = A=b \r\n"),
            [("Environment".to_owned(), "A=b".to_owned(), 2)]
        );
    }

    #[test]
    fn what_systemd_passes_over_is_kept_with_its_line() {
        let lines = read(Path::new("a.service"), "A=1\n[Service]\nnonsense\n").unwrap();
        assert!(lines.directives.is_empty());
        let places: Vec<String> = lines.ignored.iter().map(|i| i.place.to_string()).collect();
        assert_eq!(places, ["a.service:1", "a.service:3"]);
    }

    #[test]
    fn a_heading_that_is_not_closed_is_an_error_with_file_and_line() {
        let error = read(Path::new("a.service"), "\n[Service\n").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("a.service:2: the section's heading is not closed"));
        assert!(text.contains("   2 | [Service\n"), "{text}");
    }
}
