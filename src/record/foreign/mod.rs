//! Files of other programs that hold what launches took: hyperfine's and pyperf's JSON.
//!
//! A file is known by what is in it, whatever its name is. What only looks like one of the two is an
//! error that says where it differs: a time that is left out, or taken for another unit, would be a
//! figure of something else.

mod hyperfine;
mod pyperf;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::suite::Metric;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Hyperfine,
    Pyperf,
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Hyperfine => "hyperfine",
            Self::Pyperf => "pyperf",
        })
    }
}

/// A file of another program.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    pub program: Program,
    /// At least one; their names differ.
    pub benchmarks: Vec<ForeignBenchmark>,
}

/// What another program calls a benchmark or a command.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignBenchmark {
    pub name: String,
    /// One a process, in the order of the file: finite, above zero, at least one.
    pub times_ms: Vec<f64>,
    /// What was timed, if the file tells.
    pub metric: Option<Metric>,
    pub facts: Facts,
    /// Launches that ended with another status than 0, and have a time nevertheless.
    pub nonzero: usize,
}

/// What the file says about where it was measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// "cpython 3.11.7"
    pub interpreter: Option<String>,
    pub cpu_model: Option<String>,
    /// All that are online.
    pub cpus: Option<u64>,
    pub hostname: Option<String>,
}

/// A file that is neither a record nor one of these, or one whose times cannot be used.
#[derive(Debug, Error)]
pub enum ForeignError {
    #[error("cannot read {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is empty", path.display())]
    Empty { path: PathBuf },
    #[error(
        "{} is compressed\n  unpack it first: gunzip --keep {}",
        path.display(),
        path.display()
    )]
    Compressed { path: PathBuf },
    #[error(
        "{} is larger than {} MiB, which no file of hyperfine or pyperf is, and its first line is not a \
         record's",
        path.display(),
        LARGEST >> 20
    )]
    Large { path: PathBuf },
    #[error(
        "{} is neither a record nor JSON of hyperfine or pyperf: {reason}\n  \
         give a record.jsonl, the folder of a run, or what `hyperfine --export-json` or \
         `pyperf … -o` wrote",
        path.display()
    )]
    Neither { path: PathBuf, reason: String },
    #[error("{} looks like {program}'s JSON, but {reason}", path.display())]
    Unusable {
        path: PathBuf,
        program: Program,
        reason: String,
    },
}

/// No file of these programs is larger than this, in bytes.
const LARGEST: u64 = 64 << 20;
/// A record's first line is shorter than this, in bytes.
const LONGEST_HEADER: usize = 4 << 20;
/// No start takes as long as this, in seconds: a year.
const LONGEST_S: f64 = 365.0 * 86_400.0;
/// Nor is one as short as this: no clock counts less than a nanosecond.
const SHORTEST_S: f64 = 1e-9;

impl Foreign {
    /// What the file holds, if it is one of another program. `None`: it has the first line of a record,
    /// or is not a file that can be read twice, such as a pipe. [`super::Record::read`] says what is
    /// wrong with it, then.
    ///
    /// # Errors
    /// When it is neither, or does not hold the times that it should.
    pub fn read(path: &Path) -> Result<Option<Self>, ForeignError> {
        let owned = || path.to_owned();
        let io = |source| ForeignError::Io {
            path: owned(),
            source,
        };
        if !path.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let mut file = File::open(path).map_err(io)?;
        let header = LONGEST_HEADER as u64;
        file.by_ref()
            .take(header)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        if bytes.is_empty() {
            return Err(ForeignError::Empty { path: owned() });
        }
        if bytes.starts_with(b"\x1f\x8b") {
            return Err(ForeignError::Compressed { path: owned() });
        }
        if is_record(&bytes) {
            return Ok(None);
        }
        file.take(LARGEST).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > LARGEST {
            return Err(ForeignError::Large { path: owned() });
        }
        Self::of_json(path, &bytes).map(Some)
    }

    fn of_json(path: &Path, bytes: &[u8]) -> Result<Self, ForeignError> {
        let neither = |reason: String| ForeignError::Neither {
            path: path.to_owned(),
            reason,
        };
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            // As Python writes them, which is not JSON.
            let number = ["NaN", "Infinity"]
                .into_iter()
                .find(|word| holds(bytes, word.as_bytes()));
            neither(match number {
                Some(number) => format!("{error} ({number} is no number in JSON)"),
                None => error.to_string(),
            })
        })?;
        let Value::Object(object) = value else {
            return Err(neither("it holds no object".to_owned()));
        };
        let (program, benchmarks) = if object.contains_key("results") {
            (Program::Hyperfine, hyperfine::benchmarks(&object))
        } else if object.contains_key("benchmarks") && object.contains_key("version") {
            (Program::Pyperf, pyperf::benchmarks(&object))
        } else {
            return Err(neither(
                "it has neither `results`, as hyperfine's, nor `version` and `benchmarks`, as pyperf's"
                    .to_owned(),
            ));
        };
        let unusable = |reason| ForeignError::Unusable {
            path: path.to_owned(),
            program,
            reason,
        };
        let benchmarks = benchmarks.map_err(unusable)?;
        distinct(&benchmarks).map_err(unusable)?;
        Ok(Self {
            program,
            benchmarks,
        })
    }
}

/// The first line is an object that a record's may be, of whatever version, damaged or not.
fn is_record(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Line {
        #[serde(rename = "format_version")]
        _version: serde::de::IgnoredAny,
    }
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
    // serde would take a list for the struct, too.
    line.starts_with(br#"{"type":"#)
        || line.starts_with(b"{") && serde_json::from_slice::<Line>(line).is_ok()
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// There is one at least, and none has the name of another.
fn distinct(benchmarks: &[ForeignBenchmark]) -> Result<(), String> {
    if benchmarks.is_empty() {
        return Err("it holds no benchmark".to_owned());
    }
    let mut names: Vec<&str> = benchmarks.iter().map(|each| each.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(same) => Err(format!("two of its benchmarks are called `{}`", same[0])),
        None => Ok(()),
    }
}

/// A JSON object, and where it stands in the file: `results[0]`.
type Placed<'a> = (String, &'a Map<String, Value>);

/// The list of objects below a key.
fn objects<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    place: &str,
) -> Result<Vec<Placed<'a>>, String> {
    let Some(Value::Array(list)) = object.get(key) else {
        return Err(format!("`{place}{key}` is no list"));
    };
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            let place = format!("{place}{key}[{index}]");
            match value {
                Value::Object(object) => Ok((place, object)),
                _ => Err(format!("`{place}` is no object")),
            }
        })
        .collect()
}

/// A time in milliseconds, from one in seconds.
fn milliseconds(value: &Value, place: &str) -> Result<f64, String> {
    let Some(seconds) = value.as_f64() else {
        return Err(format!("`{place}` is {value}, and no number"));
    };
    if (SHORTEST_S..=LONGEST_S).contains(&seconds) {
        return Ok(seconds * 1e3);
    }
    Err(match seconds {
        0.0 => format!(
            "`{place}` is 0, and nothing takes no time: hyperfine takes the shell's off, which it does \
             not with --shell=none"
        ),
        below if below < 0.0 => format!("`{place}` is {value}, and no time is below zero"),
        short if short < SHORTEST_S => {
            format!("`{place}` is {value} s, which is shorter than a nanosecond")
        }
        _ => format!("`{place}` is {value} s, which is longer than a year"),
    })
}
