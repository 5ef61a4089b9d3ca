//! A regular expression for lines of output, which need not be UTF-8.

use regex::bytes::Regex;

/// What a line must match somewhere.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads a pattern in the syntax of the regex crate.
    ///
    /// # Errors
    /// Why it is none, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self).map_err(|error| {
            // The lines before the last one show the pattern and point into it.
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        })
    }

    /// Does it match anywhere in this line?
    pub fn fits(&self, line: &[u8]) -> bool {
        self.0.is_match(line)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl std::fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_need_not_be_text() {
        let pattern = Pattern::parse(r"^ready on \d+$").unwrap();
        assert!(pattern.fits(b"ready on 80"));
        assert!(!pattern.fits(b"\xffready on 80"));
        assert!(Pattern::parse("ready").unwrap().fits(b"\xff ready \xfe"));
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said_in_one_line() {
        assert_eq!(Pattern::parse("(ready").unwrap_err(), "unclosed group");
        let huge = Pattern::parse("(a{1000}){1000}").unwrap_err();
        assert!(!huge.is_empty() && !huge.contains('\n'), "{huge}");
    }
}
