//! `report.html` in a real browser: what it shows, and what it does when it is used.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::project::{EXITING_APP, Project};

const RECORD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/results/lernmanager/record.jsonl"
);

/// The page of the reference run, made anew, once for all tests.
fn page() -> &'static Path {
    static PAGE: OnceLock<PathBuf> = OnceLock::new();
    PAGE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
        let project = Project::new(EXITING_APP);
        let out = folder.display().to_string();
        project.run(&["report", RECORD, "--out", &out]).expect(0);
        folder.join("report.html")
    })
}

fn opened(width: u32) -> Browser {
    let mut browser = Browser::start();
    browser.open(page(), width);
    browser
}

/// The launches of the record that gave this metric, the twin's among them.
fn launches_with(metric: &str) -> Vec<Value> {
    let record = fs::read_to_string(RECORD).unwrap();
    let lines = record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["type"] == "launch" && !line["metrics"][metric].is_null())
        .collect()
}

fn launches(metric: &str) -> usize {
    launches_with(metric).len()
}

/// How many blocks gave this metric for a scenario.
fn blocks_of(scenario: &str, metric: &str) -> usize {
    let launches = launches_with(metric);
    launches
        .iter()
        .filter(|launch| launch["scenario"] == scenario && launch["twin"].is_null())
        .count()
}

/// A chart, by its section and its number there.
fn chart(section: &str, number: usize) -> String {
    format!(
        "document.querySelector('section[aria-labelledby={section}] figure:nth-of-type({number}) svg')"
    )
}

/// Marks of the samples in a chart; a dot is a stretch of no length.
fn marks(chart: &str) -> String {
    format!(
        "[...{chart}.querySelectorAll('g[data-row]')]\
         .filter((row) => row.style.display !== 'none')\
         .map((row) => row.querySelector('path.dots').getAttribute('d').split('h0').length - 1)\
         .reduce((sum, count) => sum + count, 0)"
    )
}

const TIP: &str = "document.getElementById('tip').textContent";

/// The first column of the table with this caption, as far as it is shown.
fn first_column(caption: &str) -> String {
    format!(
        "[...document.querySelectorAll('table')].find((table) => table.caption.textContent.startsWith('{caption}'))\
         .querySelectorAll('tbody tr:not([hidden]) th')"
    )
}

fn names(browser: &mut Browser, caption: &str) -> Vec<String> {
    let names = browser.value(&format!(
        "[...{}].map((cell) => cell.textContent)",
        first_column(caption)
    ));
    serde_json::from_value(names).unwrap()
}

const NAMES: [&str; 6] = [
    "warm",
    "cold",
    "read-only",
    "vps-before",
    "prefix-first",
    "prefix-warm",
];

#[test]
fn every_launch_is_a_mark_and_the_browser_has_nothing_to_complain_of() {
    let mut browser = opened(1200);
    assert_eq!(
        browser.value(&marks(&chart("scenarios", 1))),
        json!(launches("ready"))
    );
    assert_eq!(
        browser.value(&marks(&chart("validity", 1))),
        json!(launches("ready"))
    );
    assert_eq!(
        browser.value(&marks(&chart("scenarios", 2))),
        json!(launches("import"))
    );
    // Pairs of vps-before and prefix-warm, which sat out the same blocks.
    let pairs = blocks_of("vps-before", "ready").min(blocks_of("prefix-warm", "ready"));
    assert_eq!(browser.value(&marks(&chart("claims", 1))), json!(pairs));
    assert_eq!(browser.complaints(page()), Vec::<String>::new());
}

#[test]
fn what_is_injected_is_neither_run_nor_fetched() {
    let mut browser = opened(1200);
    browser.value(
        "(() => { const script = document.createElement('script'); script.textContent = 'window.stolen = 1'; \
         document.body.append(script); const image = new Image(); image.src = 'file:///etc/hostname'; \
         document.body.append(image); })()",
    );
    assert_eq!(browser.value("typeof window.stolen"), json!("undefined"));
    let complaints = browser.complaints(page()).join("\n");
    assert!(
        complaints.contains("Content Security Policy"),
        "{complaints}"
    );
}

#[test]
fn a_pointed_launch_says_its_block_and_its_values() {
    let mut browser = opened(1200);
    // The launch of cold in a block in which nothing sat out.
    let series = "JSON.parse(document.getElementById('data').textContent).series\
                  .find((each) => each.label === 'cold' && each.metric === 'ready')";
    let index = browser
        .value(&format!("{series}.block.indexOf(12)"))
        .as_u64()
        .unwrap();
    let ms = browser
        .value(&format!("{series}.ms[{index}]"))
        .as_f64()
        .unwrap();
    let chart = chart("validity", 1);
    let place = browser.value(&format!(
        "(() => {{ const svg = {chart}; const row = svg.querySelector('g[data-of=\"1\"]'); \
         row.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
         const [, x, y] = row.querySelector('path.dots').getAttribute('d').split('h0')[{index}].match(/M(\\d+) (\\d+)/); \
         const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [at.x, at.y]; }})()"
    ));
    // A chart that is scrolled lets go of what was pointed at.
    browser.settle();
    browser.point((place[0].as_f64().unwrap(), place[1].as_f64().unwrap()));
    let told = browser.text(TIP);
    assert!(
        told.starts_with(&format!("cold, block 12: ready {ms:.0} ms, CPU ")),
        "{told}"
    );
    assert!(told.contains("ms against warm in this block"), "{told}");
    // Itself, and the other five and the twin.
    assert_eq!(
        browser.value("document.querySelectorAll('.pointed circle').length"),
        json!(7)
    );
    browser.point((2.0, 2.0));
    assert_eq!(browser.text(TIP), "");
    assert_eq!(browser.complaints(page()), Vec::<String>::new());
}

#[test]
fn charts_can_be_walked_through_by_keyboard() {
    let mut browser = opened(1200);
    let box_of = "document.querySelector('section[aria-labelledby=scenarios] figure .scroll')";
    browser.value(&format!("{box_of}.focus({{ focusVisible: true }})"));
    assert!(browser.text(TIP).starts_with("warm, block 0: ready "));
    browser.press("ArrowRight");
    assert!(browser.text(TIP).starts_with("warm, block 1: "));
    browser.press("ArrowDown");
    assert!(browser.text(TIP).starts_with("warm (twin), block 1: "));
    browser.press("ArrowDown");
    browser.press("End");
    let cold = launches_with("ready");
    let cold = cold.iter().filter(|launch| launch["scenario"] == "cold");
    let last = cold.map(|launch| launch["block"].as_u64().unwrap()).max();
    let last = format!("cold, block {}: ", last.unwrap());
    assert!(browser.text(TIP).starts_with(&last));
    assert_eq!(
        browser.text("getComputedStyle(document.activeElement).outlineStyle"),
        "solid"
    );
    browser.press("Escape");
    assert_eq!(browser.text(TIP), "");
}

#[test]
fn a_heading_sorts_its_table_by_click_and_by_key() {
    let mut browser = opened(1200);
    let caption = "Scenarios, ready";
    assert_eq!(names(&mut browser, caption), NAMES);
    let heading = "[...document.querySelectorAll('table')].find((table) => table.caption.textContent.startsWith('Scenarios, ready'))\
                   .tHead.rows[0].cells[1]";
    let sort = format!("{heading}.getAttribute('aria-sort')");
    let button = format!("{heading}.querySelector('button')");
    assert_eq!(browser.text(&sort), "none");
    browser.click(&button);
    assert_eq!(browser.text(&sort), "ascending");
    let upwards = names(&mut browser, caption);
    assert_eq!(
        (upwards[0].as_str(), upwards[5].as_str()),
        ("warm", "prefix-first")
    );
    assert_eq!(upwards[1], "prefix-warm");
    browser.value(&format!("{button}.focus()"));
    browser.press("Enter");
    assert_eq!(browser.text(&sort), "descending");
    assert_eq!(names(&mut browser, caption)[0], "prefix-first");
    browser.press(" ");
    assert_eq!(browser.text(&sort), "none");
    assert_eq!(names(&mut browser, caption), NAMES);
    assert_eq!(browser.complaints(page()), Vec::<String>::new());
}

#[test]
fn a_scenario_that_is_switched_off_leaves_tables_and_charts() {
    let mut browser = opened(1200);
    let cold = "document.querySelector('#switches input[value=\"1\"]')";
    let height = "document.querySelector('section[aria-labelledby=scenarios] svg.chart').viewBox.baseVal.height";
    let before = browser.value(height).as_f64().unwrap();
    browser.click(cold);
    assert!(!names(&mut browser, "Scenarios, ready").contains(&"cold".to_owned()));
    assert!(!names(&mut browser, "Paired differences, ready").contains(&"cold".to_owned()));
    let left = json!(launches("ready") - blocks_of("cold", "ready"));
    assert_eq!(browser.value(&marks(&chart("scenarios", 1))), left);
    assert_eq!(browser.value(&marks(&chart("validity", 1))), left);
    assert!(browser.value(height).as_f64().unwrap() < before);
    assert_eq!(
        browser.text("document.getElementById('shown').textContent"),
        "5 of 6 scenarios are shown."
    );
    // Claims on a pair go with either of it.
    browser.click("document.querySelector('#switches input[value=\"3\"]')");
    let figures = "[...document.querySelectorAll('section[aria-labelledby=claims] figure')].map((each) => each.hidden)";
    assert_eq!(browser.value(figures), json!([true, false, false]));
    browser.click("document.getElementById('all')");
    assert_eq!(
        browser.value(&marks(&chart("scenarios", 1))),
        json!(launches("ready"))
    );
    assert_eq!(browser.value(figures), json!([false, false, false]));
    assert_eq!(names(&mut browser, "Scenarios, ready"), NAMES);
    assert_eq!(browser.complaints(page()), Vec::<String>::new());
}

#[test]
fn no_screen_is_too_narrow_and_both_themes_are_readable() {
    let mut browser = opened(375);
    for theme in ["light", "dark"] {
        browser.emulate(theme, "screen");
        for width in [320, 375, 1200] {
            browser.open(page(), width);
            let too_wide = browser.value("document.documentElement.scrollWidth - innerWidth");
            assert!(
                too_wide.as_i64().unwrap() <= 0,
                "{width}: {too_wide} px too wide"
            );
        }
        let colours = "[getComputedStyle(document.body).backgroundColor, \
                       getComputedStyle(document.querySelector('figure svg.chart rect')).fill]";
        let background = match theme {
            "light" => "rgb(255, 255, 255)",
            _ => "rgb(23, 26, 31)",
        };
        assert_eq!(browser.value(colours), json!([background, background]));
    }
    // On paper there is nothing to be pressed.
    browser.emulate("dark", "print");
    let gone = "[...document.querySelectorAll('nav, #switches, #tip')]\
                .every((part) => getComputedStyle(part).display === 'none')";
    assert_eq!(browser.value(gone), json!(true));
}

#[test]
fn everything_has_a_name_for_those_who_listen() {
    let mut browser = opened(1200);
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let named = |role: &str| -> Vec<String> {
        let of_role = nodes.iter().filter(|node| node["role"]["value"] == role);
        let name = |node: &Value| node["name"]["value"].as_str().unwrap_or("").to_owned();
        of_role.map(name).collect()
    };
    for role in [
        "table",
        "checkbox",
        "button",
        "navigation",
        "region",
        "application",
    ] {
        let names = named(role);
        assert!(!names.is_empty(), "nothing is a {role}");
        assert!(
            names.iter().all(|name| !name.is_empty()),
            "{role}: {names:?}"
        );
    }
    assert_eq!(named("checkbox"), NAMES);
    for role in ["banner", "main", "contentinfo"] {
        assert_eq!(named(role).len(), 1, "{role}");
    }
    assert!(
        named("columnheader")
            .iter()
            .any(|name| name.contains("median"))
    );
    assert!(
        named("application")
            .iter()
            .any(|name| name.starts_with("Ready after"))
    );
}

#[test]
fn without_its_script_the_page_is_whole() {
    let mut browser = Browser::start();
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        json!({ "value": true }),
    );
    browser.open(page(), 1200);
    let text = browser.text("document.body.innerText");
    for part in [
        "prefix-warm saves ",
        "Paired differences",
        "noise floor",
        "Repeat it",
    ] {
        assert!(text.contains(part), "{part}");
    }
    // What only the script could bring to life is not there.
    assert!(!text.contains("Scenarios shown"));
    assert_eq!(
        browser.value("document.querySelectorAll('figure svg.chart').length"),
        json!(8)
    );
}

#[test]
fn ten_thousand_launches_make_a_small_page_that_still_answers() {
    let project = Project::new(EXITING_APP);
    let record = fs::read_to_string(RECORD).unwrap();
    let mut long = String::new();
    let is_launch = |line: &&str| line.starts_with("{\"type\":\"launch\"");
    for line in record
        .lines()
        .filter(|line| !is_launch(line) && !line.contains("\"type\":\"end\""))
    {
        let _ = writeln!(long, "{line}");
    }
    let rounds = 10_000 / record.lines().filter(is_launch).count() + 1;
    let blocks = blocks_of("warm", "ready");
    for round in 0..rounds {
        for line in record.lines().filter(is_launch) {
            let mut launch: Value = serde_json::from_str(line).unwrap();
            launch["block"] = json!(launch["block"].as_u64().unwrap() + (round * blocks) as u64);
            launch["at_ms"] = json!(launch["at_ms"].as_f64().unwrap() + round as f64 * 6e5);
            let _ = writeln!(long, "{launch}");
        }
    }
    project.write("long.jsonl", &long);
    project
        .run(&["report", "long.jsonl", "--out", "long"])
        .expect(0);
    let page = project.path().join("long/report.html");
    let size = fs::metadata(&page).unwrap().len();
    assert!(
        long.lines().count() > 10_000 && size <= 1_500_000,
        "{size} bytes"
    );
    let mut browser = Browser::start();
    browser.open(&page, 1200);
    assert_eq!(
        browser.value(&marks(&chart("scenarios", 1))),
        json!(rounds * launches("ready"))
    );
    browser.value("document.querySelector('figure .scroll').focus({ focusVisible: true })");
    browser.press("End");
    let last = format!("warm, block {}: ready ", rounds * blocks - 1);
    assert!(browser.text(TIP).starts_with(&last));
    assert_eq!(browser.complaints(&page), Vec::<String>::new());
}

#[test]
fn whatever_a_record_is_called_it_is_text() {
    let project = Project::new(EXITING_APP);
    let evil =
        "</script><script>window.stolen = 1</script><img src=x onerror=stolen=2>\u{2028}'\"`${1}";
    let record = fs::read_to_string(RECORD).unwrap();
    let mut lines: Vec<String> = record.lines().map(str::to_owned).collect();
    let mut run: Value = serde_json::from_str(&lines[0]).unwrap();
    let text = run["suite"]["text"].as_str().unwrap();
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let hostile = text
        .replace("\"~100ms per server restart\"", &quoted(evil))
        .replace(
            "\"the source can be written, and everything is cached\"",
            &quoted(evil),
        );
    run["suite"]["text"] = json!(hostile);
    run["suite"]["origin"] = json!(evil);
    run["command_line"] = json!(["coldsnake", "run", evil]);
    run["started"] = json!(evil);
    run["coldsnake"] = json!(evil);
    run["host"]["cpu_model"] = json!(evil);
    run["isolation"]["notes"] = json!([evil]);
    lines[0] = run.to_string();
    project.write("hostile.jsonl", &lines.join("\n"));
    project
        .run(&["report", "hostile.jsonl", "--out", "hostile"])
        .expect(0);
    let page = project.path().join("hostile/report.html");
    let mut browser = Browser::start();
    browser.open(&page, 1200);
    assert_eq!(browser.value("typeof window.stolen"), json!("undefined"));
    assert_eq!(browser.value("document.images.length"), json!(0));
    assert_eq!(browser.value("document.scripts.length"), json!(2));
    let claim = browser.text("document.querySelector('header q').textContent");
    assert!(claim.starts_with("</script><script>window"), "{claim}");
    assert_eq!(browser.complaints(&page), Vec::<String>::new());
}

const TRACE: &str = r#"{"trace_version": 1, "coldsnake": "0.1.0", "app": "lernmanager", "suite": "x", "seed": 1,
"stopped": "blocks", "difference": null, "scenarios": [{"name": "cold", "interpreter": "cpython 3.11.2",
"until": "ready", "blocks": 5, "traced_ms": 180.7, "parts_ms": {"start": 30.0, "compile": 90.5, "execute": 60.0},
"modules": [{"name": "</script>models", "place": "path", "group": "app", "begin_ms": 40.0, "inclusive_ms": 70.0,
"own_ms": 60.0, "phases_ms": {"compile": 45.0, "execute": 15.0}}]}]}"#;

const DIAGNOSIS: &str = r#"{"format_version": 1, "answer": "5 of 5 modules are compiled at every start.",
"subject": "lernmanager.service", "user": "www-data", "verdicts": {"absent": 5}, "notes": [], "each": [],
"findings": [{"cause": "absent", "obstacle": "read-only", "effect": "compiled-at-every-start", "modules": 5,
"parts": {"app": 5}, "examples": ["<b>models</b>"], "evidence": ["the mount is read-only"], "fixes": [
{"works": true, "what": "compile at deploy", "because": null, "lines": ["python -m compileall /srv/app"]}]}]}"#;

#[test]
fn a_trace_and_a_diagnosis_can_go_onto_the_page() {
    let project = Project::new(EXITING_APP);
    project.write("traced/trace.json", TRACE);
    project.write("doctor.json", DIAGNOSIS);
    let args = [
        "report",
        RECORD,
        "--out",
        "with",
        "--trace",
        "traced",
        "--doctor",
        "doctor.json",
    ];
    project.run(&args).expect(0);
    let page = project.path().join("with/report.html");
    assert!(
        project
            .path()
            .join("with/charts/waterfall-cold.png")
            .exists()
    );
    let mut browser = Browser::start();
    browser.open(&page, 375);
    let section =
        |id: &str| format!("document.querySelector('section[aria-labelledby={id}]').innerText");
    let trace = browser.text(&section("trace"));
    assert!(
        trace.contains("Under cold (cpython 3.11.2) a traced launch takes 181 ms"),
        "{trace}"
    );
    assert!(
        trace.contains("compile") && trace.contains("90.5"),
        "{trace}"
    );
    let rows = browser.text(&format!("{}.textContent", chart("trace", 1)));
    assert!(
        rows.contains("</script>models") && rows.contains("compile 45.0"),
        "{rows}"
    );
    let doctor = browser.text(&section("doctor"));
    for part in [
        "5 of 5 modules",
        "<b>models</b>",
        "the mount is read-only",
        "Works: compile at deploy",
    ] {
        assert!(doctor.contains(part), "{part} is not in {doctor}");
    }
    let too_wide = browser.value("document.documentElement.scrollWidth - innerWidth");
    assert!(too_wide.as_i64().unwrap() <= 0);
    assert_eq!(browser.complaints(&page), Vec::<String>::new());
}

#[test]
fn what_only_looks_like_a_trace_or_a_diagnosis_is_refused_and_nothing_is_written() {
    let project = Project::new(EXITING_APP);
    let report = |options: &[&str]| {
        let args = [&["report", RECORD, "--out", "refused"], options].concat();
        project.run(&args)
    };
    project.write("odd.json", "[1]");
    project.write("text.json", "hello");
    project.write("newer.json", r#"{"trace_version": 99}"#);
    project.write("half.json", r#"{"trace_version": 1, "app": "lernmanager"}"#);
    project.write("other.json", &TRACE.replace("\"lernmanager\"", "\"shop\""));
    project.write("summary.json", r#"{"format_version": 1, "suite": "x"}"#);
    for (options, said) in [
        (
            ["--trace", "odd.json"],
            "it is not what `coldsnake trace --out` writes",
        ),
        (["--trace", "text.json"], "it is no JSON"),
        (["--trace", "newer.json"], "it is of version 99"),
        (["--trace", "half.json"], "missing field `scenarios`"),
        (
            ["--trace", "other.json"],
            "it is a trace of shop, and the record is of lernmanager",
        ),
        (["--trace", "nowhere.json"], "cannot read nowhere.json"),
        (
            ["--doctor", "summary.json"],
            "it is not what `coldsnake doctor --format json` prints",
        ),
    ] {
        report(&options).expect(2).says(&[said]);
        assert!(!project.path().join("refused").exists());
    }
}
