use super::*;

/// The same suite, measured with `cold` taking `more` ms more.
fn changed(more: f64) -> Record {
    record(SUITE, 40, Noise::Usual, |scenario, _| match scenario {
        "cold" => 245.0 + more,
        other => truth(other),
    })
}

#[test]
fn a_record_is_no_different_from_itself() {
    let record = changed(0.0);
    let found = compare(&record, &record, Unlike::Refuse).unwrap();
    assert_eq!(found.contrasts.len(), 12);
    for contrast in &found.contrasts {
        assert_eq!(contrast.shift_ms.estimate, 0.0);
        assert_eq!(contrast.pairing, Pairing::Uncontrolled);
        assert!(contrast.p_value > 0.99);
    }
    assert!(found.differences.is_empty());
    assert!(says(&found.notes, "uncontrolled"));
}

#[test]
fn a_change_is_found_where_it_is() {
    let found = compare(&changed(0.0), &changed(60.0), Unlike::Refuse).unwrap();
    for contrast in &found.contrasts {
        let interval = contrast.shift_ms.interval.unwrap();
        let truth = if contrast.scenario == "cold" {
            60.0
        } else {
            0.0
        };
        assert!(interval.contains(truth), "{contrast:?}");
        assert_eq!(contrast.p_value < 1e-6, contrast.scenario == "cold");
    }
}

#[test]
fn different_experiments_are_refused_or_labelled() {
    let first = changed(0.0);
    let mut second = changed(0.0);
    second.header.host.kernel = "6.6.0".to_owned();
    second.header.suite.sha256 = "1".repeat(64);
    second.header.interpreters[0].version = "3.12.1".to_owned();
    let refused = compare(&first, &second, Unlike::Refuse).unwrap_err();
    let what: Vec<&str> = refused
        .differences
        .iter()
        .map(|d| d.what.as_str())
        .collect();
    assert_eq!(what, ["suite (SHA-256)", "interpreters", "host's kernel"]);
    assert!(
        refused
            .to_string()
            .contains("host's kernel: 6.1.0 and 6.6.0"),
        "{refused}"
    );
    let labelled = compare(&first, &second, Unlike::Label).unwrap();
    assert_eq!(labelled.differences, refused.differences);
    assert!(says(&labelled.notes, "different experiments"));
    assert_eq!(labelled.contrasts.len(), 12);
}

#[test]
fn load_is_no_difference_between_experiments() {
    let mut second = changed(0.0);
    second.header.host.load_1min = 9.0;
    assert!(compare(&changed(0.0), &second, Unlike::Refuse).is_ok());
}

#[test]
fn scenarios_are_matched_by_name() {
    let first = changed(0.0);
    let renamed = SUITE.replace("\"cold\"", "\"icy\"");
    let second = record(&renamed, 20, Noise::Usual, |s, _| truth(s));
    let found = compare(&first, &second, Unlike::Label).unwrap();
    assert_eq!(found.contrasts.len(), 10);
    assert!(says(&found.notes, "only the first record has cold"));
    assert!(says(&found.notes, "only the second record has icy"));
}

#[test]
fn an_app_on_other_cpus_is_another_experiment() {
    let (mut first, mut second) = (changed(0.0), changed(0.0));
    let on = |children: &str| {
        Some(Affinity {
            harness: "0".to_owned(),
            children: children.to_owned(),
            why: String::new(),
        })
    };
    first.header.affinity = on("1");
    // A record that is older than the field.
    assert!(compare(&first, &second, Unlike::Refuse).is_ok());
    second.header.affinity = on("0-1");
    let refused = compare(&first, &second, Unlike::Refuse).unwrap_err();
    assert!(
        refused.to_string().contains("app's CPUs: 1 and 0-1"),
        "{refused}"
    );
}
