//! The typical launch of each scenario in the trace-event format, which browsers' viewers and Perfetto
//! read (`chrome://tracing`; "Trace Event Format", JSON Object Format). Times are microseconds.

use serde_json::{Value, json};

use super::findings::Findings;
use super::modules::Place;
use super::parse::Kind;
use super::part::Part;
use super::profile::Profile;
use super::speedscope::label;

/// Between the process numbers of two scenarios.
const APART: usize = 1000;

/// The file's text.
pub fn trace_events(findings: &Findings) -> String {
    let mut described = Vec::new();
    let mut events = Vec::new();
    for (index, profile) in findings.profiles.iter().enumerate() {
        add(profile, index * APART, &mut described, &mut events);
    }
    // What is around comes before what is in it: such events stand in that order already.
    events.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    described.extend(events.into_iter().map(|(_, event)| event));
    let file = json!({
        "displayTimeUnit": "ms",
        "otherData": {
            "app": findings.app,
            "exporter": concat!("coldsnake ", env!("CARGO_PKG_VERSION")),
        },
        "traceEvents": described,
    });
    format!("{file}\n")
}

fn add(
    profile: &Profile,
    offset: usize,
    described: &mut Vec<Value>,
    events: &mut Vec<(f64, Value)>,
) {
    let micros = |time: std::time::Duration| time.as_nanos() as f64 / 1e3;
    for lane in &profile.typical.lanes {
        let (pid, tid) = (offset + lane.process, lane.thread);
        // The path goes on in other processes, and keeps its own line.
        let name = format!("{}, process {}", profile.scenario, lane.process);
        for (what, id, name) in [
            ("process_name", 0, name),
            ("thread_name", tid, lane.label.clone()),
        ] {
            described.push(json!({
                "name": what, "ph": "M", "pid": pid, "tid": id, "args": {"name": name},
            }));
        }
        let mut put = |name: &str, category: &str, from: f64, to: f64, args: Value| {
            events.push((
                from,
                json!({
                    "name": name, "cat": category, "ph": "X", "ts": from, "dur": to - from,
                    "pid": pid, "tid": tid, "args": args,
                }),
            ));
        };
        let mut part = |part: Part, from: f64, to: f64| {
            put(part.name(), "interpreter", from, to, json!({}));
        };
        let (begin, end) = (micros(lane.begin), micros(lane.end));
        if lane.place == Place::Path {
            part(Part::Start, 0.0, begin);
        }
        part(Part::Program, begin, end);
        let total = micros(profile.typical.total);
        if lane.place == Place::Path && end < total {
            part(Part::End, end, total);
        }
        for node in &lane.nodes {
            let module = profile
                .typical
                .modules
                .get(&(lane.place, node.module.clone()));
            let category = match (node.kind, module) {
                (Kind::Tracer, _) => "tracer",
                (_, Some(module)) => module.group.word(),
                (_, None) => "app",
            };
            let args = match module {
                Some(module) => json!({"module": node.module, "file": module.file}),
                None => json!({}),
            };
            put(
                &label(node),
                category,
                micros(node.begin),
                micros(node.end),
                args,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::tests::profile;
    use super::super::{Findings, Stopped};
    use super::*;

    #[test]
    fn events_are_in_order_and_nest() {
        let findings = Findings {
            app: "app".to_owned(),
            origin: "suite.toml".to_owned(),
            seed: 1,
            stopped: Stopped::AllBlocks,
            profiles: vec![profile("cold", &[300])],
            difference: None,
        };
        let file: Value = serde_json::from_str(&trace_events(&findings)).unwrap();
        let events = file["traceEvents"].as_array().unwrap();
        let spans: Vec<(f64, f64)> = events
            .iter()
            .filter(|event| event["ph"] == "X")
            .map(|event| {
                let ts = event["ts"].as_f64().unwrap();
                (ts, ts + event["dur"].as_f64().unwrap())
            })
            .collect();
        assert!(spans.len() > 5);
        assert!(spans.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        for (index, one) in spans.iter().enumerate() {
            for other in &spans[index + 1..] {
                let apart = other.0 >= one.1 - 1e-6;
                assert!(apart || other.1 <= one.1 + 1e-6, "{one:?} {other:?}");
            }
        }
    }
}
