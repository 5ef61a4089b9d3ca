//! The GitHub action and the workflow example: what they pass is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::project::{Project, python};

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// The names below `key`, in a file indented by two spaces.
fn names_below(text: &str, key: &str) -> BTreeSet<String> {
    let lines = text.lines().skip_while(|line| line.trim_end() != key);
    let depth = key.len() - key.trim_start().len() + 2;
    lines
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with(&" ".repeat(depth)))
        .filter(|line| !line[depth.min(line.len())..].starts_with([' ', '#']))
        .filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned()))
        .collect()
}

#[test]
fn every_option_that_the_action_passes_is_one_of_check() {
    let action = read("action.yml");
    let help = Project::new("").run(&["check", "--help"]).expect(0).stdout;
    let script = action
        .split("Check for a start-up regression")
        .nth(1)
        .unwrap();
    let options: BTreeSet<&str> = script
        .split([' ', '(', ')', '='])
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .collect();
    assert!(options.len() >= 8, "{options:?}");
    for option in options {
        assert!(
            help.contains(&format!("{option} "))
                || help.contains(&format!("{option}\n"))
                || help.contains(&format!("{option}[=")),
            "{option}:\n{help}"
        );
    }
}

#[test]
fn every_input_is_declared_and_used() {
    let action = read("action.yml");
    let declared = names_below(&action, "inputs:");
    let used: BTreeSet<String> = action
        .split("inputs.")
        .skip(1)
        .map(|rest| {
            let name = rest.split(|c: char| !c.is_ascii_lowercase() && c != '-');
            name.into_iter().next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(declared, used);
    let example = read("examples/github/start-up.yml");
    let step = example.split("coldsnake@").nth(1).unwrap();
    let passed = names_below(step, "        with:");
    assert!(!passed.is_empty());
    assert!(passed.is_subset(&declared), "{passed:?}");
}

#[test]
fn inputs_never_become_text_of_a_script() {
    let action = read("action.yml");
    for script in action.split("run: |\n").skip(1) {
        let lines = script
            .lines()
            .take_while(|line| line.starts_with("        "));
        for line in lines {
            assert!(!line.contains("${{"), "{line}");
        }
    }
}

#[test]
fn both_files_are_yaml_where_python_can_tell() {
    let has_yaml = Command::new(python())
        .args(["-c", "import yaml"])
        .output()
        .unwrap();
    if !has_yaml.status.success() {
        return;
    }
    for file in ["action.yml", "examples/github/start-up.yml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let parse = "import sys, yaml; yaml.safe_load(open(sys.argv[1]))";
        let parsed = Command::new(python())
            .args(["-c", parse])
            .arg(path)
            .status()
            .unwrap();
        assert!(parsed.success(), "{file}");
    }
}
