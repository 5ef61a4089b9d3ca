//! Instructions by valgrind: its tool cachegrind executes the program itself and counts what it
//! executes, which needs no counters of the machine, no permission, and repeats exactly where the
//! program does.
//!
//! Of valgrind's tools that count, cachegrind without its cache simulation is the fastest: for
//! `python3 -c 'import json'` under valgrind 3.19 it took 2.4 s, callgrind 4.0 s, lackey 6.0 s.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::launch::Spec;
use crate::python::find_in;
use crate::record::Instructions;

const PROGRAM: &str = "valgrind";
/// A launch under valgrind may take so many times as long as one without.
const TIMES_AS_LONG: u32 = 60;
/// How long its end may take: a server's handlers run as slowly as the rest.
const GRACE: Duration = Duration::from_secs(60);
/// Begins the names of the logs, one for each process.
const LOG: &str = "coldsnake-count-";

/// Valgrind, found and tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valgrind {
    program: PathBuf,
    version: String,
}

impl Valgrind {
    /// Looks for it in these folders, written as in PATH, and asks it for its version.
    ///
    /// # Errors
    /// A clause on what is missing.
    pub fn find(path: &OsStr) -> Result<Self, String> {
        let program = find_in(path, PROGRAM.as_ref())
            .ok_or_else(|| format!("there is no `{PROGRAM}` on PATH"))?;
        let asked = duct::cmd(&program, ["--version"])
            .stdin_null()
            .stderr_null()
            .read();
        let cannot = |why: String| format!("{} cannot be used: {why}", program.display());
        let version = asked.map_err(|error| cannot(error.to_string()))?;
        let version = version.trim().to_owned();
        if !version.starts_with("valgrind-") {
            return Err(cannot("it does not say which version it is".to_owned()));
        }
        Ok(Self { program, version })
    }

    /// "valgrind-3.19.0"
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same launch under valgrind, with its logs in this folder, which the launched user can
    /// write to. There is no limit to its CPU time: that would change how long it takes, and not
    /// what it executes.
    pub fn around(&self, spec: Spec, logs: &Path) -> Spec {
        let mut log_file = OsString::from("--log-file=");
        log_file.push(logs.join(format!("{LOG}%p")));
        let options = [
            "--tool=cachegrind",
            // The default before valgrind 3.21.
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
            "--trace-children=yes",
            // No pipes in the temporary folder.
            "--vgdb=no",
            // Says where a program was started, and not only forked.
            "-v",
        ];
        let options = options.into_iter().map(OsString::from);
        let args = options
            .chain([log_file, spec.program.into()])
            .chain(spec.args);
        Spec {
            program: self.program.clone(),
            args: args.collect(),
            group: None,
            timeout: spec.timeout.saturating_mul(TIMES_AS_LONG),
            grace: GRACE,
            ..spec
        }
    }

    /// Removes the logs of the launch before; there may be none.
    pub fn clear(logs: &Path) {
        for log in find_logs(logs) {
            let _ = fs::remove_file(log);
        }
    }

    /// Sums up what the processes of a launch said.
    ///
    /// # Errors
    /// A clause on what none or one of them did not say.
    pub fn read(logs: &Path) -> Result<Instructions, String> {
        let texts = find_logs(logs).into_iter().map(|log| {
            let bytes = fs::read(&log).map_err(|error| format!("{}: {error}", log.display()))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        });
        sum_of(&texts.collect::<Result<Vec<_>, String>>()?)
    }
}

fn find_logs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(LOG))
        .map(|entry| entry.path())
        .collect()
}

/// Of one text for each process.
fn sum_of(texts: &[String]) -> Result<Instructions, String> {
    let mut sum = Instructions {
        count: 0,
        forked: 0,
        running: None,
    };
    if texts.is_empty() {
        return Err("valgrind wrote no log".to_owned());
    }
    // Without the word in any log, this valgrind does not have it.
    let can_tell = texts.iter().any(|text| was_started(text));
    for text in texts {
        let count = count_in(text).ok_or(
            "a process was killed before it could say how many instructions it had executed",
        )?;
        sum.count = sum.count.saturating_add(count);
        sum.forked += u32::from(can_tell && !was_started(text));
    }
    Ok(sum)
}

/// Of the line `==123== I   refs:      57,395,784`.
fn count_in(log: &str) -> Option<u64> {
    let (_, digits) = log.lines().rev().find_map(|line| {
        let (_, said) = line.strip_prefix("==")?.split_once("== ")?;
        let (what, digits) = said.split_once(':')?;
        what.split_whitespace()
            .eq(["I", "refs"])
            .then_some((what, digits))
    })?;
    digits.trim().replace(',', "").parse().ok()
}

/// A process that was forked begins a log like that of one that was started, but starts no
/// scheduler.
fn was_started(log: &str) -> bool {
    log.contains("Scheduler: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = "==7== Cachegrind, a profiler\n\
        --7-- Scheduler: using generic scheduler lock implementation.\n\
        ==7== \n==7== I   refs:      57,395,784\n";
    const FORKED: &str = "==8== Cachegrind, a profiler\n==8== I refs: 1,000\n";

    fn sum(texts: &[&str]) -> Result<Instructions, String> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        sum_of(&texts)
    }

    #[test]
    fn what_the_processes_said_is_summed_up() {
        let both = sum(&[STARTED, FORKED]).unwrap();
        assert_eq!((both.count, both.forked), (57_396_784, 1));
        // A valgrind that does not tell starting from forking.
        assert_eq!(sum(&[FORKED]).unwrap().forked, 0);
    }

    #[test]
    fn a_process_that_said_nothing_is_no_zero() {
        let killed = STARTED.split("==7== I").next().unwrap();
        assert!(sum(&[STARTED, killed]).unwrap_err().contains("killed"));
        assert!(sum(&[]).unwrap_err().contains("no log"));
    }

    #[test]
    fn a_program_that_is_no_valgrind_is_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Valgrind::find(folder.path().as_os_str()).unwrap_err();
        assert_eq!(missing, "there is no `valgrind` on PATH");
        std::os::unix::fs::symlink("/bin/true", folder.path().join(PROGRAM)).unwrap();
        let silent = Valgrind::find(folder.path().as_os_str()).unwrap_err();
        assert!(silent.contains("cannot be used"), "{silent}");
    }
}
