//! `EnvironmentFile=`: which files a path stands for, and their syntax (systemd.exec(5)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files that a path with wildcards in its last part stands for, by name.
pub(super) fn matching(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !name.contains(['*', '?', '[']) {
        let is_there = fs::metadata(path).map_or_else(
            |error| error.kind() != io::ErrorKind::NotFound,
            |metadata| !metadata.is_dir(),
        );
        return is_there.then(|| path.to_owned()).into_iter().collect();
    }
    let pattern = regex::escape(&name)
        .replace("\\*", ".*")
        .replace("\\?", ".")
        .replace("\\[", "[")
        .replace("\\]", "]")
        .replace("\\-", "-")
        .replace("[!", "[^");
    let Ok(pattern) = regex::Regex::new(&format!("^{pattern}$")) else {
        return Vec::new();
    };
    let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            pattern.is_match(&name) && !name.starts_with(".")
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// Where in an environment file the reader is (`parse_env_file_internal` of systemd).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeKey,
    Key,
    BeforeValue,
    Value,
    Single,
    Double,
    Comment,
}

/// The assignments of an environment file. Its quoting is neither that of a shell nor that of
/// `Environment=`: no specifiers, no variables; between double quotes a backslash escapes
/// `"`, `\`, `` ` `` and `$`, between single quotes nothing; outside of quotes it escapes whatever
/// follows, and joins lines.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut state, mut key, mut value) = (State::BeforeKey, String::new(), String::new());
    // Where the value's trailing blanks would be cut off: after what was quoted or escaped.
    let mut kept = 0;
    let mut finish = |key: &mut String, value: &mut String, kept: usize| {
        let end = value.trim_end_matches([' ', '\t', '\r']).len().max(kept);
        value.truncate(end);
        found.push((key.trim_end().to_owned(), std::mem::take(value)));
        key.clear();
    };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let newline = c == '\n' || c == '\r';
        state = match (state, c) {
            (State::BeforeKey, '#' | ';') => State::Comment,
            (State::BeforeKey, c) if c.is_ascii_whitespace() => State::BeforeKey,
            (State::BeforeKey, c) => {
                key.push(c);
                State::Key
            }
            (State::Key, '=') => {
                kept = 0;
                State::BeforeValue
            }
            (State::Key, _) if newline => {
                key.clear();
                State::BeforeKey
            }
            (State::Key, c) => {
                key.push(c);
                State::Key
            }
            (State::BeforeValue | State::Value, _) if newline => {
                finish(&mut key, &mut value, kept);
                State::BeforeKey
            }
            (State::BeforeValue, '\'') => State::Single,
            (State::BeforeValue, '"') => State::Double,
            (State::BeforeValue, c) if c.is_ascii_whitespace() => State::BeforeValue,
            (State::BeforeValue | State::Value, '\\') => {
                if let Some(escaped) = chars.next().filter(|c| *c != '\n' && *c != '\r') {
                    value.push(escaped);
                }
                kept = value.len();
                State::Value
            }
            (State::BeforeValue | State::Value, c) => {
                value.push(c);
                State::Value
            }
            (State::Single, '\'') | (State::Double, '"') => {
                kept = value.len();
                State::BeforeValue
            }
            (State::Double, '\\') => {
                match chars.next() {
                    Some(escaped @ ('"' | '\\' | '`' | '$')) => value.push(escaped),
                    Some('\n') | None => {}
                    Some(other) => value.extend(['\\', other]),
                }
                State::Double
            }
            (quoted @ (State::Single | State::Double), c) => {
                value.push(c);
                quoted
            }
            (State::Comment, _) if newline => State::BeforeKey,
            (State::Comment, _) => State::Comment,
        };
    }
    if !matches!(state, State::BeforeKey | State::Key | State::Comment) {
        finish(&mut key, &mut value, kept);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_quoting_is_its_own() {
        let text = "# a comment\n; another\nA = b c  \nB=\"x \\\" \\n\"y\nC='q $A \\n'\nD=a\\\nb\nE=\nF=it's\nnonsense\nG=last";
        let found = parse(text);
        let pairs: Vec<(&str, &str)> = found
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("A", "b c"),
                ("B", "x \" \\ny"),
                ("C", "q $A \\n"),
                ("D", "ab"),
                ("E", ""),
                ("F", "it's"),
                ("G", "last"),
            ]
        );
    }
}
