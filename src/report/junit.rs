//! Verdicts as JUnit XML, which servers for continuous integration show as tests.
//!
//! A claim that is refuted, or a regression, is a failure. One that cannot be told is skipped: nothing
//! is known to be wrong, and nothing to be right. Where the measurement is invalid every test is an
//! error, as then the tests are what is wrong. The exit status is what lets a job fail.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::guard::in_a_line;
use crate::analysis::{Analysis, Guard, Validity};
use crate::stats::bounds::Verdict;

/// What one test is about.
struct Test {
    name: String,
    verdict: Verdict,
    /// What was seen, and why that is the verdict.
    message: String,
}

/// One test for each scenario that was guarded.
pub fn guard_junit(guard: &Guard) -> String {
    let tests = guard.lines.iter().map(|line| Test {
        name: format!("{} ({})", line.scenario, line.measured),
        verdict: line.verdict,
        message: in_a_line(line),
    });
    write(
        &guard.app,
        "max-regression",
        tests.collect(),
        &guard.invalid,
    )
}

/// One test for each claim.
pub fn claims_junit(analysis: &Analysis) -> String {
    let tests = analysis.claims.iter().map(|claim| Test {
        name: claim.id.clone(),
        verdict: claim.verdict,
        message: format!(
            "\"{}\", expected: {}; {}, {}",
            claim.text, claim.expected, claim.measured, claim.reason
        ),
    });
    let invalid = match &analysis.validity {
        Validity::Valid => &[][..],
        Validity::Invalid(reasons) => reasons,
    };
    write(&analysis.app, "claims", tests.collect(), invalid)
}

fn write(app: &str, what: &str, tests: Vec<Test>, invalid: &[String]) -> String {
    let mut suite = TestSuite::new(format!("{app}: {what}"));
    let class = format!("coldsnake.{app}");
    for mut test in tests {
        // No characters of XML's, and the library lets them through.
        test.message = test.message.replace(['\u{fffe}', '\u{ffff}'], "");
        let status = match (invalid, test.verdict) {
            ([], Verdict::Supported) => TestCaseStatus::success(),
            ([], Verdict::Refuted) => with_message(
                TestCaseStatus::non_success(NonSuccessKind::Failure),
                &test.message,
            ),
            ([], Verdict::Inconclusive) => with_message(TestCaseStatus::skipped(), &test.message),
            (reasons, _) => with_message(
                TestCaseStatus::non_success(NonSuccessKind::Error),
                &reasons.join("; "),
            ),
        };
        let mut case = TestCase::new(test.name, status);
        case.set_classname(class.clone());
        case.set_system_out(test.message);
        suite.add_test_case(case);
    }
    let mut report = Report::new("coldsnake");
    report.add_test_suite(suite);
    // Written into memory, where nothing can fail; all of it is escaped by then.
    report.to_string().unwrap_or_default()
}

fn with_message(mut status: TestCaseStatus, message: &str) -> TestCaseStatus {
    status.set_message(message);
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(verdict: Verdict, message: &str) -> Vec<Test> {
        vec![Test {
            name: "warm <exit> & \"more\"".to_owned(),
            verdict,
            message: message.to_owned(),
        }]
    }

    #[test]
    fn each_verdict_is_another_kind_of_outcome() {
        let text = |verdict, invalid: &[String]| {
            write("demo", "max-regression", test(verdict, "why"), invalid)
        };
        let passed = text(Verdict::Supported, &[]);
        assert!(
            passed.contains(r#"tests="1""#) && passed.contains(r#"failures="0""#),
            "{passed}"
        );
        let failed = text(Verdict::Refuted, &[]);
        assert!(failed.contains("<failure message=\"why\""), "{failed}");
        let skipped = text(Verdict::Inconclusive, &[]);
        assert!(skipped.contains("<skipped message=\"why\""), "{skipped}");
        let invalid = text(Verdict::Supported, &["it did not hold".to_owned()]);
        assert!(
            invalid.contains("<error message=\"it did not hold\""),
            "{invalid}"
        );
    }

    #[test]
    fn what_xml_cannot_hold_is_escaped_or_dropped() {
        let text = write(
            "demo",
            "x",
            test(Verdict::Refuted, "a\u{1}b\u{1b}[31m<c> & d\u{fffe}"),
            &[],
        );
        assert!(text.contains("ab&lt;c&gt; &amp; d"), "{text}");
        assert!(text.contains("warm &lt;exit&gt; &amp;"), "{text}");
        assert!(!text.contains(['\u{1}', '\u{1b}', '\u{fffe}']), "{text}");
    }
}
