//! `coldsnake calibrate`: a minute is too long for a test, so for a few seconds.

use serde_json::Value;

use crate::project::{As, EXITING_APP, Project, end, python};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_calibration_tells_rates_widths_and_what_a_minute_resolves() {
    let project = Project::new(EXITING_APP);
    let python = python();
    let args = [
        "calibrate",
        "--budget",
        "6s",
        "--python",
        &python,
        "--out",
        "found",
        "--quiet",
        "--format",
        "json",
    ];
    let ended = end(&mut project.command(As::Me, &args)).expect(0);
    let found = json(&ended.stdout);
    let blocks = found["blocks"].as_u64().unwrap();
    let stretches = found["stretches"].as_array().unwrap();
    assert_eq!(stretches[0]["blocks"], 20);
    for stretch in stretches {
        let size = stretch["blocks"].as_u64().unwrap();
        assert_eq!(stretch["false_alarms"]["runs"], blocks / size);
        assert!(stretch["half_width"].as_f64().unwrap() > 0.0);
    }
    let known: Vec<_> = found["known"].as_array().unwrap().iter().collect();
    let truths: Vec<_> = known
        .iter()
        .map(|known| (known["scenario"].clone(), known["given"].clone()))
        .collect();
    assert_eq!(
        truths,
        [
            ("works-more", false),
            ("sleeps-1", true),
            ("sleeps-5", true),
            ("sleeps-20", true)
        ]
        .map(|(name, given)| (name.into(), given.into()))
    );
    // No timing: what sleeps for 20 ms does so, however busy the machine is.
    let ms = |end: &str| known[3]["found_ms"][end].as_f64().unwrap();
    assert!(ms("high") > 19.0 && ms("low") < 40.0, "{found}");
    assert!(found["in_60_s"]["apart"].as_f64() > Some(0.0), "{found}");

    // The same again from the record, for people; and nothing is measured or written.
    let again = project
        .run(&["calibrate", "found", "--format", "json"])
        .expect(0);
    assert_eq!(json(&again.stdout), found);
    let shown = project.run(&["calibrate", "found"]).expect(0).stdout;
    for said in [
        "A/A",
        "Known effects",
        "bias",
        "sleeps-20",
        "In 60 s you can tell",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let record = std::fs::read_to_string(project.path().join("found/record.jsonl")).unwrap();
    assert!(record.contains("calibration (bundled)"));
    project.expect_no_stage();
}

#[test]
fn any_record_can_be_told_from_and_one_without_a_pair_is_refused() {
    let project = Project::new(EXITING_APP);
    project.measure(As::Me, 3).expect(0);
    let found = project
        .run(&["calibrate", "out", "--format", "json"])
        .expect(0);
    let found = json(&found.stdout);
    assert_eq!(
        (found["blocks"].clone(), found["stretches"].clone()),
        (3.into(), Value::Array(Vec::new()))
    );

    let shown = project.run(&["calibrate", "out"]).expect(0).stdout;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        shown.contains("20 are needed, and there are 3. Give a longer --budget."),
        "{shown}"
    );

    let decided = Project::new(&EXITING_APP.replace("[measure]", "[measure]\nuntil = \"decided\""));
    decided.measure(As::Me, 2).expect(0);
    decided
        .run(&["calibrate", "out"])
        .expect(2)
        .says(&["was measured until decided", "`--until precise`"]);

    let record = std::fs::read_to_string(project.path().join("out/record.jsonl")).unwrap();
    let launches = |line: &&str| !line.contains("\"type\":\"launch\"");
    let header: String = record
        .lines()
        .filter(launches)
        .map(|line| format!("{line}\n"))
        .collect();
    project.write("empty.jsonl", &header);
    project
        .run(&["calibrate", "empty.jsonl"])
        .expect(2)
        .says(&["no block in which the baseline and its twin were launched"]);
    project.run(&["calibrate", "nowhere"]).expect(2);
    project.run(&["calibrate", "out", "--thorough"]).expect(2);
}
