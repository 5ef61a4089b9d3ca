//! The suite's TOML, with comments.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::parse::Unit;
use super::source::Source;
use crate::suite::text::{ScenarioText, comment, key, list, string};

/// `[app]`.
pub(super) struct App<'a> {
    pub name: String,
    pub source: &'a Source,
    pub words: &'a [String],
    pub env: &'a BTreeMap<String, String>,
    pub ready: Option<&'static str>,
    pub ready_because: String,
    pub requirements: Option<PathBuf>,
}

/// Writes the suite. The first scenario is the baseline. What could not be said stands at its head.
pub(super) fn write(
    unit: &Unit,
    app: &App<'_>,
    scenarios: &[ScenarioText],
    said: &[String],
) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out += text;
        out.push('\n');
    };
    line(&comment(&format!(
        "Made of {} by coldsnake.",
        unit.path.display()
    )));
    for drop_in in &unit.drop_ins {
        line(&comment(&format!("With {}.", drop_in.display())));
    }
    if !said.is_empty() {
        line("#\n# What is not taken over, or had to be changed:");
        for sentence in said {
            line(&comment(&format!("- {sentence}")));
        }
    }
    line("\n[app]");
    line(&format!("name = {}", string(&app.name)));
    line(&format!(
        "source = {}",
        string(&app.source.here.to_string_lossy())
    ));
    if let Some(requirements) = &app.requirements {
        line(&format!(
            "requirements = {}",
            string(&requirements.to_string_lossy())
        ));
    }
    line(&format!("command = {}", list(app.words)));
    line(&comment(&app.ready_because));
    if let Some(ready) = app.ready {
        line(&format!("ready = {ready}"));
    }
    if let Some(baseline) = scenarios.first() {
        line(&format!(
            "\n[measure]\nbaseline = {}",
            string(baseline.name)
        ));
    }
    if !app.env.is_empty() {
        line("\n[app.env]");
        for (name, value) in app.env {
            line(&format!("{} = {}", key(name), string(value)));
        }
    }
    for scenario in scenarios {
        out += &scenario.toml();
    }
    out
}
