//! pyperf's JSON, version 1.0: `benchmarks`, each with `runs`, which are processes, with `values` in
//! seconds.
//!
//! The values of one process are not independent of each other, so a run counts with their mean: the
//! process is what is repeated. Runs without values calibrated something, and are no measurement.

use serde_json::{Map, Value};

use super::{Facts, ForeignBenchmark, milliseconds, objects};
use crate::suite::Metric;

/// The version that pyperf has written since its own 1.0.
const VERSION: &str = "1.0";
/// What values are in, where nothing is said.
const SECOND: &str = "second";

/// The benchmarks, or what is wrong with them.
pub fn benchmarks(object: &Map<String, Value>) -> Result<Vec<ForeignBenchmark>, String> {
    if object.get("version").and_then(Value::as_str) != Some(VERSION) {
        return Err(format!(
            "its format's version is {}, and this build reads \"{VERSION}\": `python -m pyperf convert` \
             writes it anew",
            object.get("version").unwrap_or(&Value::Null)
        ));
    }
    let of_suite = object.get("metadata").and_then(Value::as_object);
    objects(object, "benchmarks", "")?
        .into_iter()
        .map(|(place, benchmark)| self::benchmark(benchmark, of_suite, &place))
        .collect()
}

fn benchmark(
    object: &Map<String, Value>,
    of_suite: Option<&Map<String, Value>>,
    place: &str,
) -> Result<ForeignBenchmark, String> {
    let runs = objects(object, "runs", &format!("{place}."))?;
    // What all have in common stands further up: in the benchmark, in the file.
    let of_run = runs.first().and_then(|(_, run)| run.get("metadata"));
    let layers = [
        of_run.and_then(Value::as_object),
        object.get("metadata").and_then(Value::as_object),
        of_suite,
    ];
    let get = |name: &str| {
        layers
            .into_iter()
            .flatten()
            .find_map(|layer| layer.get(name))
    };
    let text = |name: &str| get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").ok_or_else(|| format!("`{place}` has no name in its `metadata`"))?;
    let unit = text("unit").unwrap_or_else(|| SECOND.to_owned());
    if unit != SECOND {
        return Err(format!(
            "the unit of {name} is \"{unit}\", and not \"{SECOND}\": its values are no times"
        ));
    }
    let mut times_ms = Vec::new();
    for (place, run) in &runs {
        let values = match run.get("values") {
            Some(Value::Array(values)) => values.as_slice(),
            Some(_) => return Err(format!("`{place}.values` is no list")),
            None => &[],
        };
        let values: Vec<f64> = values
            .iter()
            .enumerate()
            .map(|(index, value)| milliseconds(value, &format!("{place}.values[{index}]")))
            .collect::<Result<_, _>>()?;
        if !values.is_empty() {
            times_ms.push(values.iter().sum::<f64>() / values.len() as f64);
        }
    }
    if times_ms.is_empty() {
        return Err(format!("{name} has no run with values"));
    }
    let version = text("python_version");
    // "3.11.7 (64-bit) revision fa7a6f2303"
    let version = version.and_then(|all| Some(all.split_whitespace().next()?.to_owned()));
    Ok(ForeignBenchmark {
        name,
        times_ms,
        metric: text("coldsnake_metric").and_then(|name| Metric::from_name(&name)),
        facts: Facts {
            interpreter: text("python_implementation")
                .zip(version)
                .map(|(implementation, version)| format!("{implementation} {version}")),
            cpu_model: text("cpu_model_name"),
            cpus: get("cpu_count").and_then(Value::as_u64),
            hostname: text("hostname"),
        },
        nonzero: 0,
    })
}
