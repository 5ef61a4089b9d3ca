//! coldsnake measures how long Python programs take to start, and what their bytecode cache
//! has to do with it.
//!
//! The flow is `Suite → Plan → (Stage → Launch)* → Record → Analysis → Report`, one way:
//! [`suite`] says what is to be measured; [`plan`] shuffles it into blocks; [`stage`] makes a
//! scenario true on disk and [`launch`] times one process under it, again and again, driven by
//! [`runner`]; each launch becomes a line of a [`record`]. Everything after that is computed
//! from the record alone: [`analysis`] by means of [`stats`], and [`report`] for people. [`unit`]
//! makes a suite of a systemd service, [`infer`] one of a command, and [`advise`] one of the fixes that
//! apply to either. [`doctor`] says why modules are compiled at every start, and launches nothing.
//! [`trace`] launches stages with a hook that says when the import system does what, and finds out
//! where the time of a start goes.

pub mod advise;
pub mod analysis;
pub mod cli;
pub mod doctor;
pub mod infer;
pub mod launch;
pub mod plan;
pub mod python;
pub mod record;
pub mod report;
pub mod revision;
pub mod runner;
pub mod stage;
pub mod stats;
pub mod suite;
pub mod trace;
pub mod unit;
