//! The bundled suites as benchmarks: each scenario's launches, timed as `coldsnake run` times
//! them. For comparing scenarios use `coldsnake run`, whose blocks keep drift out; this is for
//! watching one scenario over time with criterion's tools.

mod fonts;

use std::time::Duration;

use coldsnake::launch::{Interrupt, Launcher, System};
use coldsnake::python::Interpreters;
use coldsnake::python::environment::CallerEnvironment;
use coldsnake::revision::Revisions;
use coldsnake::stage::{Backing, Conditions, DropCaches, Setting, Stage, Workshop};
use coldsnake::suite::bundled::{ALL, Bundled};
use coldsnake::suite::{Metric, Suite, SuiteFile};
use criterion::{Criterion, SamplingMode};

/// The same for all launches: criterion knows no blocks.
const CONDITIONS: Conditions = Conditions {
    padding: 0,
    hash_seed: 0,
};

/// The suite's first metric over so many launches.
fn measure(
    stage: &mut Stage,
    suite: &Suite,
    metric: Metric,
    launcher: &mut dyn Launcher,
    count: u64,
) -> Duration {
    (0..count)
        .map(|_| {
            let staged = stage
                .launch(&suite.app, metric.launch_kind(), CONDITIONS, launcher)
                .expect("the stage can be reset");
            let launched = staged.launched;
            if let Err(failure) = launched.outcome {
                panic!("a launch under `{}` failed: {failure}", stage.scenario.name);
            }
            launched
                .times
                .metric(metric)
                .expect("a good launch yields its metric")
        })
        .sum()
}

fn bench(criterion: &mut Criterion, bundled: &Bundled) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let suite = SuiteFile::read(&bundled.unpack(folder.path())?)?.suite()?;
    let caller = CallerEnvironment::observe();
    let interpreters = Interpreters::equip(&suite, &[], &caller, &mut |what| eprintln!("{what}"))?;
    let interrupt = Interrupt::watch()?;
    let mut launcher = System::new(&interrupt)?;
    let setting = Setting {
        suite: &suite,
        interpreters: &interpreters,
        caller: &caller,
        revisions: &Revisions::default(),
        backing: Backing::Automatic,
        drop_caches: DropCaches::Forbidden,
    };
    let mut workshop = Workshop::set_up(setting, &mut launcher)?;
    let Some(&metric) = suite.measure.metrics.first() else {
        return Ok(());
    };
    let mut group = criterion.benchmark_group(format!("{} {metric}", bundled.name));
    // Launches take long and all take about the same: few samples of few launches.
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .measurement_time(Duration::from_secs(5));
    for stage in &mut workshop.stages {
        let name = stage.scenario.name.clone();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| measure(stage, &suite, metric, &mut launcher, count));
        });
    }
    group.finish();
    Ok(())
}

fn main() {
    fonts::register();
    let mut criterion = Criterion::default().configure_from_args();
    for bundled in &ALL {
        // The full suite's other states are the default one's and six more.
        if bundled.name == "lernmanager" {
            continue;
        }
        if let Err(error) = bench(&mut criterion, bundled) {
            eprintln!("{} is left out: {error}", bundled.name);
        }
    }
    criterion.final_summary();
}
