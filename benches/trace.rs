//! What tracing adds to a start, against its bound: a traced launch takes at most 12 % longer than one
//! that is not, on the bundled apps. The two alternate in blocks, in random order, and are compared with
//! our own statistics, as `coldsnake trace` does.

use std::time::Duration;

use coldsnake::launch::{Interrupt, System};
use coldsnake::python::Interpreters;
use coldsnake::python::environment::CallerEnvironment;
use coldsnake::revision::Revisions;
use coldsnake::stage::{Backing, DropCaches, Setting, Workshop};
use coldsnake::suite::bundled::Bundled;
use coldsnake::suite::{Metric, Overrides, SuiteFile};
use coldsnake::trace::{Findings, MOST_OVERHEAD, Options, measure};

const APPS: [(&str, &str); 3] = [
    ("lernmanager", "warm"),
    ("lernmanager", "prefix-first"),
    ("httpserver", "warm"),
];
const OPTIONS: Options = Options {
    blocks: 120,
    budget: Duration::from_secs(60),
    seed: 1,
};

fn main() {
    for (app, scenario) in APPS {
        if let Err(error) = bench(app, scenario) {
            eprintln!("{app} under {scenario} is left out: {error}");
        }
    }
}

fn bench(app: &str, scenario: &str) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let bundled = Bundled::named(app).ok_or("there is no such suite")?;
    let mut suite = SuiteFile::read(&bundled.unpack(folder.path())?)?
        .with(&Overrides {
            baseline: Some(scenario.to_owned()),
            only: vec![scenario.to_owned()],
            ..Overrides::default()
        })?
        .suite()?;
    suite.measure.metrics = vec![Metric::Ready];
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
    let stages = &mut workshop.stages;
    let blocks = measure(stages, &suite.app, &OPTIONS, &mut launcher, &mut |_| ())?;
    let names = [(scenario.to_owned(), String::new())];
    let findings = Findings::of(app, app, OPTIONS.seed, &names, &blocks);
    let profile = findings.and_then(|findings| findings.profiles.into_iter().next());
    let profile = profile.ok_or("nothing was launched")?;
    let overhead = profile.overhead.ok_or("the times make no ratio")?;
    let interval = overhead.interval.ok_or("there were too few blocks")?;
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    println!(
        "tracing {app} under {scenario}, at most {:.0} % longer: {:.1} % [{:.1}, {:.1}], {} blocks, parts \
         sum to at least {:.2} %: {}",
        MOST_OVERHEAD * 100.0,
        percent(overhead.estimate),
        percent(interval.low()),
        percent(interval.high()),
        profile.blocks,
        profile.accounted * 100.0,
        if interval.high() - 1.0 <= MOST_OVERHEAD {
            "kept"
        } else {
            "MISSED"
        }
    );
    Ok(())
}
