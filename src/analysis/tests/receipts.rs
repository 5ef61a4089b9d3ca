use super::*;
use crate::stats::bounds::Verdict;

fn on(scenario: &str, expect: &str) -> String {
    format!(
        "{SUITE}\n[[claim]]\nid = \"c\"\ntext = \"t\"\nscenario = \"{scenario}\"\nexpect = {expect}\n"
    )
}

/// A record with one claim on `before`, and a receipt in which three modules are cached and two
/// compiled in vain.
fn before(expect: &str) -> Record {
    let mut record = record(&on("before", expect), 10, Noise::Usual, |s, _| truth(s));
    record.receipts.push(receipt(
        "before",
        &[
            "app read - models",
            "app read - config",
            "app read - analytics_queue",
            "app compiled EACCES app",
            "app compiled EACCES utils",
            "stdlib read - json",
        ],
    ));
    record
}

fn decide(record: &Record) -> (Verdict, String) {
    let decision = analyse(record).claims.remove(0);
    let Decision {
        expected,
        measured,
        reason,
        ..
    } = decision;
    (
        decision.verdict,
        format!("{expected} | {measured} | {reason}"),
    )
}

#[test]
fn all_conditions_must_hold() {
    let all =
        r#"{ cached = ["analytics_queue", "config", "models"], app-compiled = 2, written = 0 }"#;
    let (verdict, words) = decide(&before(all));
    assert_eq!(verdict, Verdict::Supported);
    assert_eq!(
        words,
        "modules of the app cached: analytics_queue, config and models; modules of the app \
         compiled: 2; pycs written: 0 | modules of the app cached: analytics_queue, config and \
         models; modules of the app compiled: 2; pycs written: 0 | seen in an untimed launch, and \
         10 launches succeeded"
    );
    for (wrong, reason) in [
        (
            r#"{ cached = ["config"], written = 0 }"#,
            "expected modules of the app cached: config",
        ),
        (
            r#"{ app-compiled = { at-least = 3 }, written = 0 }"#,
            "expected modules of the app compiled: at least 3",
        ),
        (r#"{ compiled = 0 }"#, "expected modules compiled: 0"),
        (
            r#"{ prefix-pycs = { at-least = 1 } }"#,
            "expected pycs below the prefix: at least 1",
        ),
    ] {
        let (verdict, words) = decide(&before(wrong));
        assert_eq!(verdict, Verdict::Refuted, "{wrong}");
        assert!(words.ends_with(reason), "{words}");
    }
}

#[test]
fn a_timed_launch_that_writes_refutes_what_the_receipt_says() {
    let mut record = before("{ written = 0 }");
    let launch = record
        .launches
        .iter_mut()
        .find(|launch| launch.arm.scenario == 3 && launch.kind == LaunchKind::App)
        .unwrap();
    (launch.pycs_before, launch.pycs_after) = (3, 5);
    let (verdict, words) = decide(&record);
    assert_eq!(verdict, Verdict::Refuted);
    assert!(words.contains("pycs written: 0 to 2"), "{words}");
}

#[test]
fn an_app_that_does_not_start_supports_nothing() {
    let mut record = before("{ written = 0 }");
    let mut failed = 0;
    for launch in &mut record.launches {
        if launch.arm.scenario == 3 && launch.kind == LaunchKind::App {
            failed += 1;
            launch.failure = Some("exit status 1".to_owned());
            if failed == 2 {
                break;
            }
        }
    }
    let (verdict, words) = decide(&record);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(
        words.ends_with("the receipt agrees, but 2 of 10 launches failed"),
        "{words}"
    );
    for launch in &mut record.launches {
        launch.failure = Some("exit status 1".to_owned());
    }
    let (verdict, words) = decide(&record);
    assert_eq!(verdict, Verdict::Refuted);
    assert!(
        words.ends_with("before does not start: 10 of 10 launches failed"),
        "{words}"
    );
}

#[test]
fn without_a_receipt_nothing_is_decided() {
    let mut record = before("{ written = 0 }");
    record.receipts.clear();
    let (verdict, words) = decide(&record);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(
        words.ends_with("nothing seen | the record holds no receipt of before"),
        "{words}"
    );
}

#[test]
fn receipts_are_counted_by_origin() {
    let analysis = analyse(&before("{ written = 0 }"));
    let receipt = &analysis.scenarios[3].receipt;
    assert_eq!(
        (receipt.read.app, receipt.read.stdlib, receipt.read.total()),
        (3, 1, 4)
    );
    assert_eq!(
        (receipt.compiled.total(), receipt.writes_failed.app),
        (2, 2)
    );
    assert_eq!(receipt.errnos, ["EACCES"]);
    assert_eq!(receipt.app_cached, ["analytics_queue", "config", "models"]);
}

#[test]
fn what_matters_in_the_receipts_is_said() {
    let mut record = before("{ written = 0 }");
    record.receipts.extend([
        receipt(
            "first",
            &[
                "stdlib compiled written json",
                "site-packages compiled written flask",
            ],
        ),
        receipt(
            "read-only",
            &["app compiled EROFS app", "app compiled EROFS models"],
        ),
        receipt("cold", &["app compiled written app"]),
    ]);
    let findings = analyse(&record).findings;
    assert_eq!(
        findings[..4],
        [
            "the first start under a prefix (first) compiled 2 modules, 1 of the standard library \
             and 1 of site-packages among them: a prefix hides every existing __pycache__",
            "under read-only 2 modules of the app are compiled at every start (app and models); \
             none of it can be written: EROFS, the file system is read-only",
            "under before 2 modules of the app are compiled at every start (app and utils); none \
             of it can be written: EACCES, no permission to write there",
            "before: `{python} task.py` left 3 modules of the app cached: analytics_queue, config \
             and models",
        ]
    );
}

#[test]
fn compiling_is_given_for_each_thousand_lines() {
    let mut record = record(SUITE, 20, Noise::None, |scenario, _| truth(scenario));
    record.receipts = vec![
        receipt("read-only", &["app compiled EACCES app"]),
        receipt("cold", &["app compiled written app"]),
        receipt("before", &["app compiled EACCES app", "app read - models"]),
    ];
    let findings = analyse(&record).findings;
    assert!(
        says(
            &findings,
            "compiling and writing the app at each start (cold) takes 45.0 ms [45.0, 45.0] more than warm (ready): 11.3 ms [11.2, 11.3] for each 1,000 of its 4,000 lines"
        ),
        "{findings:#?}"
    );
    assert!(says(
        &findings,
        "compiling the app at each start (read-only) takes 40.0 ms [40.0, 40.0] more than warm (ready): 10.0 ms [10.0, 10.0] for each 1,000 of its 4,000 lines"
    ));
    assert!(!says(&findings, "at each start (before)"));
}

#[test]
fn noise_is_no_rate() {
    let mut record = record(SUITE, 20, Noise::Usual, |_, _| 200.0);
    record.receipts = vec![receipt("cold", &["app compiled written app"])];
    let findings = analyse(&record).findings;
    assert!(
        says(
            &findings,
            "what compiling and writing the app at each start (cold) costs cannot be told from noise"
        ),
        "{findings:#?}"
    );
    assert!(!says(&findings, "for each 1,000"));
}

/// The first modules are imported before the hook: that they are not kept is seen, but not why.
#[test]
fn what_a_receipt_cannot_see_is_not_explained() {
    let mut record = before("{ written = 0 }");
    let early = "site-packages compiled - _distutils_hack";
    record.receipts.push(receipt("cold", &[early]));
    let findings = analyse(&record).findings;
    let said = "under cold 1 module of site-packages is compiled at every start (_distutils_hack); \
                nothing was written, and why was not seen: a start is watched from `sitecustomize` on";
    assert!(
        findings.iter().any(|finding| finding == said),
        "{findings:?}"
    );
}
