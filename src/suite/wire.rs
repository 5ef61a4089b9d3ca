//! The suite's TOML as it stands in the file. Nothing here is checked beyond its shape:
//! [`super::validate`] turns these into the types that the rest of the program uses.
//!
//! `scenarios/README.md` describes every key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

/// A whole suite file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireSuite {
    pub app: WireApp,
    #[serde(default)]
    pub measure: WireMeasure,
    #[serde(default)]
    pub scenario: Vec<WireScenario>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claim: Vec<WireClaim>,
}

/// `[app]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireApp {
    pub name: Spanned<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Spanned<WireSource>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirements: Option<Spanned<String>>,
    pub command: Spanned<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<Spanned<WireReady>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Spanned<String>>,
}

/// `source = "app"` or `source = ["app", "../library/src"]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "source is a folder or a list of folders, relative to this file"
)]
pub enum WireSource {
    Folder(String),
    Folders(Vec<String>),
}

impl WireSource {
    /// The folders as they are written.
    pub fn folders(&self) -> &[String] {
        match self {
            Self::Folder(folder) => std::slice::from_ref(folder),
            Self::Folders(folders) => folders,
        }
    }
}

/// `ready = { http = "/login", status = 200, timeout = "30s" }`, or another of the four signs.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireReady {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Spanned<WireTcp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Spanned<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Spanned<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Spanned<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Spanned<String>>,
}

/// `tcp = true` or `tcp = 8080`
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "tcp is true (the port is {port}'s) or a port from 1 to 65535"
)]
pub enum WireTcp {
    Given(bool),
    Port(u16),
}

/// `[measure]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WireMeasure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Spanned<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_blocks: Option<Spanned<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_blocks: Option<Spanned<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<Spanned<String>>,
}

/// `[[scenario]]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WireScenario {
    pub name: Spanned<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_on: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytecode: Option<Spanned<WireBytecode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_packages: Option<Spanned<WireBytecode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdlib: Option<Spanned<WireBytecode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_on: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dont_write_bytecode: Option<Spanned<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_cache: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Spanned<WireCpu>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<Spanned<Vec<String>>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Spanned<String>>,
}

/// `cpu = 0.25` or `cpu = "25%"`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "cpu is a number of CPUs, such as 0.25, or a percentage of one, such as \"25%\""
)]
pub enum WireCpu {
    Cpus(f64),
    Percentage(String),
}

/// `bytecode = "absent"`, `bytecode = { by = ["{python}", "import_task.py", "--help"] }` or
/// `bytecode = { only = ["models"] }`; `site-packages` and `stdlib` likewise
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "a state of bytecode is a name (\"fresh\", \"as-found\", \"absent\", \"stale-mtime\", \"stale-size\", \"unchecked-hash\", \
                 \"checked-hash\", \"other-optimization\", \"sourceless\", \"empty-pyc\", \
                 \"wrong-magic\", \"corrupt\"), { by = [a command] } or { only = [modules] }"
)]
pub enum WireBytecode {
    State(String),
    Command(WireBy),
    Only(WireOnly),
}

/// The command that leaves the bytecode.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireBy {
    pub by: Vec<String>,
}

/// The only modules that have bytecode.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireOnly {
    pub only: Vec<String>,
}

/// `[[claim]]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireClaim {
    pub id: Spanned<String>,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<WireContrast>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Spanned<String>>,
    pub expect: Spanned<WireExpect>,
}

/// `contrast = { from = "vps-before", to = "prefix-warm", metric = "ready" }`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireContrast {
    pub from: Spanned<String>,
    pub to: Spanned<String>,
    pub metric: Spanned<String>,
}

/// What a claim expects. The first group speaks of a contrast, the second of a scenario's receipt.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WireExpect {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saves: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saves_between: Option<Vec<Spanned<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saves_at_least: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saves_at_most: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs_at_most: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_effect_within: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_regression: Option<Spanned<String>>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_compiled: Option<Spanned<WireCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compiled: Option<Spanned<WireCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<Spanned<WireCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_pycs: Option<Spanned<WireCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_pycache_folders: Option<Spanned<WireCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compile_time_between: Option<Vec<Spanned<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_import_compiled: Option<Spanned<WireCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_import_opened: Option<Spanned<WireCount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pycs_per_module: Option<Spanned<WireCount>>,
}

/// `written = 0` or `compiled = { at-least = 1 }`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "a count is a whole number, { at-least = N } or { at-most = N }"
)]
pub enum WireCount {
    Exactly(u64),
    Bounds(WireCountBounds),
}

/// The bounds of a count.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WireCountBounds {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}
