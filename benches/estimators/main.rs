//! Which estimator deserves the headline: whole runs, from the plan to the analysis, on launches
//! that are none. Prints the tables of METHODOLOGY.md.
//!
//! ```console
//! $ cargo bench --bench estimators                 # all tables
//! $ cargo bench --bench estimators -- decided      # one of: estimators, decided, guards, sitting-out
//! $ cargo bench --bench estimators -- --quick      # with few runs, to see that it works
//! $ cargo bench --bench estimators -- estimators --noise "t3 tails" --runs 4000
//! ```

mod compared;
mod decided;
mod estimators;
mod guards;
mod noise;
mod sitting_out;
#[allow(dead_code, reason = "the tests need more kinds of noise")]
#[path = "../../tests/stats_noise/mod.rs"]
mod stats_noise;
mod tally;
mod trial;

use noise::Source;

/// Prints the tables of a part, from so many runs.
type Print = fn(&[Source], u32);

/// Their names, and how many runs they take.
const PARTS: [(&str, Print, u32); 4] = [
    ("estimators", compared::print, 500),
    ("decided", decided::print, 500),
    ("guards", guards::print, 400),
    ("sitting-out", sitting_out::print, 400),
];
const QUICK: u32 = 40;

/// What is asked for.
#[derive(Default)]
struct Asked {
    parts: Vec<String>,
    runs: Option<u32>,
    noise: Option<String>,
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => asked.runs = Some(QUICK),
            "--runs" => {
                let number = words.next().and_then(|word| word.parse().ok());
                asked.runs = Some(number.filter(|&n| n > 0).ok_or("--runs needs a number")?);
            }
            "--noise" => asked.noise = Some(words.next().ok_or("--noise needs a name")?),
            part if PARTS.iter().any(|(name, ..)| *name == part) => asked.parts.push(word),
            other => {
                return Err(format!(
                    "there is no part `{other}`; give estimators, decided, guards or sitting-out, or none for all"
                ));
            }
        }
    }
    Ok(asked)
}

fn main() {
    let asked = asked(std::env::args().skip(1)).unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(2);
    });
    let mut sources = Source::all();
    if let Some(name) = &asked.noise {
        sources.retain(|source| source.name() == name);
        if sources.is_empty() {
            eprintln!("there is no noise `{name}`; the tables name them all");
            std::process::exit(2);
        }
    }
    for (name, print, usual) in PARTS {
        if asked.parts.is_empty() || asked.parts.iter().any(|part| part == name) {
            print(&sources, asked.runs.unwrap_or(usual));
            println!();
        }
    }
}
