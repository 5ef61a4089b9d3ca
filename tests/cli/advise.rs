//! `coldsnake advise`: fixes as scenarios, ranked by what they were seen to save.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::project::{
    As, Ended, Project, end, fate, fingerprint, is_root, python, site_packages, virtual_environment,
};

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
    advising_under(project, who, &python(), options)
}

fn advising_under(project: &Project, who: As, python: &str, options: &[&str]) -> Command {
    let usual = ["advise", "--quiet", "--seed", "1", "--out"];
    let out = project.path().join("out");
    let mut command = project.command(
        who,
        &[
            &usual[..],
            &[out.to_str().unwrap(), "--format", "json"],
            options,
            &["--", python, "main.py"],
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
    expect_moved(&ended);
    let now = project.receipt("as-deployed");
    assert_eq!(fate(&now, "helper"), "compiled written");
    let moved = project.receipt("prefix-moved");
    assert_eq!(fate(&moved, "helper"), "read");
    assert_eq!(fate(&project.receipt("compiled"), "helper"), "read");

    fs::remove_dir_all(project.path().join("out")).unwrap();
    let lasting = "ProtectSystem=strict\nCacheDirectory=shop\n\
                   Environment=PYTHONPYCACHEPREFIX=%C/shop\n";
    let ended = advise_unit(&project, lasting);
    expect_no_prefix(&ended);
    let now = about_now(&ended);
    assert!(
        now.contains("Not tried: prefix that lasts, as there is one already"),
        "{now}"
    );
    assert!(!now.contains("tmpfs"), "{now}");
}

/// The prefix that there is is moved, and no other one is tried beside it.
fn expect_moved(ended: &Ended) {
    let fixes = fixes(ended);
    assert!(!names(&fixes).contains(&"prefix-warm"), "{fixes:?}");
    let moved = fixes
        .iter()
        .find(|fix| fix["scenario"] == "prefix-moved")
        .unwrap();
    assert_eq!(moved["fix"], "move the prefix off the tmpfs");
    assert!(!moved["first_start_cost_ms"].is_null());
    let needs = moved["needs"].as_str().unwrap();
    for needed in ["a folder on a disk", "PrivateTmp=", "RuntimeDirectory="] {
        assert!(needs.contains(needed), "{needs}");
    }
    let unit = moved["steps"][0]["lines"].to_string();
    for line in ["CacheDirectory=", "PYTHONPYCACHEPREFIX=%C/"] {
        assert!(unit.contains(line), "{unit}");
    }
}

fn expect_no_prefix(ended: &Ended) {
    let fixes = fixes(ended);
    let is_prefix = |name: &&str| name.starts_with("prefix");
    assert!(!names(&fixes).iter().any(is_prefix), "{fixes:?}");
}

fn about_now(ended: &Ended) -> String {
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    found["now"].as_str().unwrap().to_owned()
}

#[test]
fn a_prefix_in_a_private_tmp_is_moved() {
    let project = project();
    let ended = advise_unit(
        &project,
        "PrivateTmp=yes\nEnvironment=PYTHONPYCACHEPREFIX=/tmp/pyc\n",
    );
    expect_moved(&ended);
    let now = about_now(&ended);
    assert!(
        now.contains("each start finds empty: PrivateTmp=yes"),
        "{now}"
    );
}

#[test]
fn a_prefix_that_a_boot_empties_is_named_and_not_moved() {
    let project = project();
    let ended = advise_unit(&project, "Environment=PYTHONPYCACHEPREFIX=/dev/shm/pyc\n");
    expect_no_prefix(&ended);
    let now = about_now(&ended);
    assert!(
        now.contains(
            "Not tried: move the prefix off the tmpfs, as all that it saves is compiling at the first \
             start after each boot"
        ),
        "{now}"
    );
}

/// Of a command, nobody knows how often its machine boots; its containers find the prefix empty.
#[test]
fn a_commands_prefix_in_memory_is_moved_and_one_on_a_disk_is_left() {
    let in_memory = nix::sys::statfs::statfs("/dev/shm")
        .is_ok_and(|found| found.filesystem_type() == nix::sys::statfs::TMPFS_MAGIC);
    if !in_memory {
        eprintln!("/dev/shm is no tmpfs here");
        return;
    }
    let project = project();
    let option = |prefix: &str| format!("PYTHONPYCACHEPREFIX={prefix}");
    let advised = |prefix: &str| {
        let options = ["--blocks", "2", "--env", &option(prefix)];
        let ended = end(&mut advising(&project, As::Me, &options)).expect(0);
        let receipt = project.receipt("now");
        fs::remove_dir_all(project.path().join("out")).unwrap();
        (ended, fate(&receipt, "helper"))
    };
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let prefix = folder.path().join("pyc");
    let (ended, helper) = advised(prefix.to_str().unwrap());
    expect_moved(&ended);
    let said = about_now(&ended);
    assert!(said.contains("lies on /dev/shm (tmpfs)"), "{said}");
    assert_eq!(helper, "compiled written");
    // Nothing is written when the command is looked at.
    assert!(!prefix.exists());

    let (ended, helper) = advised(project.path().join("pyc").to_str().unwrap());
    expect_no_prefix(&ended);
    assert!(about_now(&ended).contains("prefix that lasts, as there is one already"));
    assert_eq!(helper, "read");
}

/// As uv leaves an environment: what is installed has no bytecode.
#[test]
fn packages_without_bytecode_are_to_be_compiled_and_the_lines_do_it() {
    let project = project();
    let python = virtual_environment(&project);
    let environment = PathBuf::from(&python);
    let environment = environment.parent().and_then(Path::parent).unwrap();
    let packages = site_packages(environment);
    fs::rename(
        project.path().join("app/helper.py"),
        packages.join("helper.py"),
    )
    .unwrap();
    fs::rename(
        project.path().join("app/other.py"),
        packages.join("other.py"),
    )
    .unwrap();

    let ended = end(&mut advising_under(
        &project,
        As::Me,
        &python,
        &["--blocks", "10"],
    ))
    .expect(0);
    assert!(!packages.join("__pycache__").exists());
    let fixes = fixes(&ended);
    let of = |name: &str| fixes.iter().find(|fix| fix["scenario"] == name).unwrap();
    let compiled = of("packages-compiled");
    assert_eq!(compiled["fix"], "compile packages");
    assert_eq!(compiled["worth"], "saves", "{fixes:?}");
    assert_eq!(compiled["starts"], 1.0);
    assert!(compiled["first_start_cost_ms"].is_null());
    let now = project.receipt("now");
    assert!(fate(&now, "helper").starts_with("compiled"), "{now}");
    assert_eq!(
        fate(&project.receipt("packages-compiled"), "helper"),
        "read"
    );

    let steps = compiled["steps"].as_array().unwrap();
    let at = |place: &str| {
        let is_there = |step: &&Value| step["place"].as_str().unwrap().contains(place);
        let step = steps.iter().find(is_there).unwrap();
        step["lines"].as_array().unwrap()[0].as_str().unwrap()
    };
    assert_eq!(at("Dockerfile"), "ENV UV_COMPILE_BYTECODE=1");
    let line = at("shell");
    let shell = Command::new("sh").args(["-c", line]).status().unwrap();
    assert!(shell.success(), "{line}");
    let cached = fs::read_dir(packages.join("__pycache__")).unwrap();
    assert!(cached.count() >= 2, "{line}");
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
