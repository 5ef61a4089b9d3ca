//! `coldsnake advise`: fixes as scenarios, ranked by what they were seen to save.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::project::{As, Ended, Project, end, fate, fingerprint, is_root, python};

/// An app whose own modules take a while to compile, so that bytecode shows in few blocks.
fn project() -> Project {
    let project = Project::new("");
    let lines: String = (0..1500)
        .map(|n| {
            format!("def f{n}(a, b={n}, *c, **d):\n    return [a, b, (c, d), {{a: b}}, {n} + a]\n")
        })
        .collect();
    project.write(
        "app/helper.py",
        &format!("import other\n{lines}VALUE = 2\n"),
    );
    project
}

fn advising(project: &Project, who: As, options: &[&str]) -> Command {
    let python = python();
    let usual = ["advise", "--quiet", "--seed", "1", "--out"];
    let out = project.path().join("out");
    let mut command = project.command(
        who,
        &[
            &usual[..],
            &[out.to_str().unwrap(), "--format", "json"],
            options,
            &["--", &python, "main.py"],
        ]
        .concat(),
    );
    command.current_dir(project.path().join("app"));
    command
}

fn fixes(ended: &Ended) -> Vec<Value> {
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    found["fixes"].as_array().unwrap().clone()
}

fn names(fixes: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = fixes
        .iter()
        .map(|fix| fix["scenario"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names
}

/// Nobody but root may write into the app's folder, whose modules have no bytecode.
#[test]
fn fixes_are_ranked_by_what_they_save_and_nothing_is_changed() {
    let project = project();
    let app = project.path().join("app");
    let before = fingerprint(&app);
    let ended = end(&mut advising(&project, As::Me, &["--blocks", "10"])).expect(0);
    assert_eq!(fingerprint(&app), before);
    let fixes = fixes(&ended);
    let mut wanted = vec![
        "compiled",
        "packages-compiled",
        "prefix-warm",
        "unchecked-hash",
    ];
    if is_root() {
        // Who runs the app is not known: its user may not be able to write.
        wanted.insert(1, "owned");
    }
    assert_eq!(names(&fixes), wanted);
    let saved: Vec<f64> = fixes
        .iter()
        .map(|fix| fix["saved_ms"]["estimate"].as_f64().unwrap())
        .collect();
    assert!(saved.is_sorted_by(|a, b| a >= b), "{saved:?}");
    let of = |name: &str| fixes.iter().find(|fix| fix["scenario"] == name).unwrap();
    // Three thousand lines are compiled at each start now.
    assert_eq!(of("compiled")["worth"], "saves", "{fixes:?}");
    assert!(of("compiled")["first_start_cost_ms"].is_null());
    assert!(!of("prefix-warm")["first_start_cost_ms"].is_null());
    assert_eq!(of("compiled")["starts"], 1.0);
    for fix in &fixes {
        for step in fix["steps"].as_array().unwrap() {
            assert!(!step["lines"].as_array().unwrap().is_empty(), "{step}");
        }
    }

    assert!(fate(&project.receipt("now"), "helper").starts_with("compiled"));
    assert_eq!(fate(&project.receipt("compiled"), "helper"), "read");
    assert_eq!(fate(&project.receipt("unchecked-hash"), "helper"), "read");
    assert_eq!(
        fate(&project.receipt("prefix-first"), "helper"),
        "compiled written"
    );
    assert_eq!(fate(&project.receipt("prefix-warm"), "helper"), "read");
    project.expect_no_violation();
    project.expect_no_stage();

    // From the record, for people: the same again, and what to paste.
    let shown = project.run(&["advise", "out"]).expect(0).stdout;
    for said in [
        "Best: ",
        "compile at deploy",
        "-m compileall -q",
        "CacheDirectory=",
        "Environment=PYTHONPYCACHEPREFIX=%C/",
        "now: the bytecode that is there now",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let again = project
        .run(&["advise", "out", "--format", "json"])
        .expect(0);
    assert_eq!(again.stdout, ended.stdout);
}

/// Starts that no fix changes, in a record whose times are noise alone.
#[test]
fn what_cannot_be_told_from_noise_is_not_taken_for_no_lack_of_bytecode() {
    let project = project();
    end(&mut advising(&project, As::Me, &["--blocks", "12"])).expect(0);
    let record = fs::read_to_string(project.path().join("out/record.jsonl")).unwrap();
    let same = record.lines().enumerate().map(|(number, line)| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if line["type"] == "launch" {
            let noise = (number * 7919 % 101) as f64;
            line["metrics"]["exit"] = Value::from(100.0 + noise);
        }
        format!("{line}\n")
    });
    project.write("same.jsonl", &same.collect::<String>());
    let shown = project.run(&["advise", "same.jsonl"]).expect(0).stdout;
    let words: Vec<&str> = shown.split_whitespace().collect();
    let words = words.join(" ");
    assert!(
        words.contains("No fix saves anything that can be told from noise."),
        "{words}"
    );
    assert!(
        words.contains("by their intervals a fix saves at most"),
        "{words}"
    );
    assert!(!words.contains("lack of bytecode"), "{words}");
}

/// The lines are for a shell: run as they are printed, they do what their fix is.
#[test]
fn the_lines_for_a_shell_do_what_the_fix_does() {
    let project = project();
    let ended = end(&mut advising(&project, As::Me, &["--blocks", "2"])).expect(0);
    let fixes = fixes(&ended);
    let compile = fixes
        .iter()
        .find(|fix| fix["scenario"] == "compiled")
        .unwrap();
    let first = compile["steps"][0]["lines"][0].as_str().unwrap();
    let source = project.path().join("app");
    assert!(first.contains(source.to_str().unwrap()), "{first}");
    // Packages of the machine are left alone: only the app's folder is compiled here.
    let (own, asked) = first.split_once(" \"$(").unwrap();
    assert!(asked.contains("purelib"), "{first}");
    let shell = Command::new("sh")
        .args(["-c", own])
        .current_dir(project.path().join("app"))
        .env_remove("PYTHONPYCACHEPREFIX")
        .status()
        .unwrap();
    assert!(shell.success(), "{own}");
    let cached = fs::read_dir(project.path().join("app/__pycache__")).unwrap();
    assert!(cached.count() >= 2);
}

#[test]
fn what_the_user_owns_already_need_not_be_given_to_them() {
    let project = project();
    project.give_to(As::Ordinary);
    let ended = end(&mut advising(&project, As::Ordinary, &["--blocks", "1"])).expect(0);
    assert!(
        !names(&fixes(&ended)).contains(&"owned"),
        "{}",
        ended.stdout
    );
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let now = found["now"].as_str().unwrap();
    assert!(
        now.contains("Not tried: chown the source, as the app's user may write"),
        "{now}"
    );
}

const UNIT: &str = "[Service]\nType=oneshot\nUser=www-data\nWorkingDirectory=/opt/not-here\n\
                    ExecStart=/opt/not-here/venv/bin/python main.py\n";

fn advise_unit(project: &Project, more: &str) -> Ended {
    project.write("app/deploy/app.service", &format!("{UNIT}{more}"));
    let python = python();
    let args = [
        "advise",
        "--unit",
        "app/deploy/app.service",
        "--quiet",
        "--seed",
        "1",
        "--blocks",
        "1",
        "--out",
        "out",
        "--format",
        "json",
        "--python",
        &python,
    ];
    project.run(&args).expect(0)
}

#[test]
fn under_a_strict_sandbox_a_chown_is_not_tried_and_the_directive_is_named() {
    let project = project();
    let ended = advise_unit(&project, "ProtectSystem=strict\n");
    assert_eq!(
        names(&fixes(&ended)),
        [
            "compiled",
            "packages-compiled",
            "prefix-warm",
            "unchecked-hash"
        ]
    );
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let now = found["now"].as_str().unwrap();
    for said in [
        "Not tried: chown the source, as it would not help",
        "ProtectSystem=strict (app/deploy/app.service:6)",
    ] {
        assert!(now.contains(said), "{said}: {now}");
    }
}

#[test]
fn a_prefix_that_each_stop_empties_is_moved_and_one_that_lasts_is_left() {
    let project = project();
    let volatile = "ProtectSystem=strict\nRuntimeDirectory=shop\n\
                    Environment=PYTHONPYCACHEPREFIX=/run/shop\n";
    let ended = advise_unit(&project, volatile);
    assert!(names(&fixes(&ended)).contains(&"prefix-warm"));
    let now = project.receipt("as-deployed");
    assert_eq!(fate(&now, "helper"), "compiled written");
    assert_eq!(fate(&project.receipt("compiled"), "helper"), "read");

    fs::remove_dir_all(project.path().join("out")).unwrap();
    let lasting = "ProtectSystem=strict\nCacheDirectory=shop\n\
                   Environment=PYTHONPYCACHEPREFIX=%C/shop\n";
    let ended = advise_unit(&project, lasting);
    assert!(!names(&fixes(&ended)).contains(&"prefix-warm"));
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let now = found["now"].as_str().unwrap();
    assert!(
        now.contains("Not tried: prefix that lasts, as there is one already"),
        "{now}"
    );
}

#[test]
fn a_record_without_fixes_is_refused_and_so_is_nothing_at_all() {
    let project = Project::new(crate::project::EXITING_APP);
    project.measure(As::Me, 1).expect(0);
    project.run(&["advise", "out"]).expect(2).says(&[
        "has no block in which fixes were launched",
        "coldsnake advise -- CMD",
    ]);
    project.run(&["advise"]).expect(2);
    project
        .run(&["advise", "--unit", "nowhere.service"])
        .expect(2)
        .says(&["nowhere.service"]);
}
