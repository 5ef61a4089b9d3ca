//! Findings for tests.

use crate::trace::{
    Ending, Findings, Group, Horizon, Pair, Profile, Stopped, Traces, account, parse,
};

/// A launch that imports a module of this name.
pub fn findings(name: &str) -> Findings {
    let lines = format!(
        "process\t7\t1\t70\t1000\t30\nin\t7\t70\nfind\t2000\t3000\t{name}\tSourceFileLoader\t/s/m.py\n\
         execute\t3000\t9000\t{name}\nimport\t2000\t9500\t{name}\nend\t7\t9900\n"
    );
    let time = std::time::Duration::from_nanos;
    let horizon = Horizon {
        spawned: time(0),
        until: time(11_000),
        ending: Ending::Exit,
    };
    let log = parse(lines.as_bytes()).unwrap();
    let whose = |file: &str| (Group::App, file.to_owned());
    let traced = account(&log, &horizon, &whose).unwrap();
    let pair = Pair {
        untraced: time(10_000),
        traced,
    };
    let traces = Traces { pairs: vec![pair] };
    let profile = Profile::of("warm", "cpython 3.11.2".into(), Ending::Exit, &traces);
    Findings {
        app: "shop".to_owned(),
        origin: "suite.toml".to_owned(),
        seed: 1,
        stopped: Stopped::AllBlocks,
        profiles: profile.into_iter().collect(),
        difference: None,
    }
}
