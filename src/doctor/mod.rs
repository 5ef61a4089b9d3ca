//! Why modules are compiled at every start, and which fix works: found without starting the app.
//!
//! `app` makes a [`Subject`] of a command, a `service` or a `process`: which folders, which
//! interpreter, whose rights, which prefix. `audit` walks the folders; `look` finds the modules in one,
//! and `bytecode` gives each the [`Verdict`] that CPython reaches, by means of `header` and `marshal`;
//! `writing` says what keeps bytecode from being written. `gathered` puts modules of one cause together and
//! `prefixes` looks at the prefix itself, for the [`Diagnosis`] of `causes`; `evidence` shows each, `fixes`
//! knows which of the `remedies` help; `text` and `json` lay it out. `observe` launches the app, if that is asked for, and compares.
//!
//! Nothing that is looked at is executed, and nothing of it is believed: neither lengths in files nor
//! names, links or what kind of file a name stands for.

mod ahead;
mod app;
mod archive;
mod audit;
mod bytecode;
mod causes;
mod command;
mod error;
mod evidence;
mod files;
mod fixes;
mod gathered;
mod header;
mod json;
mod look;
pub mod marshal;
mod mounts;
mod observe;
mod places;
mod prefixes;
mod process;
mod remedies;
mod rights;
mod rules;
mod service;
mod subject;
mod text;
mod verdict;
mod view;
mod words;
mod writing;

pub use audit::Audit;
pub use causes::{Diagnosis, Effect, Finding, Tally};
pub use command::{CommandRequest, command};
pub use error::DoctorError;
pub use header::{HashCheck, SourceHash};
pub use json::json;
pub use mounts::{Mount, in_memory};
pub use observe::{Command, Comparison, observe};
pub use process::process;
pub use rights::Rights;
pub use rules::Bodies;
pub use service::service;
pub use subject::{Interpreter, Run, Subject, TreeRequest, dont_write};
pub use text::{Listing, text};
pub use verdict::{Evidence, Fate, Verdict};
