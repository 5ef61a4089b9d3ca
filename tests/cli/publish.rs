//! `coldsnake publish`: a site of records, whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use walkdir::WalkDir;

use crate::browser::Browser;
use crate::project::{As, EXITING_APP, Ended, Project};

const BLACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi/black");

fn project() -> Project {
    Project::new(EXITING_APP)
}

/// The record of black with something else in its lines, as the record of a run of its own.
fn changed(project: &Project, name: &str, from: &str, to: &str) {
    let record = fs::read_to_string(Path::new(BLACK).join("record.jsonl")).unwrap();
    assert!(record.contains(from));
    project.write(&format!("{name}/record.jsonl"), &record.replace(from, to));
}

fn publish(project: &Project, places: &[&str], options: &[&str]) -> Ended {
    project.run_as(
        As::Me,
        &[&["publish", "--out", "site"], places, options].concat(),
    )
}

fn contents(site: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = WalkDir::new(site).sort_by_file_name().into_iter().flatten();
    let files = files.filter(|entry| entry.file_type().is_file());
    files
        .map(|file| (file.path().to_owned(), fs::read(file.path()).unwrap()))
        .collect()
}

/// The targets of all links of a page, each an existing file of the site.
#[track_caller]
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).unwrap();
    let links = text.split("href=\"").skip(1);
    let links = links.map(|rest| rest.split('"').next().unwrap());
    let files = links.filter(|link| !link.starts_with('#')).map(|link| {
        assert!(!link.contains(':') && !link.starts_with('/'), "{link}");
        let file = page.parent().unwrap().join(link);
        assert!(file.is_file(), "{link} leads nowhere");
        file
    });
    files.collect()
}

#[test]
fn a_site_has_a_page_and_the_record_of_each_run_that_lies_in_a_folder() {
    let project = project();
    changed(&project, "runs/deep/one", "2026-11-24T", "2026-11-25T");
    let named = "\"host\":{\"name\":\"web-7\",";
    changed(&project, "runs/two", "\"host\":{", named);
    let ended = publish(&project, &["runs"], &[]).expect(0);
    assert!(ended.stdout.contains("2 runs"), "{}", ended.stdout);
    let site = project.path().join("site");
    let linked = links(&site.join("index.html"));
    assert_eq!(linked.len(), 4, "{linked:?}");
    for file in &linked {
        if file.ends_with("report.html") {
            links(file);
            let folder = file.parent().unwrap();
            assert!(folder.join("charts/distribution-exit.svg").is_file());
        } else {
            let record = fs::read_to_string(file).unwrap();
            assert!(record.starts_with("{\"type\":\"run\""), "{record:.40}");
        }
    }
    // The newer one of an app comes first.
    assert!(linked[0].to_string_lossy().contains("black-20261125"));
    let index = fs::read_to_string(site.join("index.html")).unwrap();
    for word in [
        "2 runs of 1 app.",
        "cpython 3.11",
        "prefix-warm saves",
        "web-7: AMD",
    ] {
        assert!(index.contains(word), "no {word}");
    }
    assert!(!index.contains("://"), "something is fetched");

    // The same records give the same bytes, and a site is not taken for records.
    let before = contents(&site);
    publish(&project, &["runs", "."], &[])
        .expect(2)
        .says(&["--force"]);
    publish(&project, &["runs"], &["--force"]).expect(0);
    assert!(before == contents(&site));
}

#[test]
fn a_run_that_is_named_twice_is_there_once() {
    let project = project();
    let ended = publish(&project, &[BLACK, BLACK], &[]).expect(0);
    assert!(ended.stdout.contains("1 run:"), "{}", ended.stdout);
    ended.says(&["is the record of a run that is there already"]);
}

#[test]
fn what_a_record_says_of_itself_is_text_and_no_markup() {
    let project = project();
    let cpu = "\"cpu_model\":\"";
    changed(&project, "odd", cpu, &format!("{cpu}<b>&quot;\u{2028}"));
    publish(&project, &["odd"], &[]).expect(0);
    let site = project.path().join("site");
    assert_eq!(links(&site.join("index.html")).len(), 2);
    let index = fs::read_to_string(site.join("index.html")).unwrap();
    assert!(index.contains("&lt;b&gt;&amp;quot;") && !index.contains("<b>"));
    // The app's name is part of the folder's.
    changed(
        &project,
        "up",
        "name = \\\"black\\\"",
        "name = \\\"../black\\\"",
    );
    publish(&project, &["up"], &["--force"])
        .expect(2)
        .says(&["`../black` cannot be an app's name"]);
}

#[test]
fn what_is_no_site_is_never_replaced_and_a_failure_leaves_nothing() {
    let project = project();
    project.write("site/mine.txt", "mine");
    for options in [&[][..], &["--force"]] {
        publish(&project, &[BLACK], options)
            .expect(2)
            .says(&["site is there already, and is no site", "--out"]);
    }
    fs::remove_dir_all(project.path().join("site")).unwrap();
    project.write("foreign/record.jsonl", "{\"results\": []}\n");
    project.write("none/readme.txt", "");
    for (place, told) in [
        ("foreign", "foreign"),
        ("none", "there is no record.jsonl below none"),
        ("missing", "missing"),
    ] {
        publish(&project, &[place], &[]).expect(2).says(&[told]);
    }
    let names: Vec<String> = fs::read_dir(project.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("site"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

/// As a visitor uses it, on a telephone too.
#[test]
fn the_index_is_filtered_and_sorted_in_a_browser() {
    let project = project();
    let started = "\"started\":\"2026";
    for (year, host) in [
        ("2024", "Small CPU"),
        ("2025", "Big CPU"),
        ("2026", "Big CPU"),
    ] {
        let name = format!("runs/{year}");
        changed(&project, &name, started, &format!("\"started\":\"{year}"));
        let file = format!("{name}/record.jsonl");
        let record = fs::read_to_string(project.path().join(&file)).unwrap();
        let mut lines: Vec<serde_json::Value> = record
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        lines[0]["host"]["cpu_model"] = json!(host);
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        project.write(&file, &(lines.join("\n") + "\n"));
    }
    publish(&project, &["runs"], &[]).expect(0);
    let index = project.path().join("site/index.html");
    let mut browser = Browser::start();
    browser.open(&index, 390);
    let wide = "document.documentElement.scrollWidth > innerWidth";
    assert_eq!(browser.value(wide), json!(false));
    let years = "[...document.querySelectorAll('tbody tr:not([hidden])')]\
                 .map((row) => row.textContent.match(/20\\d\\d/)[0])";
    assert_eq!(browser.value(years), json!(["2026", "2025", "2024"]));

    let filter = "document.getElementById('filter')";
    browser.value(&format!(
        "{filter}.value = 'big black'; {filter}.dispatchEvent(new Event('input'))"
    ));
    assert_eq!(browser.value(years), json!(["2026", "2025"]));
    let shown = "document.getElementById('shown').textContent";
    assert_eq!(browser.text(shown), "2 of 3 runs");

    let measured = "[...document.querySelectorAll('thead button')]\
                    .find((button) => button.textContent.startsWith('measured'))";
    browser.open(&index, 1300);
    browser.click(measured);
    assert_eq!(browser.value(years), json!(["2024", "2025", "2026"]));
    assert_eq!(browser.complaints(&index), Vec::<String>::new());
}

/// What `scripts/publish` makes of the runs in results/.
#[test]
fn the_script_makes_the_site_of_all_committed_runs() {
    let project = project();
    let out = project.path().join("all");
    let made = std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/publish"))
        .env("COLDSNAKE", env!("CARGO_BIN_EXE_coldsnake"))
        .env("OUT", &out)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let pages = links(&out.join("index.html"));
    let records = WalkDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/results"))
        .into_iter()
        // A site that somebody made there holds copies.
        .filter_entry(|entry| entry.file_name() != "site")
        .flatten()
        .filter(|entry| entry.file_name() == "record.jsonl")
        .count();
    assert_eq!(pages.len(), 2 * records);
}
