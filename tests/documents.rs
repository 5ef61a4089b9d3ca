//! The documents say what the code does. Tables in them are marked by a comment,
//! `<!-- keys of WireApp -->`, and held against what the source text declares.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use coldsnake::analysis::ACROSS_VERSION;
use coldsnake::doctor::Verdict;
use coldsnake::record::format::FORMAT_VERSION;
use coldsnake::suite::quantity::format_duration;
use coldsnake::suite::{Metric, Suite, SuiteError, SuiteFile, bundled};
use coldsnake::trace::{Part, TRACE_VERSION};
use toml::{Table, Value};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const SUITES: &str = "scenarios/README.md";
const RESULTS: &str = "results/README.md";

/// All documents of the repository, by path below its root.
fn documents() -> Vec<PathBuf> {
    let is_hidden_or_built = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() > 0 && (name.starts_with('.') || name == "target" || name == "coldsnake-runs")
    };
    let found: Vec<PathBuf> = walkdir::WalkDir::new(root())
        .into_iter()
        .filter_entry(|entry| !is_hidden_or_built(entry))
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "md"))
        .map(|entry| entry.path().strip_prefix(root()).unwrap().to_owned())
        .collect();
    assert!(found.len() >= 5, "only {found:?}");
    found
}

// ---- what documents say --------------------------------------------------------------------

/// A row of a marked table, by the column's heading.
type Row = BTreeMap<String, String>;

/// The marked tables of a document: what is marked, and the rows. Tables of one subject are one.
fn tables(document: &str, what: &str) -> BTreeMap<String, Vec<Row>> {
    let mut found: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let text = read(document);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let subject = line
            .strip_prefix(&format!("<!-- {what} of "))
            .and_then(|rest| rest.strip_suffix(" -->"));
        let Some(subject) = subject else { continue };
        let mut table = lines
            .by_ref()
            .skip_while(|line| line.is_empty())
            .take_while(|line| line.starts_with('|'))
            .map(cells);
        let headings = table
            .next()
            .unwrap_or_else(|| panic!("no table of {subject}"));
        let rows: Vec<Row> = table
            .skip(1)
            .map(|row| {
                assert_eq!(row.len(), headings.len(), "{document}, {subject}: {row:?}");
                headings.iter().cloned().zip(row).collect()
            })
            .collect();
        assert!(!rows.is_empty(), "the table of {subject} has no rows");
        found.entry(subject.to_owned()).or_default().extend(rows);
    }
    found
}

fn table(document: &str, what: &str, subject: &str) -> Vec<Row> {
    tables(document, what)
        .remove(subject)
        .unwrap_or_else(|| panic!("{document} has no table of {what} of {subject}"))
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// What stands between the first two backticks, or the cell as it is.
fn plain(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or(cell)
}

/// The first column of a table, without backticks.
fn first_column(rows: &[Row], heading: &str) -> BTreeSet<String> {
    let set: BTreeSet<String> = rows
        .iter()
        .map(|row| plain(&row[heading]).to_owned())
        .collect();
    assert_eq!(set.len(), rows.len(), "a row is there twice: {set:?}");
    set
}

/// The fenced blocks of a language in a text.
fn blocks(text: &str, language: &str) -> Vec<String> {
    text.split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("\n```")?.0.to_owned()))
        .collect()
}

// ---- what the source declares --------------------------------------------------------------

struct Field {
    name: String,
    kind: String,
    attributes: String,
}

/// The structs with named fields in a source text, with the names that serde gives the fields.
fn structs(path: &str) -> BTreeMap<String, Vec<Field>> {
    let mut found = BTreeMap::new();
    let mut attributes = String::new();
    let mut current: Option<(String, bool, Vec<Field>)> = None;
    for line in read(path).lines() {
        let line = line.trim();
        let declaration = line.strip_prefix("pub ").unwrap_or(line);
        if line.starts_with("#[") {
            attributes += line;
        } else if let Some(rest) = declaration.strip_prefix("struct ")
            && rest.ends_with('{')
        {
            let name = rest.split(['<', ' ']).next().unwrap().to_owned();
            current = Some((name, attributes.contains("kebab-case"), Vec::new()));
            attributes.clear();
        } else if line == "}" {
            if let Some((name, _, fields)) = current.take() {
                found.insert(name, fields);
            }
            attributes.clear();
        } else if let (Some((_, kebab, fields)), Some((name, kind))) =
            (&mut current, declaration.split_once(": "))
            && !line.starts_with("//")
        {
            fields.push(Field {
                name: if *kebab {
                    name.replace('_', "-")
                } else {
                    name.to_owned()
                },
                kind: kind.trim_end_matches(',').to_owned(),
                attributes: std::mem::take(&mut attributes),
            });
        } else if !line.starts_with("//") {
            attributes.clear();
        }
    }
    assert!(!found.is_empty(), "no struct in {path}");
    found
}

fn names(fields: &[Field]) -> BTreeSet<String> {
    fields.iter().map(|field| field.name.clone()).collect()
}

/// The variants of an enum, as written.
fn variants(path: &str, name: &str) -> Vec<String> {
    let text = read(path);
    let (_, rest) = text
        .split_once(&format!("enum {name} {{\n"))
        .unwrap_or_else(|| panic!("no enum {name} in {path}"));
    let body = rest.split_once("\n}").unwrap().0;
    body.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.starts_with('#'))
        .map(|line| line.trim_end_matches(',').to_owned())
        .collect()
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// The texts in quotation marks between two marks in a source text.
fn quoted_between(path: &str, from: &str, to: &str) -> BTreeSet<String> {
    let text = read(path);
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from:?} in {path}"));
    let inner = rest.split_once(to).unwrap().0;
    let all: BTreeSet<String> = inner
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert!(!all.is_empty(), "nothing after {from:?} in {path}");
    all
}

/// The keys of a `json!({ … })` that follows a mark, without those of objects inside it.
fn json_keys(path: &str, mark: &str) -> BTreeSet<String> {
    let text = read(path);
    let (_, rest) = text
        .split_once(mark)
        .unwrap_or_else(|| panic!("no {mark:?} in {path}"));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = rest.lines().skip(1).collect();
    let depth = indent(lines[0]);
    lines
        .iter()
        .take_while(|line| indent(line) >= depth)
        .filter(|line| indent(line) == depth)
        .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\":"))
        .map(|(key, _)| key.to_owned())
        .collect()
}

// ---- the suite format ----------------------------------------------------------------------

#[test]
fn every_key_of_a_suite_is_documented_and_every_documented_key_exists() {
    let declared = structs("src/suite/wire.rs");
    let documented = tables(SUITES, "keys");
    let tables: Vec<&String> = documented.keys().collect();
    assert_eq!(tables, declared.keys().collect::<Vec<_>>());
    for (name, fields) in &declared {
        assert_eq!(
            first_column(
                &documented[name],
                if name == "WireSuite" { "Table" } else { "Key" }
            ),
            names(fields),
            "{name}"
        );
    }
}

#[test]
fn a_key_is_documented_as_required_if_it_is() {
    let declared = structs("src/suite/wire.rs");
    for (name, rows) in tables(SUITES, "keys") {
        for row in rows {
            let (Some(key), Some(default)) = (row.get("Key"), row.get("Default")) else {
                continue;
            };
            let field = declared[&name]
                .iter()
                .find(|field| field.name == plain(key))
                .unwrap();
            let optional =
                field.kind.starts_with("Option<") || field.attributes.contains("default");
            assert_eq!(
                default == "required",
                !optional,
                "{name}: {key} is {default}"
            );
        }
    }
}

/// A suite with which every example in the tables can be used.
const BASE: &str = r#"
[app]
name = "base"
source = "app"
command = ["{python}", "serve.py", "{port}"]
module = "base"
ready = { http = "/" }

[measure]

[[scenario]]
name = "warm"

[[scenario]]
name = "cold"
bytecode = "absent"

[[scenario]]
name = "prefix-warm"
prefix = "warm"
"#;

fn parsed(text: &str) -> Result<Suite, SuiteError> {
    SuiteFile::from_text(Path::new("suite.toml"), text).suite()
}

fn inner<'a>(suite: &'a mut Table, path: &[&str]) -> &'a mut Table {
    path.iter().fold(suite, |table, key| {
        table[*key].as_table_mut().expect("a table")
    })
}

fn push(suite: &mut Table, list: &str, entry: Table) {
    let list = suite
        .entry(list)
        .or_insert_with(|| Value::Array(Vec::new()));
    list.as_array_mut().unwrap().push(Value::Table(entry));
}

/// The suites that an example may stand for: the base with the example in its place.
fn with_example(subject: &str, example: Table) -> Vec<Table> {
    let mut suite: Table = BASE.parse().unwrap();
    let table = |text: &str| text.parse::<Table>().unwrap();
    let on_contrast = "id = \"example\"\ntext = \"t\"\n\
         contrast = { from = \"cold\", to = \"warm\", metric = \"ready\" }\n\
         expect = { saves-at-least = \"1ms\" }";
    let on_receipt = "id = \"example\"\ntext = \"t\"\nscenario = \"cold\"\n\
         expect = { compiled = 0 }";
    match subject {
        "WireApp" | "WireReady" => inner(&mut suite, &["app"]).extend(example),
        "WireMeasure" => inner(&mut suite, &["measure"]).extend(example),
        "WireScenario" => {
            let mut scenario = table("name = \"example\"");
            scenario.extend(example);
            push(&mut suite, "scenario", scenario);
        }
        "WireBy" | "WireOnly" => {
            let mut scenario = table("name = \"example\"");
            scenario.insert("bytecode".to_owned(), Value::Table(example));
            push(&mut suite, "scenario", scenario);
        }
        "WireContrast" => {
            let mut claim = table(on_contrast);
            inner(&mut claim, &["contrast"]).extend(example);
            push(&mut suite, "claim", claim);
        }
        "WireCountBounds" => {
            let mut claim = table(on_receipt);
            inner(&mut claim, &["expect"]).insert("compiled".to_owned(), Value::Table(example));
            push(&mut suite, "claim", claim);
        }
        "WireClaim" | "WireExpect" => {
            return [on_contrast, on_receipt]
                .into_iter()
                .map(|claim| {
                    let mut claim = table(claim);
                    claim.extend(example.clone());
                    let mut suite = suite.clone();
                    push(&mut suite, "claim", claim);
                    suite
                })
                .collect();
        }
        other => panic!("no place for an example of {other}"),
    }
    vec![suite]
}

#[test]
fn the_example_of_each_key_is_one_and_is_accepted() {
    let mut seen = 0;
    for (subject, rows) in tables(SUITES, "keys") {
        for row in rows.iter().filter(|row| row.contains_key("Key")) {
            let (key, example) = (plain(&row["Key"]), plain(&row["Example"]));
            assert!(
                example.contains(key),
                "{subject}: {key} is not in {example}"
            );
            let example: Table = example
                .parse()
                .unwrap_or_else(|error| panic!("{subject}: {example}: {error}"));
            let results: Vec<_> = with_example(&subject, example.clone())
                .iter()
                .map(|suite| parsed(&toml::to_string(suite).unwrap()))
                .collect();
            assert!(
                results.iter().any(Result::is_ok),
                "{subject}: {example}: {results:?}"
            );
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} examples");
}

#[test]
fn the_defaults_are_those_of_the_code() {
    let suite = parsed(BASE).unwrap();
    let documented = |subject: &str, key: &str| {
        let rows = table(SUITES, "keys", subject);
        let row = rows.iter().find(|row| plain(&row["Key"]) == key).unwrap();
        plain(&row["Default"]).to_owned()
    };
    let measure = |key| documented("WireMeasure", key);
    assert_eq!(measure("budget"), format_duration(suite.measure.budget));
    assert_eq!(measure("precision"), suite.measure.precision.to_string());
    assert_eq!(measure("min-blocks"), suite.measure.min_blocks.to_string());
    assert_eq!(measure("max-blocks"), suite.measure.max_blocks.to_string());
    assert_eq!(
        documented("WireReady", "timeout"),
        format_duration(suite.app.timeout)
    );
    let status = documented("WireReady", "status");
    assert!(
        format!("{:?}", suite.app.ready).contains(&format!("status: {status},")),
        "{:?}",
        suite.app.ready
    );
    for (axis, value) in [
        ("source", "writable"),
        ("bytecode", "fresh"),
        ("site-packages", "fresh"),
        ("stdlib", "fresh"),
        ("prefix", "unset"),
        ("source-on", "stage"),
        ("prefix-on", "stage"),
        ("page-cache", "kept"),
    ] {
        assert_eq!(documented("WireScenario", axis), format!("\"{value}\""));
        let given = BASE.replacen(
            "name = \"warm\"",
            &format!("name = \"warm\"\n{axis} = \"{value}\""),
            1,
        );
        let (given, default) = (parsed(&given).unwrap(), parsed(BASE).unwrap());
        assert_eq!(
            format!("{:?}", given.scenarios[0]),
            format!("{:?}", default.scenarios[0])
        );
    }
}

#[test]
fn the_values_of_each_axis_are_those_of_the_code() {
    for axis in [
        "source",
        "bytecode",
        "prefix",
        "source-on",
        "prefix-on",
        "page-cache",
    ] {
        let documented: BTreeSet<String> = first_column(&table(SUITES, "values", axis), "Value")
            .into_iter()
            .filter_map(|value| Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned()))
            .collect();
        let (mark, end) = match axis {
            "bytecode" => ("fn named_states()".to_owned(), "}\n"),
            _ => (format!("\"{axis}\",\n"), "]"),
        };
        let mut declared = quoted_between("src/suite/scenarios.rs", &mark, end);
        declared.remove(axis);
        assert_eq!(documented, declared, "{axis}");
    }
}

#[test]
fn metrics_placeholders_and_passed_variables_are_those_of_the_code() {
    let values = |subject: &str| first_column(&table(SUITES, "values", subject), "Value");
    let metrics = Metric::ALL.map(|metric| format!("\"{}\"", metric.name()));
    assert_eq!(values("Metric"), BTreeSet::from(metrics));
    let placeholders = quoted_between("src/suite/validate.rs", "const PLACEHOLDERS", ";\n");
    assert_eq!(
        values("PLACEHOLDERS"),
        placeholders
            .iter()
            .map(|name| format!("{{{name}}}"))
            .collect()
    );
    assert_eq!(
        values("PASSED"),
        quoted_between("src/python/environment.rs", "const PASSED", "];")
    );
}

#[test]
fn every_suite_in_a_document_can_be_used() {
    let mut whole = 0;
    for document in documents() {
        for block in blocks(&read(document.to_str().unwrap()), "toml") {
            if block.contains("[app]") {
                whole += 1;
                parsed(&block).unwrap_or_else(|error| panic!("{}: {error}", document.display()));
            } else if let Err(error) = block.parse::<Table>() {
                panic!("{}: {error}\n{block}", document.display());
            }
        }
    }
    assert!(whole >= 2, "only {whole} suites");
}

/// The bundled suites by name, and every other suite's file below scenarios/.
fn suites() -> Vec<(String, Suite)> {
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for suite in &bundled::ALL {
        let file =
            SuiteFile::read(&suite.unpack(&folder.path().join(suite.name)).unwrap()).unwrap();
        let parsed = file.suite().unwrap();
        file.check_paths(&parsed).unwrap();
        all.push((suite.name.to_owned(), parsed));
    }
    for entry in walkdir::WalkDir::new(root().join("scenarios"))
        .into_iter()
        .flatten()
    {
        if entry.path().extension().is_some_and(|end| end == "toml") {
            let file = SuiteFile::read(entry.path()).unwrap();
            let parsed = file.suite().unwrap_or_else(|error| panic!("{error}"));
            file.check_paths(&parsed).unwrap();
            all.push((entry.path().display().to_string(), parsed));
        }
    }
    all
}

#[test]
fn the_bundled_suites_can_be_used_and_their_scenarios_are_documented() {
    let text = read(SUITES);
    for (name, suite) in suites() {
        if name.contains('/') {
            continue;
        }
        assert!(
            text.contains(&format!("| `{name}`")),
            "{name} is not described"
        );
        if name == "lernmanager-full" {
            continue;
        }
        let names: Vec<&str> = suite.scenarios.iter().map(|s| s.name.as_str()).collect();
        let listed = format!("| {} |", names.join(", "));
        assert!(text.contains(&listed), "{name}: {listed}");
    }
}

#[test]
fn every_claim_of_a_bundled_suite_is_explained_and_no_other() {
    let declared: BTreeSet<String> = suites()
        .iter()
        .flat_map(|(_, suite)| suite.claims.iter().map(|claim| claim.id.clone()))
        .collect();
    let rows = table(SUITES, "origins", "claims");
    assert_eq!(first_column(&rows, "Claim"), declared);
    // What is quoted there are the claim's own words.
    for row in rows {
        let Some(quote) = row["The statement"].strip_prefix('"') else {
            continue;
        };
        let quote = quote.trim_end_matches('"');
        let stands = suites().iter().any(|(_, suite)| {
            let mut claims = suite.claims.iter();
            claims.any(|claim| claim.id == plain(&row["Claim"]) && claim.text == quote)
        });
        assert!(stands, "no suite says {quote:?}");
    }
}

// ---- results -------------------------------------------------------------------------------

#[test]
fn every_field_of_the_record_is_documented_and_every_documented_field_exists() {
    let declared = structs("src/record/format.rs");
    let summary = structs("src/analysis/summary.rs");
    let documented: BTreeMap<_, _> = tables(RESULTS, "fields")
        .into_iter()
        .filter(|(name, rows)| !summary.contains_key(name) && rows[0].contains_key("Field"))
        .collect();
    assert_eq!(
        documented.keys().collect::<Vec<_>>(),
        declared.keys().collect::<Vec<_>>()
    );
    for (name, fields) in &declared {
        assert_eq!(
            first_column(&documented[name], "Field"),
            names(fields),
            "{name}"
        );
        for row in &documented[name] {
            let key = plain(&row["Field"]);
            let field = fields.iter().find(|field| field.name == key).unwrap();
            let starts = if field.attributes.contains("skip_serializing_if") {
                "left out"
            } else if field.kind.starts_with("Option<") {
                "`null`"
            } else {
                "–"
            };
            assert!(
                row["Missing"].starts_with(starts),
                "{name}.{key} should be {starts}: {}",
                row["Missing"]
            );
        }
    }
}

#[test]
fn every_key_of_the_summary_is_documented_and_every_documented_key_exists() {
    let file = "src/analysis/summary.rs";
    let mut declared: BTreeMap<String, BTreeSet<String>> = structs(file)
        .iter()
        .map(|(name, fields)| (name.clone(), names(fields)))
        .collect();
    declared.insert(
        "metrics".to_owned(),
        json_keys(file, "let values = json!({"),
    );
    declared.insert(
        "Comparison".to_owned(),
        json_keys(file, "let json = json!({"),
    );
    let documented: BTreeMap<String, BTreeSet<String>> = tables(RESULTS, "fields")
        .into_iter()
        .filter(|(_, rows)| rows[0].contains_key("Key"))
        .map(|(name, rows)| (name, first_column(&rows, "Key")))
        .collect();
    assert_eq!(documented, declared);
}

#[test]
fn every_key_of_many_records_side_by_side_is_documented_and_every_documented_key_exists() {
    let declared: BTreeMap<String, BTreeSet<String>> = structs("src/analysis/across/json.rs")
        .iter()
        .map(|(name, fields)| (name.clone(), names(fields)))
        .collect();
    let documented: BTreeMap<String, BTreeSet<String>> = tables(RESULTS, "across-fields")
        .into_iter()
        .map(|(name, rows)| (name, first_column(&rows, "Key")))
        .collect();
    assert_eq!(documented, declared);
    let said = format!("a `format_version` of its own, now **{ACROSS_VERSION}**");
    assert!(read(RESULTS).contains(&said));
}

#[test]
fn every_key_of_a_trace_is_documented_and_every_documented_key_exists() {
    let declared: BTreeMap<String, BTreeSet<String>> = structs("src/trace/json.rs")
        .iter()
        .map(|(name, fields)| (name.clone(), names(fields)))
        .collect();
    let documented: BTreeMap<String, BTreeSet<String>> = tables(RESULTS, "trace-fields")
        .into_iter()
        .map(|(name, rows)| (name, first_column(&rows, "Key")))
        .collect();
    assert_eq!(documented, declared);
    let parts = Part::ALL.map(|part| part.key().to_owned());
    let rows = table(RESULTS, "values", "Part");
    assert_eq!(first_column(&rows, "Key"), BTreeSet::from(parts));
    assert!(read(RESULTS).contains(&format!("the version of this file, now {TRACE_VERSION}.")));
}

#[test]
fn the_formats_versions_are_those_of_the_code() {
    let text = read(RESULTS).replace('\n', " ");
    let said = |sentence: &str| -> u32 {
        let (_, rest) = text
            .split_once(sentence)
            .unwrap_or_else(|| panic!("nothing says {sentence:?}"));
        rest.split("**").nth(1).unwrap().parse().unwrap()
    };
    assert_eq!(said("The format's version is"), FORMAT_VERSION);
    let summary = read("src/analysis/summary.rs");
    let (_, rest) = summary.split_once("SUMMARY_VERSION: u32 = ").unwrap();
    let version: u32 = rest.split(';').next().unwrap().parse().unwrap();
    assert_eq!(said("The version of this file is"), version);
    // The history in the document is the one in the code.
    let history = table(RESULTS, "history", "record");
    for row in &history {
        let line = format!(
            "//! - **{}** ({}): {}.",
            row["Version"], row["Written by"], row["What changed"]
        );
        assert!(read("src/record/format.rs").contains(&line), "{line}");
    }
    let last = history.last().unwrap()["Version"].parse();
    assert_eq!(last, Ok(FORMAT_VERSION));
}

#[test]
fn the_reasons_to_stop_are_those_of_the_code() {
    let declared = variants("src/record/format.rs", "StopReason");
    assert_eq!(
        first_column(&table(RESULTS, "values", "StopReason"), "`stop_reason`"),
        declared.iter().map(|name| kebab(name)).collect()
    );
}

#[test]
fn the_exit_statuses_are_those_of_the_code() {
    let declared: BTreeSet<String> = variants("src/cli/exit.rs", "Status")
        .iter()
        .map(|variant| variant.split_once(" = ").unwrap().1.to_owned())
        .collect();
    assert!(declared.contains("130"));
    assert_eq!(
        first_column(&table(RESULTS, "values", "Status"), "Status"),
        declared
    );
    for document in documents() {
        let text = read(document.to_str().unwrap()).to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        for triple in words.windows(3) {
            let number = triple[2].trim_matches(|c: char| !c.is_ascii_digit());
            if triple[..2] == ["exit", "status"] && !number.is_empty() {
                assert!(
                    declared.contains(number),
                    "{}: exit status {number}",
                    document.display()
                );
            }
        }
    }
}

#[test]
fn the_verdicts_are_those_of_the_code() {
    let said = first_column(&table("METHODOLOGY.md", "values", "Verdict"), "Verdict");
    let known: BTreeSet<String> = Verdict::ALL.iter().map(|v| v.word().to_owned()).collect();
    assert_eq!(said, known);
}

// ---- all documents -------------------------------------------------------------------------

#[test]
fn the_rooms_are_those_of_the_source() {
    let there: BTreeSet<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .flatten()
        .map(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .trim_end_matches(".rs")
                .to_owned()
        })
        .filter(|name| name != "lib" && name != "main")
        .collect();
    assert_eq!(
        first_column(&table("CONTRIBUTING.md", "values", "rooms"), "Room"),
        there
    );
}

/// The part of a link after `#` for each heading, as GitHub makes it.
fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut seen = 0;
    for document in documents() {
        let text = read(document.to_str().unwrap());
        let folder = document.parent().unwrap();
        for rest in text.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            if target.starts_with("http") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() {
                document.clone()
            } else {
                folder.join(path)
            };
            let broken = format!("{} links to {target}", document.display());
            assert!(root().join(&file).exists(), "{broken}");
            if !anchor.is_empty() {
                let linked = read(file.to_str().unwrap());
                assert!(anchors(&linked).contains(anchor), "{broken}");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} links");
}

#[test]
fn every_bench_that_a_document_names_exists() {
    let manifest: Table = read("Cargo.toml").parse().unwrap();
    let benches = manifest["bench"].as_array().unwrap();
    let known: BTreeSet<&str> = benches
        .iter()
        .filter_map(|bench| bench["name"].as_str())
        .collect();
    let mut named = BTreeSet::new();
    for document in documents() {
        let text = read(document.to_str().unwrap());
        for rest in text.split("cargo bench --bench ").skip(1) {
            let end = |c: char| !c.is_alphanumeric() && c != '_' && c != '-';
            let name = rest.split(end).next().unwrap().to_owned();
            assert!(
                known.contains(name.as_str()),
                "{}: {name}",
                document.display()
            );
            named.insert(name);
        }
    }
    assert!(named.contains("estimators"), "{named:?}");
}

#[test]
fn no_document_names_a_path_of_a_machine_or_a_host_of_a_registry() {
    // Wherever this stands and whoever builds it: their folders, and the usual places of others'.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = std::env::var("HOME").unwrap_or_default();
    let own = [here.to_str().unwrap(), home.trim_end_matches('/')];
    let own = own.into_iter().filter(|folder| folder.len() > 1);
    let refused = [
        "/home/",
        "/tmp/",
        "pypi.org",
        "pythonhosted",
        "crates.io",
        "npmjs",
        "proxy.golang",
    ];
    for document in documents() {
        let text = read(document.to_str().unwrap());
        for word in refused.into_iter().chain(own.clone()) {
            assert!(!text.contains(word), "{} names {word}", document.display());
        }
    }
}
