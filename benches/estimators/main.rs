//! Which estimator deserves the headline: whole runs, from the plan to the analysis, on launches
//! that are none. Prints the tables of METHODOLOGY.md.
//!
//! ```console
//! $ cargo bench --bench estimators                 # all tables
//! $ cargo bench --bench estimators -- decided      # one of: estimators, decided, sitting-out
//! $ cargo bench --bench estimators -- --quick      # with few runs, to see that it works
//! ```

mod compared;
mod decided;
mod estimators;
mod noise;
mod sitting_out;
#[allow(dead_code, reason = "the tests need more kinds of noise")]
#[path = "../../tests/stats_noise/mod.rs"]
mod stats_noise;
mod tally;
mod trial;

use noise::Source;

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| w != "--bench")
        .collect();
    let is_quick = words.iter().any(|word| word == "--quick");
    let wanted: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|w| *w != "--quick")
        .collect();
    let trials = |usual| if is_quick { 40 } else { usual };
    type Print = fn(&[Source], u32);
    let parts: [(&str, Print, u32); 3] = [
        ("estimators", compared::print, 500),
        ("decided", decided::print, 500),
        ("sitting-out", sitting_out::print, 400),
    ];
    if let Some(unknown) = wanted
        .iter()
        .find(|word| parts.iter().all(|(name, ..)| name != *word))
    {
        eprintln!(
            "there is no part `{unknown}`; give estimators, decided or sitting-out, or none for all"
        );
        std::process::exit(2);
    }
    let sources = Source::all();
    for (name, print, usual) in parts {
        if wanted.is_empty() || wanted.contains(&name) {
            print(&sources, trials(usual));
            println!();
        }
    }
}
