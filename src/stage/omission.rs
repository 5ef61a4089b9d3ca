//! Interpreters that leave out at their start what a launch relies on: under `-E` and `-I` no
//! `PYTHON*` variable is read, under `-S` no `sitecustomize` is looked for. What they miss is said
//! by words of the command instead.

use std::ffi::OsString;
use std::path::Path;

use crate::suite::{Invocation, Omission};

/// Runs the hook, and then what the interpreter was to run.
const ENTRY: &str = include_str!("entry.py");

/// What is said by words that an interpreter would not find in its environment.
pub(super) fn say_prefix(args: &mut Vec<OsString>, prefix: &Path) {
    if omission_of(args) == Omission::Environment {
        let mut value = OsString::from("pycache_prefix=");
        value.push(prefix);
        args.splice(0..0, ["-X".into(), value]);
    }
}

/// Forbids writing bytecode, where the environment would not be asked.
pub fn forbid_writing(args: &mut Vec<OsString>) {
    if omission_of(args) == Omission::Environment {
        args.insert(0, "-B".into());
    }
}

/// Has the hook run before what is run, where it would not come by itself.
pub fn observe(args: &mut Vec<OsString>, hook: &Path) {
    let words = lossy(args);
    let invocation = Invocation::of(&words);
    if invocation.omission == Omission::None {
        return;
    }
    let mut rest = args.split_off(invocation.words);
    if let (Some(word), Some(first)) = (rest.first_mut(), invocation.rest.first())
        && *word != **first
    {
        // As in `-Im shop`: flags and what is run are one word.
        *word = first.into();
        args.extend(invocation.flags.last().map(OsString::from));
    }
    args.extend(["-c".into(), ENTRY.into(), hook.into()]);
    args.append(&mut rest);
}

fn omission_of(args: &[OsString]) -> Omission {
    Invocation::of(&lossy(args)).omission
}

fn lossy(args: &[OsString]) -> Vec<String> {
    let words = args.iter().map(|word| word.to_string_lossy().into_owned());
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(change: impl Fn(&mut Vec<OsString>), args: &str) -> String {
        let mut args = args.split(' ').map(OsString::from).collect();
        change(&mut args);
        lossy(&args).join(" ").replace(ENTRY, "ENTRY")
    }

    #[test]
    fn the_hook_runs_between_flags_and_what_is_run() {
        for (given, wanted) in [
            ("-O app.py -I", "-O app.py -I"),
            ("-I app.py -m", "-I -c ENTRY hook.py app.py -m"),
            ("-X dev -Em shop x", "-X dev -E -c ENTRY hook.py -m shop x"),
            ("-S -c pass", "-S -c ENTRY hook.py -c pass"),
        ] {
            let found = after(|args| observe(args, Path::new("hook.py")), given);
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn what_the_environment_cannot_say_is_said_by_flags() {
        let prefix = |args: &mut Vec<OsString>| say_prefix(args, Path::new("p"));
        assert_eq!(after(prefix, "-I a.py"), "-X pycache_prefix=p -I a.py");
        assert_eq!(after(prefix, "-S a.py"), "-S a.py");
        assert_eq!(after(forbid_writing, "-E a.py"), "-B -E a.py");
        assert_eq!(after(forbid_writing, "a.py"), "a.py");
    }
}
