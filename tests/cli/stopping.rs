//! What ends a run: seen in the record, in what is printed, and by `check`.

use crate::project::{As, EXITING_APP, Project, end};

/// `slow` sleeps for 50 ms more than `warm`.
fn project(expect: &str) -> Project {
    let exiting = EXITING_APP.replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
    let project = Project::new(&format!(
        "{exiting}\n\
         [[scenario]]\nname = \"slow\"\nenv = {{ SLEEP = \"0.05\" }}\n\
         [[claim]]\nid = \"c\"\ntext = \"t\"\n\
         contrast = {{ from = \"warm\", to = \"slow\", metric = \"exit\" }}\nexpect = {{ {expect} }}\n"
    ));
    project.write(
        "app/main.py",
        "import helper, os, time\ntime.sleep(float(os.environ.get('SLEEP', '0')))\n",
    );
    project
}

#[test]
fn a_run_until_decided_stops_with_the_verdict_that_check_gives() {
    for (expect, status) in [
        ("costs-at-most = \"20s\"", 0),
        ("costs-at-most = \"1ms\"", 1),
    ] {
        let project = project(expect);
        let options = ["--until", "decided", "--blocks", "100"];
        end(&mut project.measuring(As::Me, &options)).expect(0);
        let last = project.lines("end").remove(0);
        assert_eq!(last["stop_reason"], "decided");
        // A pilot of ten, and as many as it takes to rule anything out.
        assert!(last["blocks"].as_u64() > Some(15), "{last}");
        let ended = project.run(&["check", "out"]).expect(status);
        assert!(!ended.stdout.is_empty());
        let report = std::fs::read_to_string(project.path().join("out/report.html")).unwrap();
        assert!(report.contains("stopped when everything was decided"));
        assert!(report.contains("confidence sequence") && !report.contains("signed-rank"));
    }
}

#[test]
fn too_few_blocks_to_decide_are_told() {
    let project = project("costs-at-most = \"20s\"");
    let options = ["--until", "decided", "--blocks", "12"];
    let shown = end(&mut project.measuring(As::Me, &options))
        .expect(0)
        .stdout;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "the greatest number of blocks was reached before everything was decided",
        "Intervals and verdicts hold at every look",
        "no interval yet: needs at least",
        "inconclusive",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    project.run(&["check", "out"]).expect(3);
}

#[test]
fn a_goal_that_is_none_is_refused_with_its_line() {
    let suite = EXITING_APP.replace("[measure]", "[measure]\nuntil = \"sure\"");
    Project::new(&suite)
        .measure(As::Me, 1)
        .expect(2)
        .says(&["suite.toml:10: ", "`until` is one of: precise, decided"]);
    let project = Project::new(EXITING_APP);
    end(&mut project.measuring(As::Me, &["--until", "sure"])).expect(2);
}
