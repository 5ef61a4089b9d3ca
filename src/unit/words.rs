//! Words in quotes and with escapes, as `Environment=` and `ExecStart=` hold them
//! (systemd.syntax(7), "Quoting"; `extract_first_word` of systemd).

use super::lines::WHITESPACE;

/// What is done about an escape sequence that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnknownEscape {
    /// The words from there on are not read: `Environment=`.
    Refused,
    /// It stays as it is: `ExecStart=`.
    Kept,
}

/// Why words could not be read to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WordError {
    UnknownEscape,
    OpenQuote,
}

impl WordError {
    pub fn message(self) -> &'static str {
        match self {
            Self::UnknownEscape => "an escape sequence here does not exist",
            Self::OpenQuote => "a quote here is not closed",
        }
    }
}

/// Takes the next word off the text; `None` at its end. Quotes may begin and end within a word.
///
/// # Errors
/// When a quote is not closed, or an escape does not exist and none may.
pub(super) fn next(text: &mut &str, unknown: UnknownEscape) -> Result<Option<String>, WordError> {
    let mut rest = text.trim_start_matches(WHITESPACE);
    *text = rest;
    if rest.is_empty() {
        return Ok(None);
    }
    let mut word = String::new();
    let mut quote: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match (c, quote) {
            ('\\', _) => match (escape(rest), unknown) {
                (Some((character, length)), _) => {
                    word.push(character);
                    rest = &rest[length..];
                }
                (None, UnknownEscape::Kept) => {
                    word.push('\\');
                    // Taken here, so that it is not seen as a quote.
                    if let Some(kept) = rest.chars().next() {
                        word.push(kept);
                        rest = &rest[kept.len_utf8()..];
                    }
                }
                (None, UnknownEscape::Refused) => return Err(WordError::UnknownEscape),
            },
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if WHITESPACE.contains(&c) => break,
            (c, None) => word.push(c),
        }
    }
    if quote.is_some() {
        return Err(WordError::OpenQuote);
    }
    *text = rest;
    Ok(Some(word))
}

/// The words of a text, as far as they can be read, and why there are no more.
pub(super) fn all(text: &str, unknown: UnknownEscape) -> (Vec<String>, Option<WordError>) {
    let mut rest = text;
    let mut words = Vec::new();
    loop {
        match next(&mut rest, unknown) {
            Ok(Some(word)) => words.push(word),
            Ok(None) => return (words, None),
            Err(error) => return (words, Some(error)),
        }
    }
}

/// The character that stands for what follows a backslash, and how much of it.
fn escape(after: &str) -> Option<(char, usize)> {
    let simple = |c: char| Some((c, 1));
    match after.chars().next()? {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        's' => simple(' '),
        c @ ('\\' | '"' | '\'') => simple(c),
        'x' => number(after, 1, 2, 16),
        'u' => number(after, 1, 4, 16),
        'U' => number(after, 1, 8, 16),
        '0'..='7' => number(after, 0, 3, 8),
        _ => None,
    }
}

/// A character by its number. NUL cannot stand in an argument. A byte of `\x` above 127 is half a
/// character more often than not, and is read as Latin-1 here.
fn number(after: &str, from: usize, digits: usize, radix: u32) -> Option<(char, usize)> {
    let text = after.get(from..from + digits)?;
    let valid = text.chars().all(|c| c.is_digit(radix));
    let value = u32::from_str_radix(text, radix).ok().filter(|_| valid)?;
    let character = char::from_u32(value).filter(|c| *c != '\0')?;
    Some((character, from + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Vec<String> {
        let (words, error) = all(text, UnknownEscape::Kept);
        assert_eq!(error, None);
        words
    }

    #[test]
    fn quotes_hold_words_together_and_are_taken_off() {
        assert_eq!(
            kept(r#"a "b c" 'd "e"' f"g h"i "" "#),
            ["a", "b c", "d \"e\"", "fg hi", ""]
        );
    }

    #[test]
    fn escapes_are_those_of_c_and_s_is_a_blank() {
        assert_eq!(
            kept(r#"a\sb \x41\102\u00e4 "\"" '\'' \t"#),
            ["a b", "ABä", "\"", "'", "\t"]
        );
    }

    #[test]
    fn an_unknown_escape_ends_a_list_or_is_kept() {
        assert_eq!(kept(r"a\db \"), [r"a\db", "\\"]);
        assert_eq!(
            all(r"ok a\db c", UnknownEscape::Refused),
            (vec!["ok".to_owned()], Some(WordError::UnknownEscape))
        );
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert_eq!(
            all(r#"a "b c"#, UnknownEscape::Kept),
            (vec!["a".to_owned()], Some(WordError::OpenQuote))
        );
    }
}
