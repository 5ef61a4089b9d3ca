//! What is to be measured: an app, scenarios, metrics, claims.
//!
//! [`wire`] holds the TOML as it stands in a file, [`model`] the validated types, and
//! [`validate`] the way from one to the other. `scenarios/README.md` documents the format.

mod app;
pub mod bundled;
mod claims;
mod cpu;
mod error;
mod flags;
mod interpreters;
mod measure;
mod model;
mod modules;
mod pattern;
pub mod quantity;
mod ready;
mod revisions;
mod scenarios;
pub mod text;
mod validate;
mod wire;

pub use app::is_module_name;
pub use cpu::CpuQuota;
pub use error::SuiteError;
pub use flags::{Flags, Invocation, Omission, Optimization, without_dont_write};
pub use interpreters::Named;
pub use model::*;
pub use modules::ModuleFolders;
pub use pattern::Pattern;
pub use revisions::{Against, AtBoth, Guarding};
pub use validate::{Overrides, SuiteFile};
