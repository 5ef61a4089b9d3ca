//! The typical launch of each scenario for speedscope: an evented profile for each lane
//! (<https://www.speedscope.app/file-format-schema.json>). What opens closes, in the opposite order,
//! and no time is smaller than the one before.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::Lane;
use super::findings::Findings;
use super::modules::Place;
use super::parse::Kind;
use super::part::Part;
use super::profile::Profile;
use super::tree::Node;

/// Frames that several profiles share, each with its number.
#[derive(Default)]
struct Frames {
    numbers: BTreeMap<(String, Option<String>), usize>,
    all: Vec<Value>,
}

impl Frames {
    fn number(&mut self, name: String, file: Option<String>) -> usize {
        let next = self.all.len();
        let number = *self
            .numbers
            .entry((name.clone(), file.clone()))
            .or_insert(next);
        if number == next {
            self.all.push(match file {
                Some(file) => json!({"name": name, "file": file}),
                None => json!({"name": name}),
            });
        }
        number
    }
}

/// What a node is called where it stands alone: the module that is imported, or a phase and its module.
pub(super) fn label(node: &Node) -> String {
    match node.kind {
        Kind::Import => node.module.clone(),
        Kind::Tracer => Part::Tracer.name().to_owned(),
        phase => format!("{} {}", phase.name(), node.module),
    }
}

/// The file's text.
pub fn speedscope(findings: &Findings) -> String {
    let mut frames = Frames::default();
    let mut profiles = Vec::new();
    for profile in &findings.profiles {
        for lane in &profile.typical.lanes {
            profiles.push(evented(profile, lane, &mut frames));
        }
    }
    let file = json!({
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": findings.app,
        "exporter": concat!("coldsnake ", env!("CARGO_PKG_VERSION")),
        "activeProfileIndex": 0,
        "shared": { "frames": frames.all },
        "profiles": profiles,
    });
    format!("{file}\n")
}

fn evented(profile: &Profile, lane: &Lane, frames: &mut Frames) -> Value {
    let total = profile.typical.total;
    let mut events = Events::default();
    let (begin, end) = match lane.place {
        Place::Path => {
            let start = frames.number(Part::Start.name().to_owned(), None);
            events.open(start, Duration::ZERO);
            events.close(lane.begin);
            (Duration::ZERO, total)
        }
        Place::Beside => (lane.begin, lane.end),
    };
    let program = frames.number(Part::Program.name().to_owned(), None);
    events.open(program, lane.begin);
    for node in &lane.nodes {
        events.leave(node.begin, lane.end);
        let module = profile
            .typical
            .modules
            .get(&(lane.place, node.module.clone()));
        let file = module
            .map(|module| module.file.clone())
            .filter(|file| !file.is_empty());
        let frame = frames.number(label(node), file);
        events.open_until(frame, node.begin, node.end);
    }
    events.leave(lane.end, lane.end);
    events.close(lane.end);
    if lane.place == Place::Path && lane.end < total {
        let over = frames.number(Part::End.name().to_owned(), None);
        events.open(over, lane.end);
        events.close(total);
    }
    json!({
        "type": "evented",
        "name": format!("{}, {}", profile.scenario, lane.label),
        "unit": "nanoseconds",
        "startValue": nanos(begin),
        "endValue": nanos(end),
        "events": events.all,
    })
}

/// Events in order, and what is open.
#[derive(Default)]
struct Events {
    all: Vec<Value>,
    open: Vec<(usize, Duration)>,
}

impl Events {
    fn open(&mut self, frame: usize, at: Duration) {
        self.open_until(frame, at, Duration::MAX);
    }

    fn open_until(&mut self, frame: usize, at: Duration, until: Duration) {
        self.all
            .push(json!({"type": "O", "frame": frame, "at": nanos(at)}));
        self.open.push((frame, until));
    }

    fn close(&mut self, at: Duration) {
        if let Some((frame, _)) = self.open.pop() {
            self.all
                .push(json!({"type": "C", "frame": frame, "at": nanos(at)}));
        }
    }

    /// Closes what is over by then.
    fn leave(&mut self, by: Duration, end: Duration) {
        while let Some(&(_, until)) = self.open.last()
            && until <= by
        {
            self.close(until.min(end));
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::profile::tests::profile;
    use super::super::{Findings, Stopped};
    use super::*;

    #[test]
    fn events_are_nested_and_their_times_ascend() {
        let findings = Findings {
            app: "app".to_owned(),
            origin: "suite.toml".to_owned(),
            seed: 1,
            stopped: Stopped::AllBlocks,
            profiles: vec![profile("cold", &[300]), profile("warm", &[100])],
            difference: None,
        };
        let file: Value = serde_json::from_str(&speedscope(&findings)).unwrap();
        let frames = file["shared"]["frames"].as_array().unwrap();
        let names: Vec<&str> = frames.iter().map(|f| f["name"].as_str().unwrap()).collect();
        for name in ["interpreter start", "program", "m", "compile m", "n"] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        let profiles = file["profiles"].as_array().unwrap();
        assert_eq!(profiles.len(), 2);
        for profile in profiles {
            let mut open = Vec::new();
            let mut last = profile["startValue"].as_u64().unwrap();
            for event in profile["events"].as_array().unwrap() {
                let at = event["at"].as_u64().unwrap();
                assert!(at >= last, "{event}");
                last = at;
                match event["type"].as_str().unwrap() {
                    "O" => open.push(event["frame"].clone()),
                    _ => assert_eq!(open.pop().as_ref(), Some(&event["frame"])),
                }
            }
            assert!(open.is_empty());
            assert_eq!(last, profile["endValue"].as_u64().unwrap());
        }
    }
}
