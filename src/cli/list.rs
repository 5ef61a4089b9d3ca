//! `coldsnake list`: the bundled suites.

use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::exit::{Failed, Status};
use super::output::{print, stdout_terminal};
use crate::report::{Page, Terminal};
use crate::suite::bundled::{self, Bundled};
use crate::suite::{Metric, Suite};

/// List the bundled suites
///
/// Of each: what it measures, its scenarios with the baseline first, the claims that it decides, how
/// long it takes, and whether it needs a network. They are inside the program, and need no file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake list
  coldsnake list --format json")]
pub struct Args {
    /// How they are listed
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

/// `--format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ListFormat {
    /// Sentences, and the command that runs each
    #[default]
    Text,
    /// A list of objects, with the words of every scenario and claim
    Json,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let mut suites = Vec::new();
    for bundled in &bundled::ALL {
        suites.push((bundled, bundled.file().suite()?));
    }
    print(&match args.format {
        ListFormat::Text => text(&suites, stdout_terminal()),
        ListFormat::Json => json_text(&suites),
    });
    Ok(Status::Done)
}

/// Where the words of a suite begin, below its name.
const INDENT: usize = 13;

fn text(suites: &[(&Bundled, Suite)], terminal: Terminal) -> String {
    let mut page = Page::new(terminal);
    for (bundled, suite) in suites {
        page.sentence("", &format!("{}: {}", bundled.name, bundled.about), 0);
        let budget = minutes(suite.measure.budget);
        let network = if suite.app.requirements.is_some() {
            "the first run installs packages, from the network"
        } else {
            "needs no packages and no network"
        };
        let metrics: Vec<&str> = metrics(suite);
        for (lead, words) in [
            ("measures", metrics.join(", ")),
            ("scenarios", scenarios(suite).join(", ")),
            ("claims", claims(suite).join(", ")),
            (
                "takes",
                format!("{budget}, and what preparing takes; {network}"),
            ),
        ] {
            page.sentence(&format!("  {lead}"), &words, INDENT);
        }
        let default = if bundled.name == bundled::DEFAULT {
            ", or `coldsnake` alone"
        } else {
            ""
        };
        let run = format!("coldsnake run {}{default}", bundled.name);
        page.sentence("  run it", &run, INDENT);
        page.blank();
    }
    page.sentence(
        "",
        "Any other app needs no suite: `coldsnake run -- CMD` measures a command, `coldsnake init -- CMD` \
         writes a suite for it.",
        0,
    );
    page.into_text()
}

fn json_text(suites: &[(&Bundled, Suite)]) -> String {
    let suites: Vec<Value> = suites
        .iter()
        .map(|(bundled, suite)| {
            let scenarios: Vec<Value> = suite
                .scenarios
                .iter()
                .map(|scenario| json!({ "name": scenario.name, "about": scenario.about }))
                .collect();
            let claims: Vec<Value> = suite
                .claims
                .iter()
                .map(|claim| json!({ "id": claim.id, "text": claim.text }))
                .collect();
            json!({
                "name": bundled.name,
                "about": bundled.about,
                "default": bundled.name == bundled::DEFAULT,
                "app": suite.app.name,
                "metrics": metrics(suite),
                "baseline": suite.measure.baseline,
                "scenarios": scenarios,
                "claims": claims,
                "budget_s": suite.measure.budget.as_secs_f64(),
                "needs_network": suite.app.requirements.is_some(),
            })
        })
        .collect();
    format!("{:#}\n", Value::from(suites))
}

fn metrics(suite: &Suite) -> Vec<&'static str> {
    let metrics = suite.measure.metrics.iter();
    metrics.map(|metric: &Metric| metric.name()).collect()
}

/// The baseline first.
fn scenarios(suite: &Suite) -> Vec<&str> {
    let mut names: Vec<&str> = suite
        .scenarios
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    names.sort_by_key(|name| *name != suite.measure.baseline);
    names
}

fn claims(suite: &Suite) -> Vec<&str> {
    suite.claims.iter().map(|claim| claim.id.as_str()).collect()
}

fn minutes(budget: Duration) -> String {
    match budget.as_secs() {
        seconds if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
