//! What the harness itself costs: a launch against the bare system calls, a run's own CPU time
//! against its wall time, and the way from a record to its report.
//!
//! Three bounds are printed first, each with what was seen: a launch takes at most 5 % more than
//! posix_spawn(3) and wait4(2); a run itself computes for at most 2 % of its time; a million samples
//! are read, analysed and reported within 5 seconds and 1 GB.
//!
//! Launch and bare floor are timed in turn, pair by pair, and compared with our own statistics: a
//! ratio of two benchmarks that ran one after the other would be at the mercy of the machine's
//! drift. Run and report are measured from outside, as whole processes.

mod fonts;

use std::fs;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coldsnake::analysis::analyse;
use coldsnake::launch::{GRACE, Interrupt, Launcher, Spec, System, Until, User, kernel_counters};
use coldsnake::record::Record;
use coldsnake::stats::hodges_lehmann;
use coldsnake::stats::interval::Level;
use criterion::{BenchmarkId, Criterion, Throughput};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

const TRUE: &str = "/bin/true";
const PAIRS: usize = 2000;
const MILLION: usize = 1_000_000;
/// The program itself, in the bench's own profile.
const COLDSNAKE: &str = env!("CARGO_BIN_EXE_coldsnake");

/// An app of 50 ms or so that is over by itself.
const SUITE: &str = r#"
[app]
name = "short"
source = "app"
command = ["{python}", "main.py"]
[measure]
metrics = ["exit"]
[[scenario]]
name = "warm"
[[scenario]]
name = "cold"
bytecode = "absent"
"#;
const APP: &str = "import argparse, email, json, logging, http.client, urllib.request, mine\n";

/// posix_spawn(3) and wait4(2), and nothing else: as little as a launch can cost.
fn bare() -> Duration {
    let program = c"/bin/true";
    let argv = [program.as_ptr().cast_mut(), std::ptr::null_mut()];
    let env = [std::ptr::null_mut()];
    let mut pid = 0;
    let started = Instant::now();
    // SAFETY: argv and env are NULL-ended arrays of C strings that outlive the call; the other
    // pointers are null, which posix_spawn allows, or point to live values.
    unsafe {
        let result = libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            std::ptr::null(),
            std::ptr::null(),
            argv.as_ptr(),
            env.as_ptr(),
        );
        assert_eq!(result, 0, "cannot spawn {TRUE}");
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::wait4(pid, std::ptr::null_mut(), 0, &raw mut usage);
    }
    started.elapsed()
}

fn spec() -> Spec {
    Spec {
        program: PathBuf::from(TRUE),
        args: Vec::new(),
        env: Vec::new(),
        folder: PathBuf::from("/"),
        user: User::Current,
        group: None,
        until: Until::Exit,
        timeout: Duration::from_secs(10),
        grace: GRACE,
    }
}

/// The wall time that a launch reports: what ends up in results.
fn reported(system: &mut System<'_>, spec: &Spec) -> Duration {
    let launched = system.launch(spec).expect("nobody interrupts a benchmark");
    launched.outcome.expect("/bin/true succeeds");
    launched.times.wall
}

/// A bound, and whether it was kept.
fn bound(what: &str, seen: &str, kept: bool) {
    let word = if kept { "kept" } else { "MISSED" };
    println!("{what}: {seen}: {word}");
}

fn launch(criterion: &mut Criterion) {
    let interrupt = Interrupt::watch().expect("signals can be watched");
    let mut system = System::new(&interrupt).expect("processes can be launched");
    let spec = spec();

    let mut pairs = Vec::with_capacity(PAIRS);
    for pair in 0..PAIRS {
        // In turn, and in turn who is first.
        let (floor, ours) = if pair % 2 == 0 {
            let floor = bare();
            (floor, reported(&mut system, &spec))
        } else {
            let ours = reported(&mut system, &spec);
            (bare(), ours)
        };
        pairs.push((floor.as_secs_f64(), ours.as_secs_f64()));
    }
    let ratio = hodges_lehmann::ratio(&pairs, Level::P95).expect("all times are positive");
    let interval = ratio.interval.expect("there are enough pairs");
    bound(
        &format!("a launch of {TRUE}, at most 1.05 times the bare posix_spawn + wait4"),
        &format!(
            "{:.3} [{:.3}, {:.3}], {PAIRS} pairs",
            ratio.estimate,
            interval.low(),
            interval.high()
        ),
        interval.high() <= 1.05,
    );

    let mut group = criterion.benchmark_group("launch");
    group.bench_function("bare posix_spawn + wait4", |bencher| {
        bencher.iter_custom(|count| (0..count).map(|_| bare()).sum());
    });
    group.bench_function("ours, as reported", |bencher| {
        bencher.iter_custom(|count| (0..count).map(|_| reported(&mut system, &spec)).sum());
    });
    group.bench_function("ours, with everything around it", |bencher| {
        bencher.iter(|| reported(&mut system, &spec));
    });
    group.finish();
}

/// What the kernel's counters add to a launch, in turn with launches without them.
fn counters() {
    let interrupt = Interrupt::watch().expect("signals can be watched");
    let with = System::new(&interrupt).expect("processes can be launched");
    let without = System::new(&interrupt).expect("processes can be launched");
    let (mut with, mut without) = (with, without.without_counters());
    let python = Spec {
        program: PathBuf::from("/usr/bin/python3"),
        args: ["-I", "-c", "pass"].map(Into::into).to_vec(),
        ..spec()
    };
    for spec in [spec(), python] {
        if !spec.program.exists() {
            continue;
        }
        let mut added = Vec::with_capacity(PAIRS);
        for pair in 0..PAIRS {
            let (plain, counted) = if pair % 2 == 0 {
                let plain = reported(&mut without, &spec);
                (plain, reported(&mut with, &spec))
            } else {
                let counted = reported(&mut with, &spec);
                (reported(&mut without, &spec), counted)
            };
            added.push((counted.as_secs_f64() - plain.as_secs_f64()) * 1e6);
        }
        if let Some(shift) = hodges_lehmann::estimate(&added, Level::P95)
            && let Some(interval) = shift.interval
        {
            println!(
                "the counters ({}) add {:.0} us [{:.0}, {:.0}] to a launch of {}, {PAIRS} pairs",
                kernel_counters().counted.join(", "),
                shift.estimate,
                interval.low(),
                interval.high(),
                spec.program.display()
            );
        }
    }
}

/// What a process used by itself, without its children.
struct Own {
    wall: Duration,
    cpu: Duration,
    peak_mib: u64,
}

/// Runs coldsnake to its end. What it used is read while it is dead and not yet waited for: rusage
/// after wait4(2) counts the launches that it waited for, too.
fn own(arguments: &[&str], folder: &Path) -> Own {
    let started = Instant::now();
    #[expect(
        clippy::zombie_processes,
        reason = "wait4 below gives its peak memory, too"
    )]
    let child = Command::new(COLDSNAKE)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("coldsnake was built for this bench");
    let pid = child.id();
    // SAFETY: siginfo_t may be all zeroes, and is only written to.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let flags = libc::WEXITED | libc::WNOWAIT;
        assert_eq!(libc::waitid(libc::P_PID, pid, &raw mut info, flags), 0);
    }
    let wall = started.elapsed();
    let stat = procfs::process::Process::new(pid as i32)
        .and_then(|process| process.stat())
        .expect("a dead child has its /proc/PID/stat until it is waited for");
    let ticks = procfs::ticks_per_second();
    let cpu = Duration::from_secs_f64((stat.utime + stat.stime) as f64 / ticks as f64);
    let mut status = 0;
    // SAFETY: rusage may be all zeroes; the child has not been waited for, and `child` is not used
    // any more.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::wait4(pid as i32, &raw mut status, 0, &raw mut usage);
        usage
    };
    assert_eq!(status, 0, "coldsnake {arguments:?} failed");
    Own {
        wall,
        cpu,
        peak_mib: usage.ru_maxrss as u64 / 1024,
    }
}

/// The own CPU time of two runs, each from its start to its report.
fn runs() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("a temporary file can be written");
    };
    fs::create_dir(folder.path().join("app")).expect("a temporary folder can be made");
    write("suite.toml", SUITE);
    write("app/main.py", APP);
    write("app/mine.py", "VALUE = 1\n");
    run("suite.toml", folder.path());
    run("httpserver", folder.path());
}

fn run(suite: &str, folder: &Path) {
    let out = format!("run of {suite}");
    let own = own(
        &[
            "run",
            suite,
            "--budget",
            "20s",
            "--precision",
            "0.001%",
            "--out",
            &out,
        ],
        folder,
    );
    let record = Record::read(&folder.join(&out)).expect("the run left its record");
    let share = own.cpu.as_secs_f64() / own.wall.as_secs_f64();
    bound(
        &format!("run of {suite}, own CPU at most 2 % of its wall time"),
        &format!(
            "{:.2} s of {:.1} s, {:.2} %, with {} launches and the report",
            own.cpu.as_secs_f64(),
            own.wall.as_secs_f64(),
            share * 100.0,
            record.launches.len()
        ),
        share <= 0.02,
    );
}

/// A million samples, from the record to all that a report consists of. Peak memory begins at what
/// this process once held (exec(2) passes it on), so this comes before records are read here.
fn million() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = record_of(MILLION, folder.path());
    let record = path.to_str().expect("temporary paths are text");
    let own = own(&["report", record, "--out", "report"], folder.path());
    bound(
        "1,000,000 samples read, analysed and reported, at most 5 s and 1 GB",
        &format!(
            "{:.1} s, {:.1} s of CPU, {} MiB",
            own.wall.as_secs_f64(),
            own.cpu.as_secs_f64(),
            own.peak_mib
        ),
        own.wall <= Duration::from_secs(5) && own.peak_mib <= 953,
    );
}

/// The reference run's record, its blocks repeated until there are so many launches. No two
/// repetitions have the same times: sorting is quick where many values are equal.
fn record_of(launches: usize, folder: &Path) -> PathBuf {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/lernmanager/record.jsonl");
    let text = fs::read_to_string(reference).expect("the reference run is part of the repository");
    let (repeated, others): (Vec<Value>, Vec<Value>) = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("the reference run is whole"))
        .partition(|line: &Value| line["type"] == "launch");
    let greatest = |field: &str| {
        let values = repeated.iter().filter_map(|launch| launch[field].as_f64());
        values.fold(0.0, f64::max)
    };
    let (blocks, span) = (greatest("block") as u64 + 1, greatest("at_ms"));
    let (end, head): (Vec<_>, Vec<_>) = others.iter().partition(|line| line["type"] == "end");
    let path = folder.join(format!("{launches}.jsonl"));
    let file = fs::File::create(&path).expect("a temporary file can be written");
    let mut file = BufWriter::new(file);
    let mut put = |line: &Value| {
        writeln!(file, "{line}").expect("a temporary file can be written");
    };
    head.into_iter().for_each(&mut put);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let repetitions = (0..).flat_map(|repetition| repeated.iter().map(move |l| (repetition, l)));
    for (repetition, launch) in repetitions.take(launches) {
        let mut launch = launch.clone();
        launch["block"] = (launch["block"].as_u64().unwrap_or(0) + repetition * blocks).into();
        let at = launch["at_ms"].as_f64().unwrap_or(0.0) + repetition as f64 * span;
        launch["at_ms"] = at.into();
        if let Some(metrics) = launch["metrics"].as_object_mut() {
            for value in metrics.values_mut() {
                let spread = 1.0 + random.random_range(-0.02..0.02);
                *value = (value.as_f64().unwrap_or(0.0) * spread).into();
            }
        }
        put(&launch);
    }
    end.into_iter().for_each(&mut put);
    file.flush().expect("a temporary file can be written");
    path
}

fn analysis(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut group = criterion.benchmark_group("record");
    group.sample_size(10);
    for launches in [1_000, 100_000] {
        let path = record_of(launches, folder.path());
        group.throughput(Throughput::Elements(launches as u64));
        group.bench_with_input(
            BenchmarkId::new("read", launches),
            &path,
            |bencher, path| {
                bencher.iter(|| black_box(Record::read(path).expect("the record is whole")));
            },
        );
        let record = Record::read(&path).expect("the record is whole");
        group.bench_with_input(
            BenchmarkId::new("analyse", launches),
            &record,
            |bencher, record| {
                bencher.iter(|| black_box(analyse(record)));
            },
        );
    }
    group.finish();
}

fn main() {
    fonts::register();
    let mut criterion = Criterion::default().configure_from_args();
    counters();
    launch(&mut criterion);
    runs();
    million();
    analysis(&mut criterion);
    criterion.final_summary();
}
