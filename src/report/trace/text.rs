//! For a terminal: the answer first, then parts, groups and modules.

use super::super::numbers;
use super::super::text::{Page, Terminal};
use super::words;
use crate::trace::{Difference, Findings, GroupProfile, Phase, Place, Profile};

/// The text, with so many modules.
pub fn text(findings: &Findings, top: usize, terminal: Terminal) -> String {
    let mut page = Page::new(terminal);
    match (&findings.difference, &findings.profiles[..]) {
        (Some(difference), [ours, theirs, ..]) => {
            compared(&mut page, difference, ours, theirs, top);
        }
        (_, [profile, ..]) => one(&mut page, findings, profile, top),
        (_, []) => {}
    }
    let warnings = words::warnings(findings);
    if !warnings.is_empty() {
        page.blank();
        page.list(&warnings);
    }
    page.into_text()
}

fn one(page: &mut Page, findings: &Findings, profile: &Profile, top: usize) {
    page.sentence("", &words::answer(profile), 0);
    page.sentence("", &words::about(findings, profile), 0);
    page.blank();
    parts(page, profile);
    page.sentence("", &words::sum(profile), 0);
    page.blank();
    of_groups(page, profile);
    if let Some(sentence) = words::compiling(profile) {
        page.sentence("", &sentence, 0);
    }
    page.blank();
    modules(page, profile, Place::Path, top, "Modules that took most");
    if let Some(sentence) = words::beside(profile) {
        page.blank();
        page.sentence("", &sentence, 0);
        if words::beside_ms(profile) >= LEAST_BESIDE * profile.traced_ms {
            page.blank();
            modules(
                page,
                profile,
                Place::Beside,
                top,
                "In other threads and processes",
            );
        }
    }
}

fn parts(page: &mut Page, profile: &Profile) {
    let rows = words::part_rows(profile, |part| words::part(part).to_owned());
    page.table(
        "Where the time goes",
        ["part", "ms", "share", "modules"],
        rows,
    );
}

/// From this share of the launch on, what is beside it has a table.
const LEAST_BESIDE: f64 = 0.01;
/// A module's name is not longer.
const LONGEST: usize = 36;
/// Phases that have a column of their own in the table of groups.
const SHOWN: [Phase; 4] = [
    Phase::Compile,
    Phase::Unmarshal,
    Phase::Execute,
    Phase::Dlopen,
];

fn of_groups(page: &mut Page, profile: &Profile) {
    let row = |name: &str, group: &GroupProfile| {
        let shown = SHOWN.map(|phase| group.phases_ms[phase as usize]);
        let other = group.own_ms - shown.iter().sum::<f64>();
        let [compile, unmarshal, execute, dlopen] = shown.map(numbers::time);
        [
            name.to_owned(),
            numbers::fixed(group.modules, 0),
            numbers::time(group.own_ms),
            compile,
            unmarshal,
            execute,
            dlopen,
            numbers::time(other.max(0.0)),
        ]
    };
    let rows: Vec<[String; 8]> = profile
        .groups
        .iter()
        .map(|(group, sums)| row(group.word(), sums))
        .collect();
    if rows.is_empty() {
        return;
    }
    page.table(
        "Whose modules, ms",
        [
            "of",
            "modules",
            "all",
            "compile",
            "unmarshal",
            "execute",
            "dlopen",
            "other",
        ],
        rows,
    );
}

fn modules(page: &mut Page, profile: &Profile, place: Place, top: usize, title: &str) {
    let rows: Vec<[String; 5]> = profile
        .modules_at(place)
        .take(top)
        .map(|module| {
            [
                short(&module.name),
                module.group.short().to_owned(),
                numbers::time(module.own_ms),
                numbers::time(module.inclusive_ms),
                words::mostly(module.most()),
            ]
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    page.table(
        title,
        ["module", "of", "own ms", "inclusive ms", "mostly"],
        rows,
    );
}

fn compared(
    page: &mut Page,
    difference: &Difference,
    ours: &Profile,
    theirs: &Profile,
    top: usize,
) {
    let shift = match &difference.shift_ms {
        Some(shift) => {
            let (shift, ends) = numbers::difference(shift);
            match ends {
                Some(ends) => format!("{shift} ms {ends}"),
                None => format!("{shift} ms (too few launches for an interval)"),
            }
        }
        None => numbers::UNKNOWN.to_owned(),
    };
    let names = (&difference.scenario, &difference.against);
    page.sentence(
        "",
        &format!(
            "{} against {}: {shift} {}, of launches that were not traced ({} ms and {} ms, medians of \
             {} each).",
            names.0,
            names.1,
            words::until(ours),
            numbers::time(ours.untraced_ms),
            numbers::time(theirs.untraced_ms),
            ours.blocks
        ),
        0,
    );
    for profile in [ours, theirs] {
        if let Some(overhead) = words::overhead(profile) {
            let sentence = format!(
                "Under {} {overhead}. {}",
                profile.scenario,
                words::sum(profile)
            );
            page.sentence("", &sentence, 0);
        }
    }
    page.blank();
    let rows = words::changed_rows(difference, ours, theirs);
    page.table(
        "Where the difference comes from, ms (traced launches)",
        ["part", names.0.as_str(), names.1.as_str(), "difference"],
        rows,
    );
    page.blank();
    let rows: Vec<[String; 4]> = difference
        .modules
        .iter()
        .take(top)
        .map(|module| {
            let (phase, change) = module.most();
            [
                short(&module.name),
                module.group.short().to_owned(),
                words::signed(module.own_ms()),
                format!("{phase} {}", words::signed(change)),
            ]
        })
        .collect();
    if !rows.is_empty() {
        page.table(
            "Modules that changed most",
            ["module", "of", "difference, ms", "mostly"],
            rows,
        );
    }
}

/// The end of a name that is too long for a table: it says more than the beginning.
fn short(name: &str) -> String {
    let length = name.chars().count();
    if length <= LONGEST {
        return name.to_owned();
    }
    let end: String = name.chars().skip(length + 3 - LONGEST).collect();
    format!("...{end}")
}

#[cfg(test)]
mod tests {
    use super::super::super::text::Colour;
    use super::super::fixture::findings;
    use super::*;

    #[test]
    fn the_text_fits_into_80_columns() {
        let terminal = Terminal {
            width: 80,
            colour: Colour::Never,
        };
        let mut findings = findings("werkzeug.routing.converters_of_every_kind");
        let one = text(&findings, 10, terminal);
        assert!(one.contains("converters_of_every_kind"), "{one}");
        let other = findings.profiles[0].clone();
        findings.profiles.push(other);
        let traces = crate::trace::Traces::default();
        let difference = Difference::of(("a-scenario-of-a-long-name", &traces), ("warm", &traces));
        findings.difference = Some(difference);
        let two = text(&findings, 10, terminal);
        assert!(two.contains("a-scenario-of-a-long-name"), "{two}");
        for line in one.lines().chain(two.lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
