//! `ExecStart=`: prefixes, words, variables (systemd.service(5), "Command lines").

use super::environment::ServiceEnvironment;
use super::error::UnitError;
use super::lines::{Directive, WHITESPACE};
use super::parse::Unit;
use super::words::{self, UnknownEscape};

/// What a character before the program's path says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecPrefix {
    /// `@`: the second word is `argv[0]`.
    Argv0,
    /// `-`: a failure counts as success.
    IgnoreFailure,
    /// `:`: no variables are put in.
    NoVariables,
    /// `+`: with full privileges, without user or sandbox.
    FullPrivileges,
    /// `!`, `!!`: with privileges, in the sandbox.
    Privileged,
    /// `|`: through the user's shell.
    Shell,
}

/// A command of `ExecStart=`, as it is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecCommand {
    pub prefixes: Vec<ExecPrefix>,
    /// The program and its arguments, variables put in.
    pub words: Vec<String>,
    pub directive: Directive,
}

impl ExecCommand {
    /// Does it run outside of user and sandbox?
    pub fn is_outside(&self) -> bool {
        self.prefixes.contains(&ExecPrefix::FullPrivileges)
    }
}

impl Unit {
    /// The commands of `ExecStart=`. Only `Type=oneshot` may have several.
    ///
    /// # Errors
    /// When there is none, or its words cannot be read: systemd does not load such a unit.
    pub fn commands(
        &self,
        environment: &ServiceEnvironment,
    ) -> Result<Vec<ExecCommand>, UnitError> {
        let mut commands = Vec::new();
        for directive in self.all("ExecStart") {
            self.add_commands(directive, environment, &mut commands)?;
        }
        if commands.is_empty() {
            return Err(UnitError::Missing {
                path: self.path.clone(),
                message: "the unit starts nothing".to_owned(),
                help: "give it ExecStart= in [Service], or name the unit that has it".to_owned(),
            });
        }
        Ok(commands)
    }

    /// A line may hold several commands, with a semicolon on its own between them.
    fn add_commands(
        &self,
        directive: &Directive,
        environment: &ServiceEnvironment,
        commands: &mut Vec<ExecCommand>,
    ) -> Result<(), UnitError> {
        let mut rest = directive.value.as_str();
        while !rest.trim_start_matches(WHITESPACE).is_empty() {
            let mut words = Vec::new();
            loop {
                rest = rest.trim_start_matches(WHITESPACE);
                if let Some(after) = token(rest, ";") {
                    rest = after;
                    break;
                }
                if let Some(after) = token(rest, "\\;") {
                    rest = after;
                    words.push(";".to_owned());
                    continue;
                }
                let next = words::next(&mut rest, UnknownEscape::Kept).map_err(|error| {
                    let help = "close it, or write the quote as \\\" or \\'";
                    self.wrong(directive, error.message(), help)
                })?;
                match next {
                    Some(word) => {
                        if let Some(letter) = self.unknown_specifier(&word) {
                            return Err(self.wrong(
                                directive,
                                format!("there is no specifier %{letter}"),
                                "write a percent sign as %%",
                            ));
                        }
                        words.push(self.expand(&word));
                    }
                    None => break,
                }
            }
            if !words.is_empty() {
                commands.push(self.command(directive, words, environment)?);
            }
        }
        Ok(())
    }

    fn command(
        &self,
        directive: &Directive,
        words: Vec<String>,
        environment: &ServiceEnvironment,
    ) -> Result<ExecCommand, UnitError> {
        let mut words = words.into_iter();
        let first = words.next().unwrap_or_default();
        let (prefixes, program) = prefixes(&first);
        if program.is_empty() {
            return Err(self.wrong(
                directive,
                "no program is named",
                "give its path directly after the prefix characters",
            ));
        }
        let arguments: Vec<String> = if prefixes.contains(&ExecPrefix::Argv0) {
            words.skip(1).collect()
        } else {
            words.collect()
        };
        let arguments = if prefixes.contains(&ExecPrefix::NoVariables) {
            arguments
        } else {
            let put_in = |word: String| variables(&word, environment);
            arguments.into_iter().flat_map(put_in).collect()
        };
        Ok(ExecCommand {
            prefixes,
            words: [program.to_owned()].into_iter().chain(arguments).collect(),
            directive: directive.clone(),
        })
    }
}

/// What follows a token that stands on its own.
fn token<'a>(text: &'a str, token: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(token)?;
    (rest.is_empty() || rest.starts_with(WHITESPACE)).then_some(rest)
}

fn prefixes(word: &str) -> (Vec<ExecPrefix>, &str) {
    let mut prefixes = Vec::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let prefix = match c {
            '@' => ExecPrefix::Argv0,
            '-' => ExecPrefix::IgnoreFailure,
            ':' => ExecPrefix::NoVariables,
            '+' => ExecPrefix::FullPrivileges,
            '!' => ExecPrefix::Privileged,
            '|' => ExecPrefix::Shell,
            _ => break,
        };
        prefixes.push(prefix);
        rest = &rest[1..];
    }
    (prefixes, rest)
}

/// An argument with its variables put in (`replace_env_argv` of systemd): `$A` that stands alone
/// becomes the words of its value, none if it is unset; `${A}` becomes the value, wherever it
/// stands; `$$` is a dollar; any other dollar stays.
fn variables(word: &str, environment: &ServiceEnvironment) -> Vec<String> {
    if let Some(name) = word.strip_prefix('$')
        && !name.starts_with(['{', '$'])
    {
        let value = environment.get(name).unwrap_or_default();
        return words::all(value, UnknownEscape::Kept).0;
    }
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out += before;
        if let Some(braced) = after.strip_prefix('{')
            && let Some((name, behind)) = braced.split_once('}')
        {
            out += environment.get(name).unwrap_or_default();
            rest = behind;
        } else if let Some(behind) = after.strip_prefix('$') {
            out.push('$');
            rest = behind;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out += rest;
    vec![out]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::unit::Host;

    fn commands(text: &str) -> Result<Vec<ExecCommand>, UnitError> {
        let text = format!("[Service]\nEnvironment=\"W=a  'b c'\" E= P=80\n{text}");
        let unit = Unit::from_text(Path::new("app.service"), &text, Host::observe()).unwrap();
        unit.commands(&unit.environment().unwrap())
    }

    fn words(text: &str) -> Vec<String> {
        commands(text).unwrap().remove(0).words
    }

    #[test]
    fn a_variable_alone_is_split_and_one_in_braces_is_not() {
        assert_eq!(
            words("ExecStart=/bin/x $W ${W} a${P}b a$P $E $UNSET ${UNSET} $$P $P/x"),
            ["/bin/x", "a", "b c", "a  'b c'", "a80b", "a$P", "", "$P"]
        );
    }

    #[test]
    fn prefixes_are_taken_off_and_told() {
        let command = commands("ExecStart=-:@/bin/x argv0 $P").unwrap().remove(0);
        assert_eq!(command.words, ["/bin/x", "$P"]);
        assert_eq!(
            command.prefixes,
            [
                ExecPrefix::IgnoreFailure,
                ExecPrefix::NoVariables,
                ExecPrefix::Argv0
            ]
        );
        assert!(commands("ExecStart=+!!/bin/x").unwrap()[0].is_outside());
    }

    #[test]
    fn a_semicolon_on_its_own_separates_commands() {
        let all = commands("ExecStart=/bin/a b ; /bin/c \\; d; 'x;'").unwrap();
        let all: Vec<_> = all.into_iter().map(|command| command.words).collect();
        assert_eq!(all, [vec!["/bin/a", "b"], vec!["/bin/c", ";", "d;", "x;"]]);
    }

    #[test]
    fn an_empty_assignment_takes_the_commands_back_and_none_is_an_error() {
        assert_eq!(
            words("ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b"),
            ["/bin/b"]
        );
        assert!(
            commands("ExecStart=/bin/a\nExecStart=")
                .unwrap_err()
                .to_string()
                .contains("ExecStart=")
        );
        let error = commands("ExecStart=/bin/a \"b").unwrap_err().to_string();
        assert!(
            error.starts_with("app.service:3: a quote here is not closed"),
            "{error}"
        );
    }
}
