//! Imports run downward: a room may use the rooms below it, never one above.

use std::fs;
use std::path::Path;

/// From the top down; each may use what stands after it.
const ROOMS: [&str; 18] = [
    "main", "cli", "doctor", "runner", "infer", "unit", "report", "advise", "trace", "analysis",
    "plan", "stage", "revision", "launch", "record", "python", "suite", "stats",
];

/// Crates that belong to one room.
const AT_HOME: [(&str, &str); 5] = [
    ("clap", "cli"),
    ("indicatif", "cli"),
    ("plotters", "report"),
    ("maud", "report"),
    ("statrs", "stats"),
];

/// (room, path of the file, line) of every line of code below src/ outside of tests.
fn lines() -> Vec<(String, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lines = Vec::new();
    for entry in walkdir::WalkDir::new(&src).into_iter().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let relative = path.strip_prefix(&src).unwrap();
        let first = relative.iter().next().unwrap().to_str().unwrap();
        let room = first.trim_end_matches(".rs").to_owned();
        for line in fs::read_to_string(path).unwrap().lines() {
            let line = line.trim();
            if !line.starts_with("//") {
                lines.push((
                    room.clone(),
                    relative.display().to_string(),
                    line.to_owned(),
                ));
            }
        }
    }
    lines
}

/// The rooms that a line of code names: `crate::record::…`, `use crate::{plan, stage}`.
fn named(line: &str) -> Vec<&str> {
    let mut rooms = Vec::new();
    for (index, _) in line.match_indices("crate::") {
        let rest = &line[index + "crate::".len()..];
        let list = rest
            .strip_prefix('{')
            .map_or(rest, |list| list.split('}').next().unwrap());
        let parts: Vec<&str> = if rest.starts_with('{') {
            list.split(',').collect()
        } else {
            vec![rest]
        };
        for part in parts {
            let name = part
                .trim()
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap();
            rooms.push(name);
        }
    }
    rooms
}

#[test]
fn every_folder_and_file_is_a_known_room() {
    for (room, file, _) in lines() {
        assert!(
            room == "lib" || ROOMS.contains(&room.as_str()),
            "{file} is no room"
        );
    }
}

#[test]
fn imports_run_downward() {
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut seen = 0;
    for (room, file, line) in lines() {
        for used in named(&line) {
            let (Some(from), Some(to)) = (place(&room), place(used)) else {
                continue;
            };
            seen += 1;
            assert!(
                from <= to,
                "{file} is in `{room}`, which is below `{used}`: {line}"
            );
        }
    }
    assert!(
        seen > 30,
        "only {seen} imports were found: the test does not see them any more"
    );
}

#[test]
fn what_launches_is_not_used_by_what_reads_records() {
    for (room, file, line) in lines() {
        if room == "analysis" || room == "report" {
            for used in named(&line) {
                assert!(
                    !["launch", "stage", "runner"].contains(&used),
                    "{file} must work from the record alone: {line}"
                );
            }
        }
    }
}

#[test]
fn some_crates_are_used_in_one_room_only() {
    for (room, file, line) in lines() {
        for (name, home) in AT_HOME {
            let uses =
                line.starts_with(&format!("use {name}::")) || line.contains(&format!(" {name}::"));
            assert!(
                !uses || room == home,
                "{name} belongs to {home}, and {file} uses it: {line}"
            );
        }
    }
}
