//! A systemd service: what its unit file and drop-ins say, what its sandbox lets it write, and the
//! suite that launches the app as systemd would.
//!
//! The parsers are held against what systemd itself made of the same units:
//! `scripts/unit-cases` asks it, `tests/data/units` keeps the answers.

mod access;
mod command;
mod deployed;
mod environment;
mod environment_file;
mod error;
mod host;
mod lines;
mod parse;
mod port;
mod program;
mod sandbox;
mod source;
mod specifiers;
mod start;
mod suite;
mod text;
mod unhonoured;
mod user;
mod words;

pub use access::Permissions;
pub use command::{ExecCommand, ExecPrefix};
pub use deployed::{Writing, forbids_writing};
pub use environment::{AbsentFile, Origin, ServiceEnvironment, Variable};
pub use error::{Place, UnitError};
pub use host::{Account, Host};
pub use lines::{Directive, Ignored};
pub use parse::{Item, Unit};
pub use sandbox::{Access, Cause, Lifetime, Sandbox};
pub use specifiers::UnitName;
pub use start::{Start, StartedFrom};
pub use suite::{AsDeployed, UnitSuite};
pub use user::{Modes, ServiceUser};
