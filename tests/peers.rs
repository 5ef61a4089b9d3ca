//! The side by side with hyperfine and pyperf: that the page says what its lines say. Nothing is
//! timed here; the lines of tests/data/peers are made up, so that the figures are known.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const FIXTURE: &str = "tests/data/peers";
const SESSION: &str = "results/against-peers";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn script(arguments: &[&str]) -> Output {
    Command::new("python3")
        .arg(root().join("scripts/against-peers"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap()
}

/// What a call prints that succeeds.
fn page(folder: &str) -> String {
    let output = script(&["--table", folder]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// A Python expression over the script's modules, printed.
fn python(expression: &str) -> String {
    let program = format!(
        "import sys; sys.path.insert(0, 'scripts/peers')\n\
         import figures, sessions, tools\n\
         print({expression})"
    );
    let output = Command::new("python3")
        .args(["-B", "-c", &program])
        .current_dir(root())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            page.lines().any(|each| each == *line),
            "no line {line:?} in:\n{page}"
        );
    }
}

/// Errors are 1 % for coldsnake, up and down in turn; 0.5 % and 6 % for hyperfine.
#[test]
fn error_and_verdicts_are_those_of_the_lines() {
    let page = page(FIXTURE);
    let (longer, shorter) = page.split_once("## With 1 s").unwrap();
    assert_lines(
        longer,
        &[
            "| quiet | A/A | coldsnake | 0 of 6 [0, 46 %] | +0.00 % | 1.00 % | 1 | 2.1 s |",
            "| quiet | A/A | hyperfine | 0 of 6 [0, 46 %] | +0.00 % | 0.50 % | 0.50 [0.50, 0.50] | 2.1 s |",
            "| load generator | A/A | hyperfine | 3 of 6 [12, 88 %] | +0.00 % | 6.00 % | 6.00 [6.00, 6.00] | 2.1 s |",
            // 2 % of bias on 6 % up and down: the root of (8² + 4²) / 2.
            "| load generator | +5 % | hyperfine | 0 of 6 [0, 46 %] | +2.00 % | 6.32 % | 6.32 [4.90, 7.48] | 2.1 s |",
            // The error of a sleep is one in ms, over A's 100 ms.
            "| load generator | +20 ms | hyperfine | 0 of 6 [0, 46 %] | +0.00 % | 6.00 % | 6.00 [6.00, 6.00] | 2.1 s |",
        ],
    );
    assert_lines(
        shorter,
        &[
            "| quiet | +5 % | hyperfine | 6 of 6 [54, 100 %] | +0.00 % | 0.50 % | 0.50 [0.50, 0.50] | 1.5 s, over |",
            "| load generator | hyperfine | 6 of 12 [21, 79 %] |",
        ],
    );
}

/// A verdict counts from the shortest run on whose longer ones say the same.
#[test]
fn a_verdict_that_does_not_last_took_longer_than_the_longest_run() {
    assert_lines(
        &page(FIXTURE),
        &[
            "| quiet | +5 % | coldsnake | 4 of 6 | 6 of 6 | 1.1 s |",
            "| quiet | +5 % | hyperfine | 6 of 6 | 0 of 6 | over 2 s |",
        ],
    );
}

#[test]
fn expectations_are_held_against_the_figures_and_losses_are_listed() {
    let page = page(FIXTURE);
    assert!(page.contains(
        "no worse than hyperfine on a quiet machine (a ratio of at least 0.8): **does not hold**"
    ));
    assert!(page.contains("at least 5 times less error than hyperfine under drift: **holds**"));
    let (_, losses) = page.split_once("## Where coldsnake did worse").unwrap();
    assert!(
        losses.contains(
            "- quiet, A/A, 2 s: hyperfine's error was 0.50 [0.50, 0.50] times coldsnake's"
        )
    );
    assert!(
        losses.contains("- quiet, +5 %, 1 s: hyperfine was right more often: 100 against 67 %")
    );
    assert!(!losses.contains("load generator, A/A"), "{losses}");
}

#[test]
fn medians_are_compared_run_by_run() {
    assert_lines(
        &page(FIXTURE),
        &["| quiet | hyperfine | 36 | 100.5 ms | +0.50 ms [+0.00, +0.50] | yes |"],
    );
}

#[test]
fn a_line_that_breaks_off_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(root().join(FIXTURE).join("trials.jsonl")).unwrap();
    let broken = &text[..text.len() - 20];
    fs::write(folder.path().join("trials.jsonl"), broken).unwrap();
    let page = page(folder.path().to_str().unwrap());
    assert!(page.contains("6 trials (143 of 144 runs)"), "{page}");
    assert!(page.contains("| +20 ms | hyperfine | 5 of 5 ["), "{page}");
}

#[test]
fn something_else_than_a_session_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trials.jsonl"), "{\"type\":\"run\"}\n").unwrap();
    let output = script(&["--table", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("does not begin with a session's line"),
        "{error}"
    );
}

/// Values of scipy 1.17: `ttest_ind(…, equal_var=False)` and `binomtest(…).proportion_ci("exact")`.
#[test]
fn tests_and_intervals_agree_with_scipy() {
    let welch = |a: &str, b: &str| -> f64 {
        let p = python(&format!("figures.welch({a}, {b})"));
        p.parse().unwrap()
    };
    assert!((welch("[1, 2, 3, 4]", "[2, 4, 6, 8, 10]") - 0.069_133_593_192_392_37).abs() < 1e-12);
    assert!((welch("[1, 2]", "[5, 7]") - 0.091_710_338_965_954_39).abs() < 1e-12);
    assert_eq!(python("figures.welch([1, 1], [1, 1])"), "None");
    assert_eq!(python("figures.welch([1], [1, 2])"), "None");
    assert_eq!(
        python("['%.6f' % each for each in figures.binomial_interval(7, 20)]"),
        "['0.153909', '0.592189']"
    );
    assert_eq!(python("figures.binomial_interval(0, 0)"), "(0.0, 1.0)");
    // Ranks 6 and 15 of 20: the sign test's table.
    assert_eq!(
        python("figures.median_interval(range(1, 21))"),
        "(10.5, (6, 15))"
    );
    assert_eq!(python("figures.median_interval([1, 2, 3])"), "(2.0, None)");
}

/// So a call after an interruption goes on in the same order, and more trials only add to it.
#[test]
fn the_plan_depends_on_the_seed_alone() {
    let plan = |seed: u32, trials: u32| {
        python(&format!(
            "list(sessions.plan({seed}, {trials}, ['quiet', 'drift'], ['A/A', '+2 %'], [8, 4], \
             ['a', 'b', 'c']))"
        ))
    };
    let two = plan(1, 2);
    assert_eq!(two, plan(1, 2));
    assert!(plan(1, 3).starts_with(two.trim_end_matches(']')));
    assert_ne!(two, plan(2, 2));
    // 2 trials, loads, effects and times, 3 tools.
    assert_eq!(two.matches("'a'").count(), 16);
    assert_eq!(two.matches("'c'").count(), 16);
}

/// Every tool's B does the same: so many more iterations that the whole, start included, is longer by
/// the share.
#[test]
fn the_work_of_b_is_a_share_of_the_whole() {
    assert_eq!(
        python(
            "[each.works(0.5)[1].iterations / sessions.ITERATIONS for each in sessions.EFFECTS]"
        ),
        "[1.0, 1.04, 1.1, 1.0]"
    );
    assert_eq!(
        python("[each.works(0.5)[1].sleep_ms for each in sessions.EFFECTS]"),
        "[0, 0, 0, 20]"
    );
    let refused = Command::new("python3")
        .args(["scripts/peers/app/work.py", "none"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(!refused.status.success());
}

/// The units that fill a budget: launches and processes from what one took with the tool's own
/// start, seconds less what set-up took. A run of wild length among the latest changes nothing.
#[test]
fn a_budget_is_filled_by_what_the_latest_runs_took() {
    let units = |tool: &str, runs: &str, budget: u32| {
        python(&format!(
            "[pace.units({budget}) for pace in [tools.Pace(tools.{tool})] \
             if not [pace.saw(*run) for run in {runs}] or True]"
        ))
    };
    // 10 launches of both and their warm-up in 2.2 s: 0.2 s each.
    assert_eq!(units("Hyperfine", "[(10, 2.2)]", 8), "[39]");
    assert_eq!(
        units("Hyperfine", "[(10, 2.2), (10, 2.2), (10, 90.0)]", 8),
        "[39]"
    );
    assert_eq!(units("Hyperfine", "[(10, 2200.0)]", 8), "[2]");
    assert_eq!(units("Coldsnake", "[(2.0, 3.0), (6.0, 7.0)]", 8), "[7.0]");
    assert_eq!(units("Coldsnake", "[(2.0, 30.0)]", 8), "[0.2]");
}

#[test]
fn a_missing_peer_is_named_with_what_installs_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = script(&[
        "--hyperfine",
        "hyperfine-that-is-not-there",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("apt-get install hyperfine"), "{error}");
    assert!(!out.exists());
}

#[test]
fn the_page_of_the_session_is_made_from_its_lines() {
    if !root().join(SESSION).join("trials.jsonl").exists() {
        println!("no session is committed");
        return;
    }
    let committed = fs::read_to_string(root().join(SESSION).join("README.md")).unwrap();
    assert_eq!(committed, page(SESSION));
}
