//! What the harness itself costs: a launch against the bare system calls, and the way from a
//! record to its analysis.
//!
//! Launch and bare floor are also timed in turn, pair by pair, and compared with our own
//! statistics: a ratio of two benchmarks that ran one after the other would be at the mercy of
//! the machine's drift.

mod fonts;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coldsnake::analysis::analyse;
use coldsnake::launch::{GRACE, Interrupt, Launcher, Spec, System, Until, User, kernel_counters};
use coldsnake::record::Record;
use coldsnake::stats::hodges_lehmann;
use coldsnake::stats::interval::Level;
use criterion::{BenchmarkId, Criterion, Throughput};

const TRUE: &str = "/bin/true";
const PAIRS: usize = 2000;

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
    if let Some(ratio) = hodges_lehmann::ratio(&pairs, Level::P95)
        && let Some(interval) = ratio.interval
    {
        println!(
            "a launch of {TRUE} takes {:.3} times the bare posix_spawn + wait4 [{:.3}, {:.3}], {PAIRS} pairs",
            ratio.estimate,
            interval.low(),
            interval.high()
        );
    }

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

/// The reference run's record, its blocks repeated until there are so many launches.
fn record_of(launches: usize, folder: &Path) -> PathBuf {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/lernmanager/record.jsonl");
    let text = fs::read_to_string(reference).expect("the reference run is part of the repository");
    let is_launch = |line: &&str| line.starts_with(r#"{"type":"launch""#);
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !is_launch(line) && !line.starts_with(r#"{"type":"end""#))
        .map(str::to_owned)
        .collect();
    let mut repeated: Vec<serde_json::Value> = text
        .lines()
        .filter(is_launch)
        .map(|line| serde_json::from_str(line).expect("the reference run is whole"))
        .collect();
    let blocks = repeated
        .iter()
        .filter_map(|launch| launch["block"].as_u64())
        .max()
        .unwrap_or(0)
        + 1;
    while lines.len() < launches {
        for launch in &mut repeated {
            lines.push(launch.to_string());
            launch["block"] = (launch["block"].as_u64().unwrap_or(0) + blocks).into();
        }
    }
    let path = folder.join(format!("{launches}.jsonl"));
    fs::write(&path, lines.join("\n") + "\n").expect("a temporary file can be written");
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
    analysis(&mut criterion);
    criterion.final_summary();
}
