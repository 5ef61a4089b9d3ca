//! What `coldsnake doctor` costs: a tree of 20,000 modules whose bytecode is all right, beside
//! `python -m compileall -q`, which finds nothing to do there.
//!
//! Two bounds are printed first: the whole process takes at most 150 ms, the interpreter that it asks
//! included, and at most a twentieth of compileall's time. Both are timed in turn, from outside. The
//! modules have some 60 lines, so that their bytecode is about as long as the standard library's is at
//! its median.

mod fonts;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::Criterion;

const FOLDERS: usize = 1000;
const MODULES: usize = 20;
const FUNCTIONS: usize = 12;
const ROUNDS: usize = 15;
/// The bounds.
const AT_MOST: Duration = Duration::from_millis(150);
const TIMES_FASTER: f64 = 20.0;
/// The program itself, in the bench's own profile.
const COLDSNAKE: &str = env!("CARGO_BIN_EXE_coldsnake");

fn python() -> &'static str {
    let system = "/usr/bin/python3";
    if Path::new(system).exists() {
        system
    } else {
        "python3"
    }
}

/// A module of 60 lines.
fn module(seed: usize) -> String {
    let mut text = String::from("\"\"\"A module.\"\"\"\n\nimport os\n\n");
    for function in 0..FUNCTIONS {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "def function_{function}(first, second=\"{seed}\"):\n    \
             total = [item * {function} for item in first if item]\n    \
             return os.path.join(second, str(total), \"part-{function}\")\n\n\n"
        );
    }
    text
}

fn write_tree(folder: &Path) {
    for package in 0..FOLDERS {
        let path = folder.join(format!("p{:02}/q{:02}", package / 50, package % 50));
        fs::create_dir_all(&path).expect("a temporary folder can be written");
        for number in 0..MODULES {
            let name = match number {
                0 => "__init__.py".to_owned(),
                _ => format!("m{number:02}.py"),
            };
            fs::write(path.join(name), module(package * MODULES + number))
                .expect("a temporary file can be written");
        }
    }
}

fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command
        .stdout(Stdio::null())
        .env_remove("PYTHONDONTWRITEBYTECODE")
        .env_remove("PYTHONPYCACHEPREFIX")
        .status()
        .expect("the command can be started");
    let took = started.elapsed();
    assert!(status.success(), "{command:?}");
    took
}

fn doctor(folder: &Path, options: &[&str]) -> Duration {
    let mut command = Command::new(COLDSNAKE);
    command.args(["doctor", "--python", python(), "--tree"]);
    timed(command.arg(folder).args(options))
}

fn compileall(folder: &Path) -> Duration {
    timed(
        Command::new(python())
            .args(["-m", "compileall", "-q"])
            .arg(folder),
    )
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A bound, and whether it was kept.
fn bound(what: &str, seen: &str, kept: bool) {
    let word = if kept { "kept" } else { "MISSED" };
    println!("{what}: {seen}: {word}");
}

fn main() {
    fonts::register();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let tree = folder.path().join("tree");
    write_tree(&tree);
    // All of it is compiled, and in memory.
    compileall(&tree);

    let (mut ours, mut headers, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(doctor(&tree, &[]));
        headers.push(doctor(&tree, &["--headers-only"]));
        theirs.push(compileall(&tree));
    }
    let [ours, headers, theirs] = [ours, headers, theirs].map(median);
    let count = FOLDERS * MODULES;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    bound(
        &format!(
            "doctor of {count} modules that are cached, at most {} ms",
            AT_MOST.as_millis()
        ),
        &format!(
            "{:.0} ms, {ROUNDS} times; headers alone {:.0} ms",
            milliseconds(ours),
            milliseconds(headers)
        ),
        ours <= AT_MOST,
    );
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    bound(
        &format!("compileall -q with nothing to do there, at least {TIMES_FASTER} times slower"),
        &format!("{:.0} ms, {ratio:.1} times", milliseconds(theirs)),
        ratio >= TIMES_FASTER,
    );

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group(format!("doctor of {count} modules"));
    group.sample_size(10);
    for (name, options) in [("bodies", &[][..]), ("headers", &["--headers-only"])] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| doctor(&tree, options)).sum());
        });
    }
    group.finish();
    criterion.final_summary();
}
