//! What staging adds to a launch: an app of 5,000 files under a layer and in a copy, brought back to
//! its state before each launch and looked at after it.

mod fonts;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use coldsnake::launch::{Interrupt, System};
use coldsnake::python::Interpreters;
use coldsnake::python::environment::CallerEnvironment;
use coldsnake::revision::Revisions;
use coldsnake::stage::{Backing, Conditions, DropCaches, Setting, Stage, Workshop};
use coldsnake::suite::{LaunchKind, Suite, SuiteFile};
use criterion::Criterion;

const PACKAGES: usize = 250;
const MODULES: usize = 20;
const CONDITIONS: Conditions = Conditions {
    padding: 0,
    hash_seed: 0,
};

const SUITE: &str = r#"
[app]
name = "large"
source = "app"
command = ["{python}", "main.py"]
[measure]
metrics = ["exit"]
[[scenario]]
name = "warm"
[[scenario]]
name = "absent"
bytecode = "absent"
[[scenario]]
name = "read-only"
source = "read-only"
bytecode = "absent"
"#;

/// An app of 5,000 modules that loads 100 of them.
fn write_app(folder: &Path) {
    let mut main = String::new();
    for package in 0..PACKAGES {
        let path = folder.join(format!("p{package:03}"));
        fs::create_dir_all(&path).expect("a temporary folder can be written");
        fs::write(path.join("__init__.py"), "").expect("a temporary file can be written");
        for module in 1..MODULES {
            let text = format!("VALUE = {module}\n");
            fs::write(path.join(format!("m{module:02}.py")), text)
                .expect("a temporary file can be written");
        }
        if package < 50 {
            main += &format!("import p{package:03}.m01\n");
        }
    }
    fs::write(folder.join("main.py"), main).expect("a temporary file can be written");
}

/// The time around the process's life: a launch's, less what it reports.
fn around(stage: &mut Stage, suite: &Suite, system: &mut System<'_>) -> Duration {
    let started = Instant::now();
    let staged = stage
        .launch(&suite.app, LaunchKind::App, CONDITIONS, system)
        .expect("the stage can be reset");
    staged.launched.outcome.expect("the app exits with 0");
    started.elapsed().saturating_sub(staged.launched.times.wall)
}

fn bench(
    criterion: &mut Criterion,
    backing: Backing,
    name: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("suite.toml");
    fs::write(&path, SUITE)?;
    write_app(&folder.path().join("app"));
    let suite = SuiteFile::read(&path)?.suite()?;
    let caller = CallerEnvironment::observe();
    let interpreters = Interpreters::equip(&suite, &[], &caller, &mut |_| {})?;
    let interrupt = Interrupt::watch()?;
    let mut system = System::new(&interrupt)?;
    let setting = Setting {
        suite: &suite,
        interpreters: &interpreters,
        caller: &caller,
        revisions: &Revisions::default(),
        backing,
        drop_caches: DropCaches::Forbidden,
    };
    let mut workshop = Workshop::set_up(setting, &mut system)?;
    let mut group = criterion.benchmark_group(format!("staging of 5,000 files, {name}"));
    group.sample_size(10);
    for stage in &mut workshop.stages {
        group.bench_function(stage.scenario.name.clone(), |bencher| {
            bencher
                .iter_custom(|count| (0..count).map(|_| around(stage, &suite, &mut system)).sum());
        });
    }
    group.finish();
    Ok(())
}

fn main() {
    fonts::register();
    let mut criterion = Criterion::default().configure_from_args();
    for (backing, name) in [(Backing::Overlay, "overlay"), (Backing::Copy, "copy")] {
        if let Err(error) = bench(&mut criterion, backing, name) {
            eprintln!("{name} is left out: {error}");
        }
    }
    criterion.final_summary();
}
