//! Flags and variables about bytecode, which are the scenarios' matter: under `-O` others are read,
//! and under `-B` no prefix is ever filled.

use std::collections::BTreeMap;

use crate::suite::{Flags, Invocation, Omission, Optimization, WriteBytecode, without_dont_write};
use crate::unit::forbids_writing;

/// Variables that scenarios set themselves.
pub const LEFT_OUT: [&str; 2] = ["PYTHONDONTWRITEBYTECODE", PREFIX];
const PREFIX: &str = "PYTHONPYCACHEPREFIX";
const OPTIMIZE: &str = "PYTHONOPTIMIZE";

/// What was taken off a command and its environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The interpreter's flags, for all scenarios.
    pub flags: Vec<String>,
    /// What no scenario gets, as it was given.
    pub left_out: Vec<String>,
    /// Of that, the prefix.
    pub prefix: Option<String>,
    /// And whether bytecode may be written.
    pub write: WriteBytecode,
}

/// Takes what is about bytecode off a command that begins with `{python}`, of whose words the first
/// `fixed` stand for the program. Other flags stay where they are, unless they stand beside such.
pub fn take(
    words: &mut Vec<String>,
    fixed: &mut usize,
    env: &mut BTreeMap<String, (String, &'static str)>,
) -> Taken {
    let mut taken = Taken::default();
    let invocation = Invocation::of(words.get(1..).unwrap_or_default());
    let flags = Flags::parse(&invocation.flags).unwrap_or_default();
    taken.write = flags.write();
    if taken.write == WriteBytecode::Forbidden {
        taken.left_out.push("-B".to_owned());
    }
    if let Some(prefix) = &invocation.prefix {
        taken.left_out.push(format!("-X pycache_prefix={prefix}"));
        taken.prefix = Some(prefix.clone());
    }
    let is_optimized = flags.optimization() != Optimization::None;
    if is_optimized || !taken.left_out.is_empty() {
        let before = words.len();
        words.truncate(1);
        words.extend(invocation.rest);
        *fixed = fixed.saturating_sub(before - words.len()).max(1);
        taken.flags = without_dont_write(&invocation.flags);
    }
    let ignored = invocation.omission == Omission::Environment;
    for name in LEFT_OUT {
        if let Some((value, _)) = env
            .remove(name)
            .filter(|(value, _)| !value.is_empty() && !ignored)
        {
            taken.left_out.push(format!("{name}={value}"));
            match name {
                PREFIX => {
                    // The flag counts for more.
                    taken.prefix.get_or_insert(value);
                }
                _ if forbids_writing(&value) => taken.write = WriteBytecode::Forbidden,
                _ => {}
            }
        }
    }
    if let Some((value, _)) = env.remove(OPTIMIZE)
        && let Some(flag) = flags.for_optimize_variable(&value)
    {
        taken.flags.push(flag.to_owned());
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(words: &str, fixed: usize, variables: &[(&str, &str)]) -> (String, usize, Taken) {
        let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let mut fixed = fixed;
        let env = variables.iter();
        let mut env = env
            .map(|(name, value)| ((*name).to_owned(), ((*value).to_owned(), "as given")))
            .collect();
        let taken = take(&mut words, &mut fixed, &mut env);
        assert!(
            env.keys().all(|name| !name.starts_with("PYTHON")),
            "{env:?}"
        );
        (words.join(" "), fixed, taken)
    }

    #[test]
    fn what_is_about_bytecode_becomes_the_scenarios_flags_or_is_left_out() {
        let (words, fixed, found) = taken("{python} -uOB -Xdev -m shop -B", 1, &[]);
        assert_eq!((&*words, fixed), ("{python} -m shop -B", 1));
        assert_eq!(found.flags, ["-uO", "-X", "dev"]);
        assert_eq!(found.left_out, ["-B"]);

        let (words, fixed, found) = taken("{python} -P -O /v/bin/x --port", 4, &[]);
        assert_eq!((&*words, fixed), ("{python} /v/bin/x --port", 2));
        assert_eq!(found.flags, ["-P", "-O"]);

        let (_, _, found) = taken("{python} -O run.py", 1, &[("PYTHONOPTIMIZE", "2")]);
        assert_eq!(found.flags, ["-O", "-O"]);

        let variables = [("PYTHONOPTIMIZE", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];
        let (words, _, found) = taken("{python} -I /v/bin/x", 3, &variables);
        assert_eq!(words, "{python} -I /v/bin/x");
        assert_eq!(found, Taken::default());

        let variables = [("PYTHONOPTIMIZE", "2"), ("PYTHONPYCACHEPREFIX", "/c")];
        let (words, _, found) = taken("{python} run.py -O", 1, &variables);
        assert_eq!(words, "{python} run.py -O");
        assert_eq!(found.flags, ["-OO"]);
        assert_eq!(found.left_out, ["PYTHONPYCACHEPREFIX=/c"]);
        assert_eq!(found.prefix.as_deref(), Some("/c"));
        assert_eq!(found.write, WriteBytecode::Allowed);

        let variables = [
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONPYCACHEPREFIX", "/c"),
        ];
        let (_, _, found) = taken("{python} -X pycache_prefix=/d run.py", 1, &variables);
        assert_eq!(found.prefix.as_deref(), Some("/d"));
        assert_eq!(found.write, WriteBytecode::Forbidden);
    }

    #[test]
    fn other_flags_stay_in_the_command() {
        let (words, fixed, found) = taken("{python} -s -X dev /v/bin/x", 5, &[]);
        assert_eq!((&*words, fixed), ("{python} -s -X dev /v/bin/x", 5));
        assert_eq!(found, Taken::default());
    }
}
