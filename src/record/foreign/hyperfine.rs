//! hyperfine's JSON: `results`, each with the `times` of its runs in seconds.

use serde_json::{Map, Value};

use super::{Facts, ForeignBenchmark, milliseconds, objects};
use crate::suite::Metric;

/// The benchmarks, or what is wrong with them.
pub fn benchmarks(object: &Map<String, Value>) -> Result<Vec<ForeignBenchmark>, String> {
    let results = objects(object, "results", "")?;
    let commands: Vec<&str> = results
        .iter()
        .map(|(place, result)| match result.get("command") {
            Some(Value::String(command)) => Ok(command.as_str()),
            _ => Err(format!("`{place}` has no `command`")),
        })
        .collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for ((place, result), command) in results.iter().zip(&commands) {
        let once = commands.iter().filter(|each| *each == command).count() == 1;
        let parameters = result.get("parameters").and_then(Value::as_object);
        all.push(ForeignBenchmark {
            name: match parameters {
                // A parameter that the command's name does not show.
                Some(parameters) if !once => format!("{command} ({})", listed(parameters)),
                _ => (*command).to_owned(),
            },
            times_ms: times(result, place, command)?,
            // hyperfine times from spawn to exit. Where coldsnake wrote the file, it says what.
            metric: Some(metric(parameters).unwrap_or(Metric::Exit)),
            facts: Facts::default(),
            nonzero: nonzero(result),
        });
    }
    Ok(all)
}

fn listed(parameters: &Map<String, Value>) -> String {
    let each = parameters.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name} = {text}"),
        other => format!("{name} = {other}"),
    });
    each.collect::<Vec<_>>().join(", ")
}

fn metric(parameters: Option<&Map<String, Value>>) -> Option<Metric> {
    let name = parameters?.get("metric")?.as_str()?;
    // Someone else's parameter of that name says nothing of this.
    parameters?.get("scenario")?;
    Metric::from_name(name)
}

fn times(result: &Map<String, Value>, place: &str, command: &str) -> Result<Vec<f64>, String> {
    let times = match result.get("times") {
        Some(Value::Array(times)) => times,
        Some(Value::Null) | None => {
            return Err(format!(
                "`{place}` ({command}) has no `times`: a comparison needs the time of each run, and not \
                 their mean"
            ));
        }
        Some(_) => return Err(format!("`{place}.times` is no list")),
    };
    if times.is_empty() {
        return Err(format!("`{place}.times` ({command}) is empty"));
    }
    let each = times.iter().enumerate();
    each.map(|(index, time)| milliseconds(time, &format!("{place}.times[{index}]")))
        .collect()
}

/// `--ignore-failure` keeps such runs among the others. `null` is a signal, by which servers are ended.
fn nonzero(result: &Map<String, Value>) -> usize {
    let codes = result.get("exit_codes").and_then(Value::as_array);
    let nonzero = |code: &&Value| code.as_i64().is_some_and(|code| code != 0);
    codes.map_or(0, |codes| codes.iter().filter(nonzero).count())
}
