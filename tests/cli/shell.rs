//! What a shell and a packager ask of the program: completions, manual pages, the bundled suites.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::project::{As, EXITING_APP, Project, end};

/// The bundled suites as `list --format json` has them.
fn listed() -> Vec<Value> {
    let project = Project::new(EXITING_APP);
    let ended = project.run(&["list", "--format", "json"]).expect(0);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// What bash offers, with the completions loaded, for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let project = Project::new(EXITING_APP);
    let script = project.run(&["completions", "bash"]).expect(0).stdout;
    project.write("coldsnake.bash", &script);
    // Bash runs the function that `complete` was given, with these variables set.
    let asked = r#"
        source coldsnake.bash
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        complete -p coldsnake > complete.txt
        function=$(sed 's/.*-F \([^ ]*\).*/\1/' complete.txt)
        "$function" coldsnake "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", asked, "bash"])
        .args(words)
        .current_dir(project.path());
    let ended = end(&mut bash).expect(0);
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    assert_eq!(completed(&["coldsnake", "do"]), ["doctor"]);
    assert_eq!(completed(&["coldsnake", "run", "--prec"]), ["--precision"]);
    let stages = completed(&["coldsnake", "run", "--stage", ""]);
    assert_eq!(stages, ["auto", "overlay", "copy"]);
    let shells = completed(&["coldsnake", "completions", ""]);
    assert!(shells.contains(&"fish".to_owned()), "{shells:?}");
}

#[test]
fn every_shell_has_completions_and_an_unknown_one_is_told_which() {
    let project = Project::new(EXITING_APP);
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef coldsnake"),
        ("fish", "complete -c coldsnake"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = project.run(&["completions", shell]).expect(0).stdout;
        assert!(script.contains(sign), "{shell}");
    }
    let unknown = project.run(&["completions", "csh"]).expect(2);
    unknown.says(&["csh", "bash, elvish, fish, powershell, zsh"]);
}

#[test]
fn the_shell_is_that_of_the_environment_unless_it_is_named() {
    let project = Project::new(EXITING_APP);
    let under = |shell: &str| {
        let mut command = project.command(As::Me, &["completions"]);
        end(command.env("SHELL", shell))
    };
    let script = under("/usr/bin/fish").expect(0).stdout;
    assert!(script.contains("complete -c coldsnake"), "{script}");
    under("/bin/csh")
        .expect(2)
        .says(&["$SHELL", "name one: bash"]);
}

#[test]
fn each_command_has_a_manual_page_with_its_options_and_examples() {
    let project = Project::new(EXITING_APP);
    project.run(&["man", "--out", "share/man1"]).expect(0);
    let folder = project.path().join("share/man1");
    let page = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let program = page("coldsnake.1");
    for text in [
        ".TH COLDSNAKE 1 ",
        ".SH EXAMPLES\n.nf\n",
        ".SH \"EXIT STATUS\"\n.nf\n",
    ] {
        assert!(program.contains(text), "no {text:?} in:\n{program}");
    }
    let commands: Vec<&str> = program
        .lines()
        .filter_map(|line| line.strip_prefix("coldsnake\\-")?.strip_suffix("(1)"))
        .collect();
    assert!(commands.contains(&"doctor"), "{commands:?}");
    for command in &commands {
        let text = page(&format!("coldsnake-{command}.1"));
        for part in [".SH SYNOPSIS", ".SH OPTIONS", ".SH EXAMPLES\n.nf\n"] {
            assert!(text.contains(part), "{command}: no {part:?} in:\n{text}");
        }
        let printed = project.run(&["man", command]).expect(0).stdout;
        assert_eq!(printed, text, "{command}");
    }
    let files = fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, commands.len() + 1);
    let run = page("coldsnake-run.1");
    assert!(run.contains("coldsnake run\\fR [OPTIONS] [SUITE] [\\-\\- <CMD>...]"));
}

#[test]
fn a_manual_page_that_says_something_else_is_not_replaced_unasked() {
    let project = Project::new(EXITING_APP);
    project.run(&["man", "--out", "man1"]).expect(0);
    let again = project.run(&["man", "--out", "man1"]).expect(0);
    again.says(&["0 of them written now"]);

    project.write("man1/coldsnake-run.1", "mine\n");
    fs::remove_file(project.path().join("man1/coldsnake.1")).unwrap();
    let refused = project.run(&["man", "--out", "man1"]).expect(2);
    refused.says(&["man1/coldsnake-run.1", "--force"]);
    let there = |name: &str| fs::read_to_string(project.path().join("man1").join(name));
    assert_eq!(there("coldsnake-run.1").unwrap(), "mine\n");
    // All or nothing.
    assert!(there("coldsnake.1").is_err());

    let forced = project.run(&["man", "--out", "man1", "--force"]).expect(0);
    forced.says(&["2 of them written now"]);
    assert!(there("coldsnake-run.1").unwrap().contains(".SH NAME"));
}

#[test]
fn a_folder_that_cannot_be_written_and_a_page_that_is_not_there_are_named() {
    let project = Project::new(EXITING_APP);
    project.write("file", "");
    let ended = project.run(&["man", "--out", "file/man1"]).expect(2);
    ended.says(&["cannot write file/man1", "choose another folder with --out"]);
    let ended = project.run(&["man", "measure"]).expect(2);
    ended.says(&["there is no command `measure`", "run, advise"]);
    project.run(&["man", "--force"]).expect(2);
}

#[test]
fn the_bundled_suites_are_listed_with_what_they_hold() {
    let suites = listed();
    let default: Vec<&Value> = suites.iter().filter(|s| s["default"] == true).collect();
    assert_eq!(default.len(), 1);
    assert_eq!(default[0]["name"], "lernmanager");
    assert_eq!(default[0]["needs_network"], true);
    let text = Project::new(EXITING_APP).run(&["list"]).expect(0).stdout;
    for suite in &suites {
        let name = suite["name"].as_str().unwrap();
        assert!(text.contains(&format!("coldsnake run {name}")), "{text}");
        for list in ["scenarios", "claims"] {
            assert!(!suite[list].as_array().unwrap().is_empty(), "{suite}");
        }
        for scenario in suite["scenarios"].as_array().unwrap() {
            assert!(text.contains(scenario["name"].as_str().unwrap()), "{text}");
        }
    }
    let small = suites.iter().find(|s| s["name"] == "httpserver").unwrap();
    assert_eq!(small["needs_network"], false);
    assert_eq!(small["baseline"], "warm");
}
