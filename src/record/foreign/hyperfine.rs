//! hyperfine's JSON: `results`, each with the times of its runs in seconds: in versions 1.x the list
//! `times`, since 2.0, which writes a `schema_version`, one in each of the `measurements`.

use serde_json::{Map, Value};

use super::{Facts, ForeignBenchmark, milliseconds, objects};
use crate::suite::Metric;

/// Which of the two forms a file has.
#[derive(Debug, Clone, Copy)]
enum Schema {
    One,
    Two,
}

/// The benchmarks, or what is wrong with them.
pub fn benchmarks(object: &Map<String, Value>) -> Result<Vec<ForeignBenchmark>, String> {
    let schema = match object.get("schema_version") {
        None => Schema::One,
        Some(version) if version.as_u64() == Some(2) => Schema::Two,
        Some(version) => {
            return Err(format!(
                "its schema's version is {version}, and this build reads 2, and files without one"
            ));
        }
    };
    let results = objects(object, "results", "")?;
    let commands: Vec<&str> = results
        .iter()
        .map(|(place, result)| {
            // Since 2.0, `command` is what was run, and `name` what it was called.
            match result.get("name").or_else(|| result.get("command")) {
                Some(Value::String(command)) => Ok(command.as_str()),
                _ => Err(format!("`{place}` has no `command`")),
            }
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
            times_ms: match schema {
                Schema::One => times(result, place, command)?,
                Schema::Two => measurements(result, place, command)?,
            },
            // hyperfine times from spawn to exit. Where coldsnake wrote the file, it says what.
            metric: Some(metric(parameters).unwrap_or(Metric::Exit)),
            facts: Facts::default(),
            nonzero: nonzero(result),
        });
    }
    Ok(all)
}

fn listed(parameters: &Map<String, Value>) -> String {
    let each = parameters
        .iter()
        .map(|(name, value)| match parameter(value) {
            Some(text) => format!("{name} = {text}"),
            None => format!("{name} = {value}"),
        });
    each.collect::<Vec<_>>().join(", ")
}

/// A string, or since 2.0 an object with one.
fn parameter(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("value")?.as_str())
}

fn metric(parameters: Option<&Map<String, Value>>) -> Option<Metric> {
    let name = parameter(parameters?.get("metric")?)?;
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

fn measurements(
    result: &Map<String, Value>,
    place: &str,
    command: &str,
) -> Result<Vec<f64>, String> {
    let measured = objects(result, "measurements", &format!("{place}."))?;
    if measured.is_empty() {
        return Err(format!("`{place}.measurements` ({command}) is empty"));
    }
    let each = measured.iter().map(|(place, measurement)| {
        let place = format!("{place}.time_wall_clock");
        let Some(time) = measurement.get("time_wall_clock") else {
            return Err(format!("`{place}` is missing"));
        };
        match time.get("unit").and_then(Value::as_str) {
            Some("second") => {}
            _ => return Err(format!("`{place}` is not in seconds")),
        }
        let value = time.get("value").unwrap_or(&Value::Null);
        milliseconds(value, &format!("{place}.value"))
    });
    each.collect()
}

/// `--ignore-failure` keeps such runs among the others. `null` is a signal, by which servers are ended.
fn nonzero(result: &Map<String, Value>) -> usize {
    let list = |key: &str| {
        result
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let codes = list("exit_codes");
    let of_measurements = list("measurements").filter_map(|each| each.get("exit_code"));
    let nonzero = |code: &&Value| code.as_i64().is_some_and(|code| code != 0);
    codes.chain(of_measurements).filter(nonzero).count()
}
