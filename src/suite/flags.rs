//! Flags of the interpreter: `flags = ["-O", "-X", "importtime"]`.
//!
//! They are read as CPython's `Python/getopt.c` does: letters may stand together (`-OB`), and the
//! value of `-X` and `-W` follows at once or as the next word.

use super::model::WriteBytecode;

/// How far the interpreter optimises. Pycs of one level are not seen at another (PEP 488).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Optimization {
    #[default]
    None,
    /// `-O`: no assertions.
    One,
    /// `-OO`: no docstrings either.
    Two,
}

impl Optimization {
    /// As compileall's option `-o` and `sys.flags.optimize` have it.
    pub fn number(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::One => "1",
            Self::Two => "2",
        }
    }

    /// The part of a pyc's name before its extension that says the level.
    pub fn tag(self) -> &'static str {
        match self {
            Self::None => "",
            Self::One => ".opt-1",
            Self::Two => ".opt-2",
        }
    }

    /// What the interpreter is told; nothing for none.
    pub fn flag(self) -> &'static str {
        match self {
            Self::None => "",
            Self::One => "-O",
            Self::Two => "-OO",
        }
    }

    /// The level that `PYTHONOPTIMIZE` asks for: a number counts as that, anything else as one.
    pub fn of_variable(value: &str) -> Self {
        match (value, value.parse::<i64>()) {
            ("", _) | (_, Ok(0)) => Self::None,
            (_, Ok(2..)) => Self::Two,
            (_, Ok(_) | Err(_)) => Self::One,
        }
    }

    fn next(self) -> Self {
        match self {
            Self::None => Self::One,
            Self::One | Self::Two => Self::Two,
        }
    }
}

/// What flags make an interpreter leave out at its start, the more the later in this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Omission {
    #[default]
    None,
    /// `-S`: the module `site`, and with it all that is installed.
    Site,
    /// `-E`, `-I`: all `PYTHON*` variables, so that what they would say must be said by flags.
    Environment,
}

impl Omission {
    fn of(letter: char) -> Self {
        match letter {
            'I' | 'E' => Self::Environment,
            'S' => Self::Site,
            _ => Self::None,
        }
    }
}

/// Words that stand between the interpreter and what it is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    words: Vec<String>,
    optimization: Optimization,
    write: WriteBytecode,
    omission: Omission,
}

/// A flag that cannot be, and what would be right.
#[derive(Debug)]
pub struct FlagError {
    pub message: String,
    pub help: &'static str,
}

const ACCEPTED: &str = "give -O, -OO, -B, -b, -d, -E, -I, -P, -q, -R, -s, -S, -u, -v, -W, -X with their \
                        values, or --check-hash-based-pycs with its value, each value as a word of its own or \
                        joined to its flag";
const HASH_CHECK: &str = "--check-hash-based-pycs";

impl Default for Flags {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            optimization: Optimization::None,
            write: WriteBytecode::Allowed,
            omission: Omission::None,
        }
    }
}

impl Flags {
    /// Reads flags of a scenario.
    ///
    /// # Errors
    /// The first that a scenario cannot have.
    pub fn parse(words: &[String]) -> Result<Self, FlagError> {
        let mut flags = Self {
            words: words.to_vec(),
            ..Self::default()
        };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if word.chars().any(char::is_control) {
                return Err(FlagError {
                    message: format!("{word:?} has a control character in it"),
                    help: ACCEPTED,
                });
            }
            if word == HASH_CHECK {
                let value = rest.next().map(String::as_str);
                if !matches!(value, Some("always" | "default" | "never")) {
                    return Err(FlagError {
                        message: format!("`{HASH_CHECK}` lacks its value"),
                        help: "add \"always\", \"default\" or \"never\" as the next word",
                    });
                }
                continue;
            }
            match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => flags.letters(word, letters, &mut rest)?,
                _ => return Err(unknown(word)),
            }
        }
        Ok(flags)
    }

    fn letters<'a>(
        &mut self,
        word: &str,
        letters: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), FlagError> {
        for (at, letter) in letters.char_indices() {
            match letter {
                'O' => self.optimization = self.optimization.next(),
                'B' => self.write = WriteBytecode::Forbidden,
                'I' | 'E' | 'S' => self.omission = self.omission.max(Omission::of(letter)),
                'b' | 'd' | 'P' | 'q' | 'R' | 's' | 'u' | 'v' => {}
                'W' | 'X' => {
                    let joined = &letters[at + letter.len_utf8()..];
                    let value = if joined.is_empty() {
                        rest.next().map(String::as_str)
                    } else {
                        Some(joined)
                    };
                    return value_of(letter, value);
                }
                'c' | 'm' => {
                    return Err(FlagError {
                        message: format!("`-{letter}` says what is run, and is no flag here"),
                        help: "write it into app.command; flags are put between {python} and the rest",
                    });
                }
                _ => return Err(unknown(word)),
            }
        }
        Ok(())
    }

    /// The words, in order.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub fn optimization(&self) -> Optimization {
        self.optimization
    }

    /// `-B` forbids writing.
    pub fn write(&self) -> WriteBytecode {
        self.write
    }

    /// The flag that does, beside these, what `PYTHONOPTIMIZE` of that value would do: CPython takes
    /// the greater of the two levels (Python/preconfig.c, `_Py_get_env_flag`).
    pub fn for_optimize_variable(&self, value: &str) -> Option<&'static str> {
        let wanted = Optimization::of_variable(value);
        let is_read = self.omission != Omission::Environment;
        (is_read && wanted > self.optimization).then(|| match self.optimization {
            Optimization::None => wanted.flag(),
            Optimization::One | Optimization::Two => Optimization::One.flag(),
        })
    }

    /// What the interpreter leaves out at its start.
    pub fn omission(&self) -> Omission {
        self.omission
    }
}

/// What stands after an interpreter: its own flags, and what it is to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Flags that a scenario can have, each value as a word of its own.
    pub flags: Vec<String>,
    pub omission: Omission,
    /// So many words are flags and nothing else.
    pub words: usize,
    /// Of `-X pycache_prefix=`.
    pub prefix: Option<String>,
    /// What is run, and the words that it gets.
    pub rest: Vec<String>,
}

impl Invocation {
    /// Takes the words after an interpreter apart.
    pub fn of(words: &[String]) -> Self {
        let mut taken = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.as_slice().first() {
            if word == HASH_CHECK {
                taken.flags.extend(rest.by_ref().take(2).cloned());
                continue;
            }
            let letters = match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() && !letters.starts_with('-') => letters,
                _ => break,
            };
            // What is run: the rest of the words is its own.
            if letters.starts_with(['c', 'm', 'h', 'V', '?', 'x', 'i']) {
                break;
            }
            rest.next();
            let mut plain = String::new();
            for (at, letter) in letters.char_indices() {
                match letter {
                    'W' | 'X' => {
                        let joined = &letters[at + 1..];
                        let value = if joined.is_empty() {
                            rest.next().cloned().unwrap_or_default()
                        } else {
                            joined.to_owned()
                        };
                        taken.option(letter, value);
                        break;
                    }
                    'c' | 'm' => {
                        // Joined to flags, as in `-um shop`.
                        taken.rest.push(format!("-{}", &letters[at..]));
                        break;
                    }
                    other => {
                        taken.omission = taken.omission.max(Omission::of(other));
                        plain.push(other);
                    }
                }
            }
            if !plain.is_empty() {
                taken.flags.push(format!("-{plain}"));
            }
            if !taken.rest.is_empty() {
                break;
            }
        }
        let joined = usize::from(!taken.rest.is_empty());
        taken.words = words.len() - rest.len() - joined;
        taken.rest.extend(rest.cloned());
        taken
    }

    fn option(&mut self, letter: char, value: String) {
        if letter == 'X'
            && let Some(prefix) = value.strip_prefix("pycache_prefix")
        {
            self.prefix = prefix
                .strip_prefix('=')
                .filter(|p| !p.is_empty())
                .map(str::to_owned);
        } else {
            self.flags.extend([format!("-{letter}"), value]);
        }
    }
}

/// Flags as [`Invocation`] has them without `-B`, under which nothing is ever cached.
pub fn without_dont_write(flags: &[String]) -> Vec<String> {
    let kept = flags.iter().map(|flag| match flag.strip_prefix('-') {
        Some(letters) if !letters.starts_with('-') => format!("-{}", letters.replace('B', "")),
        _ => flag.clone(),
    });
    kept.filter(|flag| flag != "-").collect()
}

fn value_of(letter: char, value: Option<&str>) -> Result<(), FlagError> {
    match value {
        None | Some("") => Err(FlagError {
            message: format!("`-{letter}` lacks its value"),
            help: "add it as the next word, such as [\"-X\", \"importtime\"]",
        }),
        Some(value) if letter == 'X' && value.split('=').next() == Some("pycache_prefix") => {
            Err(FlagError {
                message: "the folder of `-X pycache_prefix` would not be the scenario's".to_owned(),
                help: "leave it out and use the key `prefix`",
            })
        }
        Some(_) => Ok(()),
    }
}

fn unknown(word: &str) -> FlagError {
    FlagError {
        message: format!("`{word}` is no flag that a scenario can have"),
        help: ACCEPTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Flags, FlagError> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Flags::parse(&words)
    }

    #[test]
    fn letters_may_stand_together_and_values_may_be_joined() {
        let flags = parse(&["-OB", "-Ximporttime", "-W", "error", "-vO"]).unwrap();
        assert_eq!(flags.optimization(), Optimization::Two);
        assert_eq!(flags.write(), WriteBytecode::Forbidden);
        assert_eq!(flags.words().len(), 5);
        let flags = parse(&["-X", "OB", "--check-hash-based-pycs", "never"]).unwrap();
        assert_eq!(flags.optimization(), Optimization::None);
        assert_eq!(flags.write(), WriteBytecode::Allowed);
    }

    #[test]
    fn the_variable_asks_for_a_level_as_the_flags_do() {
        for (value, level) in [
            ("", Optimization::None),
            ("0", Optimization::None),
            ("1", Optimization::One),
            ("yes", Optimization::One),
            ("3", Optimization::Two),
        ] {
            assert_eq!(Optimization::of_variable(value), level, "{value}");
        }
    }

    #[test]
    fn of_the_variable_and_the_flags_the_greater_level_counts() {
        for (words, value, flag) in [
            (&[][..], "2", Some("-OO")),
            (&["-O"], "2", Some("-O")),
            (&["-O"], "1", None),
            (&["-OO"], "9", None),
            (&["-E"], "2", None),
            (&["-s"], "", None),
        ] {
            let found = parse(words).unwrap().for_optimize_variable(value);
            assert_eq!(found, flag, "{words:?} {value}");
        }
    }

    #[test]
    fn flags_stay_what_they_are_without_the_one_that_forbids_writing() {
        let words = [
            "-uBO",
            "-B",
            "-XB=B",
            "--check-hash-based-pycs",
            "never",
            "-mB",
        ];
        let taken = Invocation::of(&words.map(str::to_owned));
        assert_eq!(taken.rest, ["-mB"]);
        assert_eq!(
            without_dont_write(&taken.flags),
            ["-uO", "-X", "B=B", "--check-hash-based-pycs", "never"]
        );
    }

    #[test]
    fn what_an_interpreter_leaves_out_is_told_by_its_flags() {
        for (words, omission) in [
            (&["-P", "-s", "-W", "I"][..], Omission::None),
            (&["-OS"], Omission::Site),
            (&["-E", "-S"], Omission::Environment),
            (&["-BI"], Omission::Environment),
        ] {
            assert_eq!(parse(words).unwrap().omission(), omission, "{words:?}");
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(Invocation::of(&words).omission, omission, "{words:?}");
        }
    }

    #[test]
    fn what_is_no_flag_is_refused() {
        let refused: [(&[&str], &str); 10] = [
            (&["-m", "app"], "says what is run"),
            (&["-Xpycache_prefix=/tmp"], "pycache_prefix"),
            (&["-X"], "lacks its value"),
            (&["-W", ""], "lacks its value"),
            (&["-"], "`-`"),
            (&[""], "``"),
            (&["main.py"], "`main.py`"),
            (&["--help"], "`--help`"),
            (&["--check-hash-based-pycs", "often"], "lacks its value"),
            (&["-Ö\u{0}"], "control character"),
        ];
        for (words, message) in refused {
            let error = parse(words).unwrap_err();
            assert!(error.message.contains(message), "{words:?}: {error:?}");
        }
    }
}
