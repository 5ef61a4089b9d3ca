//! The two ways of staging, a layer and a copy, lead to the same verdicts.

use serde_json::Value;

use crate::project::{As, EXITING_APP, Project};

const CLAIMS: &str = r#"
[[scenario]]
name = "cold"
source = "read-only"
bytecode = "absent"

[[scenario]]
name = "first"
source = "read-only"
bytecode = "absent"
prefix = "empty"

[[claim]]
id = "first-start"
text = "the first start under a prefix costs something"
contrast = { from = "first", to = "warm", metric = "exit" }
expect = { saves-at-least = "20ms" }

[[claim]]
id = "nothing-changes"
text = "a prefix makes no difference"
contrast = { from = "warm", to = "first", metric = "exit" }
expect = { no-effect-within = "5ms" }

[[claim]]
id = "survives"
text = "what cannot be written is compiled again"
scenario = "cold"
expect = { app-compiled = 2, written = 0 }

[[claim]]
id = "is-cached"
text = "everything is cached"
scenario = "cold"
expect = { compiled = 0 }
"#;

/// Each claim's verdict, with what was measured.
fn verdicts(stage: &str) -> Vec<(String, String, Value)> {
    let suite = EXITING_APP.replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
    let project = Project::new(&format!("{suite}{CLAIMS}"));
    // Enough of the standard library that no noise is as large as what a first start compiles.
    project.write(
        "app/helper.py",
        "import other, http.server, argparse\nVALUE = 1\n",
    );
    let status = project.measure_staged(As::Me, stage, 12).expect(0);
    let summary = std::fs::read_to_string(project.path().join("out/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let claims = summary["claims"].as_array().unwrap().iter();
    let found: Vec<_> = claims
        .map(|claim| {
            (
                text(&claim["id"]),
                text(&claim["verdict"]),
                claim["measured"].clone(),
            )
        })
        .collect();
    assert_eq!(found.len(), 4, "{}", status.stdout);
    found
}

#[test]
fn a_layer_and_a_copy_lead_to_the_same_verdicts() {
    let (layer, copy) = (verdicts("overlay"), verdicts("copy"));
    let of = |found: &[(String, String, Value)]| -> Vec<(String, String)> {
        let pairs = found.iter().map(|(id, verdict, _)| (id, verdict));
        pairs
            .map(|(id, verdict)| (id.clone(), verdict.clone()))
            .collect()
    };
    let expected = [
        ("first-start", "supported"),
        ("nothing-changes", "refuted"),
        ("survives", "supported"),
        ("is-cached", "refuted"),
    ]
    .map(|(id, verdict)| (id.to_owned(), verdict.to_owned()));
    assert_eq!(
        of(&layer),
        expected,
        "under a layer: {layer:?}\nin a copy: {copy:?}"
    );
    assert_eq!(
        of(&copy),
        expected,
        "under a layer: {layer:?}\nin a copy: {copy:?}"
    );
}
