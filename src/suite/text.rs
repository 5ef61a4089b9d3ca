//! Pieces of a suite's text, for suites that coldsnake writes itself: of a command, of a systemd
//! unit.

use std::path::Path;

use toml::Value;

/// What stands for a free port in a command and its environment.
pub const PORT: &str = "{port}";
/// What stands for the folder of the app's source.
const SOURCE: &str = "{source}";
/// Names that are made up are no longer, which leaves room in tables.
const NAME_LENGTH: usize = 48;

/// A TOML string.
pub fn string(text: &str) -> String {
    Value::from(text).to_string()
}

/// A TOML key, in quotes where it needs them.
pub fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        string(name)
    }
}

/// A TOML array of strings.
pub fn list(texts: &[String]) -> String {
    Value::from(texts.to_vec()).to_string()
}

/// A line of comment. A control character would end the line, or be none that TOML allows.
pub fn comment(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("# {text}")
}

/// The words as one would type them for a shell.
pub fn shell(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// A scenario to be written: `[[scenario]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioText {
    pub name: &'static str,
    pub about: String,
    /// Keys and their values as TOML.
    pub keys: Vec<(&'static str, String)>,
}

impl ScenarioText {
    /// One whose keys have strings for values, with the interpreter's flags if there are any.
    pub fn new(
        name: &'static str,
        about: &str,
        axes: &[(&'static str, &str)],
        flags: &[String],
    ) -> Self {
        let flags = (!flags.is_empty()).then(|| ("flags", list(flags)));
        let axes = axes.iter().map(|(key, value)| (*key, string(value)));
        Self {
            name,
            about: about.to_owned(),
            keys: flags.into_iter().chain(axes).collect(),
        }
    }

    /// Its lines, after an empty one.
    pub fn toml(&self) -> String {
        let mut text = format!(
            "\n[[scenario]]\nname = {}\nabout = {}\n",
            string(self.name),
            string(&self.about)
        );
        for (key, value) in &self.keys {
            text.push_str(&format!("{key} = {value}\n"));
        }
        text
    }
}

/// A name for the app, of a text that may hold what names must not.
pub fn name(text: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    let name: String = text
        .chars()
        .map(|c| if kept(c) { c } else { '-' })
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(NAME_LENGTH)
        .collect();
    if name.is_empty() {
        "app".to_owned()
    } else {
        name
    }
}

/// A text with the placeholder for this folder, where it stands as a path of its own or begins
/// one: such paths are to lead into the stage.
pub fn with_source(text: &str, folder: &Path) -> String {
    let Some(folder) = folder.to_str().map(|folder| folder.trim_end_matches('/')) else {
        return text.to_owned();
    };
    if folder.is_empty() {
        return text.to_owned();
    }
    let is_inside = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let mut out = String::new();
    let mut rest = text;
    let mut previous = None;
    while let Some((before, after)) = rest.split_once(folder) {
        let previous_char = before.chars().last().or(previous);
        let begins = previous_char.is_none_or(|c| c != '/' && !is_inside(c));
        let ends = !after.starts_with(is_inside);
        out += before;
        out += if begins && ends { SOURCE } else { folder };
        previous = folder.chars().last();
        rest = after;
    }
    out + rest
}

/// What a suite takes for placeholders: words of lower-case letters in braces, here without those.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split('{').skip(1);
    let names = pieces.filter_map(|piece| Some(piece.split_once('}')?.0));
    names.filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_where_it_is_one() {
        let text = |text: &str| with_source(text, Path::new("/opt/app"));
        assert_eq!(text("/opt/app:/opt/app/lib"), "{source}:{source}/lib");
        assert_eq!(text("--x=/opt/app"), "--x={source}");
        assert_eq!(text("/opt/app2 /srv/opt/app"), "/opt/app2 /srv/opt/app");
        assert_eq!(text("run '/opt/app/x'"), "run '{source}/x'");
        let text = |text: &str| with_source(text, Path::new("/p/"));
        assert_eq!(text("/p/run.py"), "{source}/run.py");
        assert_eq!(text("/p/p/run.py"), "{source}/p/run.py");
        assert_eq!(text("--config=/p"), "--config={source}");
        assert_eq!(text("/p/a:/p/b:/q/p/c"), "{source}/a:{source}/b:/q/p/c");
        assert_eq!(text("/pa"), "/pa");
        assert_eq!(with_source("/pa", Path::new("/")), "/pa");
    }

    #[test]
    fn names_hold_nothing_that_they_must_not() {
        for (text, expected) in [
            ("shop", "shop"),
            ("my shop@eu", "my-shop-eu"),
            ("__main__", "main__"),
            ("ü", "app"),
        ] {
            assert_eq!(name(text), expected);
        }
        assert_eq!(name(&"x".repeat(100)).len(), NAME_LENGTH);
    }

    #[test]
    fn words_in_braces_are_taken_for_placeholders() {
        let found: Vec<&str> = placeholders("{a}{\"k\": 1} {port} {} {B} {c").collect();
        assert_eq!(found, ["a", "port"]);
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        let given = ["python", "-c", "print('a')"].map(str::to_owned);
        assert_eq!(shell(&given), r"python -c 'print('\''a'\'')'");
    }
}
