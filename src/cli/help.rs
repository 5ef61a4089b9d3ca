//! What `coldsnake --help` closes with, and what holds of the help of every command.

/// The whole program's examples and exit statuses.
pub const CLOSING: &str = "Examples:
  coldsnake                                  # the bundled suite, two minutes
  coldsnake run -- python -m myapp --flag    # any Python command
  coldsnake advise --unit shop.service       # which fix saves how much
  coldsnake doctor -- .venv/bin/gunicorn shop.wsgi:app
  coldsnake check coldsnake-runs/RUN         # for CI

Exit status:
  0    done; for check: all claims are supported
  1    a claim is refuted; for doctor: modules are compiled at every start
  2    bad usage or bad input, or a file that cannot be read or written
  3    inconclusive
  4    the measurement is invalid: a scenario did not hold, or the twin failed
  5    the app could not be launched: no interpreter, no packages, a crash
  130  interrupted; what was measured is saved";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use clap::{Command, CommandFactory, Parser};

    use super::super::{Cli, Status};
    use super::*;

    /// The width that terminals have if nobody changed it.
    const COLUMNS: usize = 80;

    /// The program and its commands, but for `help`, which is clap's.
    fn commands() -> Vec<Command> {
        let mut program = Cli::command()
            .disable_help_subcommand(true)
            .term_width(COLUMNS);
        program.build();
        let mut all: Vec<Command> = program.get_subcommands().cloned().collect();
        all.insert(0, program);
        assert!(all.len() > 10, "{all:?}");
        all
    }

    fn closing(command: &Command) -> String {
        let text = command
            .get_after_long_help()
            .or_else(|| command.get_after_help());
        text.map(ToString::to_string).unwrap_or_default()
    }

    /// The lines below `Examples:`.
    fn examples(command: &Command) -> Vec<String> {
        closing(command)
            .lines()
            .skip_while(|line| *line != "Examples:")
            .skip(1)
            .take_while(|line| line.starts_with(' '))
            .map(|line| line.trim().to_owned())
            .collect()
    }

    /// What a shell would hand to the program, given a line without quotes inside of words.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with(['|', '>', '#', '&', ';']) {
            let (word, after) = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => rest[1..].split_once(quote).expect("no end quote"),
                _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
            words.push(word.to_owned());
            rest = after.trim_start();
        }
        words
    }

    /// Fails the test unless the program would do something for this line.
    fn assert_parses(line: &str, place: &str) {
        if let Err(error) = Cli::try_parse_from(words(line)) {
            let asked = !error.use_stderr();
            assert!(asked, "{place}: `{line}` is refused: {error}");
        }
    }

    #[test]
    fn every_command_has_examples_of_its_own_and_each_can_be_typed() {
        for command in commands() {
            let name = command.get_bin_name().unwrap_or("coldsnake").to_owned();
            let examples = examples(&command);
            assert!(
                !examples.is_empty(),
                "`{name}` has no examples in its after_help"
            );
            for example in examples {
                assert!(example.starts_with(&name), "{name}: {example}");
                assert_parses(&example, &name);
            }
        }
    }

    #[test]
    fn every_line_of_help_fits_into_80_columns_and_no_example_is_broken() {
        for mut command in commands() {
            let examples = examples(&command);
            let texts = [command.render_help(), command.render_long_help()];
            for text in texts.map(|text| text.to_string()) {
                for line in text.lines() {
                    assert!(line.chars().count() <= COLUMNS, "{line}");
                }
                for example in &examples {
                    let whole = text.lines().any(|line| line.trim() == example);
                    assert!(whole, "this is too long for a line: {example}");
                }
            }
        }
    }

    #[test]
    fn every_option_and_argument_says_what_it_is() {
        for command in commands() {
            for argument in command.get_arguments() {
                let name = format!("{} {}", command.get_name(), argument.get_id());
                assert!(argument.get_help().is_some(), "{name} has no help");
            }
        }
    }

    #[test]
    fn every_option_that_takes_a_time_or_a_share_names_a_unit_and_a_default() {
        let unit = regex::Regex::new(r"\d(s|ms|min|h|%)").unwrap();
        let mut seen = 0;
        for command in commands() {
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string);
                let help = help.unwrap_or_default();
                let takes = argument.get_value_names().unwrap_or_default();
                if !takes.iter().any(|name| *name == "TIME" || *name == "SHARE") {
                    continue;
                }
                seen += 1;
                let name = format!("{} --{}", command.get_name(), argument.get_id());
                let default = !argument.get_default_values().is_empty();
                assert!(
                    default || help.contains("[default: "),
                    "{name} has no default: {help}"
                );
                let said = format!("{help} {:?}", argument.get_default_values());
                assert!(unit.is_match(&said), "{name} names no unit: {said}");
            }
        }
        assert!(seen >= 5, "only {seen}");
    }

    #[test]
    fn the_exit_statuses_are_all_of_them() {
        use Status::*;
        let all = [
            Done,
            Refuted,
            BadInput,
            Inconclusive,
            Invalid,
            NotLaunched,
            Interrupted,
        ];
        let listed: Vec<i32> = CLOSING
            .lines()
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect();
        assert_eq!(listed, all.map(|status| status as i32));
    }

    #[test]
    fn every_command_in_a_document_can_be_typed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut seen = 0;
        for document in [
            "README.md",
            "CONTRIBUTING.md",
            "METHODOLOGY.md",
            "scenarios/README.md",
            "results/README.md",
        ] {
            let text = fs::read_to_string(root.join(document)).unwrap();
            // A line that ends with a backslash goes on.
            for line in text.replace("\\\n", " ").lines() {
                let Some(typed) = line.trim().strip_prefix("$ coldsnake") else {
                    continue;
                };
                seen += 1;
                assert_parses(&format!("coldsnake{typed}"), document);
            }
        }
        assert!(seen > 20, "only {seen}");
    }
}
