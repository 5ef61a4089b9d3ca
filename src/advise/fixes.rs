//! From how an app starts now to the fixes that apply, as scenarios.

use crate::suite::text::{ScenarioText, list, string};
use crate::suite::without_dont_write;

/// What can be done about modules that are compiled at every start, the simplest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fix {
    /// `python -m compileall` when the app is deployed.
    Compile,
    /// The same, the app's own with pycs that are never held against their source (PEP 552).
    UncheckedHash,
    /// Bytecode of the packages alone, as installers write it unless they are told not to.
    CompilePackages,
    /// `PYTHONPYCACHEPREFIX`, in a folder that lasts and that the app's user may write.
    Prefix,
    /// The same in place of one that is kept in memory, or that each start finds empty.
    MovePrefix,
    /// The source folder given to the app's user.
    Chown,
}

impl Fix {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Compile,
        Self::UncheckedHash,
        Self::CompilePackages,
        Self::Prefix,
        Self::MovePrefix,
        Self::Chown,
    ];

    /// The scenario of every start under it, but for the first where that is another.
    pub fn scenario(self) -> &'static str {
        match self {
            Self::Compile => "compiled",
            Self::UncheckedHash => "unchecked-hash",
            Self::CompilePackages => "packages-compiled",
            Self::Prefix => "prefix-warm",
            Self::MovePrefix => "prefix-moved",
            Self::Chown => "owned",
        }
    }

    /// The scenario of the first start under it, which compiles and writes.
    pub fn first_start(self) -> Option<&'static str> {
        match self {
            Self::Compile | Self::UncheckedHash | Self::CompilePackages => None,
            Self::Prefix => Some("prefix-first"),
            Self::MovePrefix => Some("prefix-moved-first"),
            Self::Chown => Some("owned-first"),
        }
    }

    /// What is done, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Compile => "compile at deploy",
            Self::UncheckedHash => "unchecked-hash pycs",
            Self::CompilePackages => "compile packages",
            Self::Prefix => "prefix that lasts",
            Self::MovePrefix => "move the prefix off the tmpfs",
            Self::Chown => "chown the source",
        }
    }

    /// What it takes, beyond doing it once.
    pub fn needs(self) -> &'static str {
        match self {
            Self::Compile => "again after each change of the source or the interpreter",
            Self::UncheckedHash => {
                "again after each change of the source, or the old code runs on; and after each of \
                 the interpreter"
            }
            Self::CompilePackages => "again after each installation",
            Self::Prefix => {
                "a folder on a disk that the app's user may write; it grows with each release until it \
                 is emptied"
            }
            Self::MovePrefix => {
                "a folder on a disk that the app's user may write, none of PrivateTmp=, RuntimeDirectory= or \
                 an emptyDir; it grows with each release until it is emptied"
            }
            Self::Chown => "an app that may change its own code",
        }
    }
}

/// Who may write into the app's source folder?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// There is none: all that the app loads is installed.
    Nothing,
    /// The app's user may, so the cache fills by itself.
    Own,
    /// Another user may.
    Others,
    /// Nobody may, whoever owns it.
    Locked { by: String },
}

/// What does a start find below the prefix that the app has now?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixNow {
    /// There is none.
    None,
    /// What earlier ones wrote, as far as they may write.
    Lasting,
    /// The same, but for the first after a boot.
    UntilReboot,
    /// Nothing.
    Emptied,
}

/// Is a fix tried?
#[derive(Debug, Clone, PartialEq, Eq)]
enum Applies {
    Yes,
    /// It need not be.
    No {
        because: String,
    },
    /// Nobody would ask for it here.
    Foreign,
}

/// How the app starts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// The baseline.
    pub scenario: ScenarioText,
    /// The interpreter's flags, which the baseline has too.
    pub flags: Vec<String>,
    pub ownership: Ownership,
    pub prefix: PrefixNow,
}

impl Now {
    fn value(&self, key: &str) -> Option<&str> {
        let mut keys = self.scenario.keys.iter();
        keys.find(|(name, _)| *name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a fix is tried.
    fn applies(&self, fix: Fix) -> Applies {
        let no = |because: &str| Applies::No {
            because: because.to_owned(),
        };
        let is_filled = self.value("prefix") == Some("\"warm\"");
        match (fix, &self.ownership, self.prefix) {
            (Fix::Chown | Fix::UncheckedHash, Ownership::Nothing, _) => {
                no("the app has no folder of its own")
            }
            (Fix::Chown, Ownership::Own, _) => {
                no("the app's user may write into its source already")
            }
            (Fix::Chown, Ownership::Locked { by }, _) => no(&format!(
                "it would not help, as nobody may write there: {by}"
            )),
            (Fix::MovePrefix, _, PrefixNow::UntilReboot) if is_filled => {
                no("all that it saves is compiling at the first start after each boot")
            }
            (Fix::MovePrefix, _, PrefixNow::Emptied) => Applies::Yes,
            (Fix::MovePrefix, _, _) | (Fix::Prefix, _, PrefixNow::Emptied) => Applies::Foreign,
            (Fix::Prefix, _, _) if is_filled => no("there is one already"),
            (
                Fix::Compile | Fix::UncheckedHash | Fix::CompilePackages | Fix::Prefix | Fix::Chown,
                _,
                _,
            ) => Applies::Yes,
        }
    }

    /// As now, but for these keys; one without a value is left out.
    fn with(
        &self,
        name: &'static str,
        about: &str,
        flags: &[String],
        changed: &[(&'static str, Option<&str>)],
    ) -> ScenarioText {
        let is_changed = |key: &str| changed.iter().any(|(name, _)| *name == key);
        let kept = self.scenario.keys.iter();
        let mut keys: Vec<(&'static str, String)> = kept
            .filter(|(key, _)| *key != "flags" && !is_changed(key))
            .cloned()
            .collect();
        let set = changed.iter();
        keys.extend(set.filter_map(|(key, value)| Some((*key, string((*value)?)))));
        if !flags.is_empty() {
            keys.push(("flags", list(flags)));
        }
        ScenarioText {
            name,
            about: about.to_owned(),
            keys,
        }
    }

    fn tried(&self, fix: Fix) -> Vec<ScenarioText> {
        // Pycs beside the source are not looked for under a prefix.
        let beside = ("prefix", None);
        let (as_now, writing) = (&self.flags, without_dont_write(&self.flags));
        match fix {
            Fix::Compile => vec![self.with(
                fix.scenario(),
                "python -m compileall has been run on the app, its packages and the standard library",
                as_now,
                &[
                    beside,
                    ("bytecode", Some("fresh")),
                    ("site-packages", Some("fresh")),
                    ("stdlib", Some("fresh")),
                ],
            )],
            Fix::UncheckedHash => vec![self.with(
                fix.scenario(),
                "the same with unchecked-hash pycs of the app itself",
                as_now,
                &[
                    beside,
                    ("bytecode", Some("unchecked-hash")),
                    ("site-packages", Some("fresh")),
                    ("stdlib", Some("fresh")),
                ],
            )],
            Fix::CompilePackages => vec![self.with(
                fix.scenario(),
                "the packages have been compiled, as with UV_COMPILE_BYTECODE=1",
                as_now,
                &[beside, ("site-packages", Some("fresh"))],
            )],
            Fix::Prefix | Fix::MovePrefix => {
                let prefix = |name, about, state| {
                    let changed = [("dont-write-bytecode", None), ("prefix", Some(state))];
                    self.with(name, about, &writing, &changed)
                };
                let (first_is, later_is) = if fix == Fix::MovePrefix {
                    (
                        "the first start after the prefix was moved to a folder that lasts",
                        "every later start under the prefix that was moved",
                    )
                } else {
                    (
                        "the first start after PYTHONPYCACHEPREFIX was set",
                        "every later start under the prefix",
                    )
                };
                let first = fix.first_start().map(|name| prefix(name, first_is, "empty"));
                let later = prefix(fix.scenario(), later_is, "warm");
                first.into_iter().chain([later]).collect()
            }
            Fix::Chown => {
                let owned = |name, about, bytecode: &[(&'static str, Option<&str>)]| {
                    let open = [
                        beside,
                        ("dont-write-bytecode", None),
                        ("source", Some("writable")),
                    ];
                    self.with(name, about, &writing, &[&open, bytecode].concat())
                };
                let first = fix
                    .first_start()
                    .map(|name| owned(name, "the first start that may write into the source", &[]));
                let later = owned(
                    fix.scenario(),
                    "every later start that may write into the source",
                    &[("bytecode", Some("fresh"))],
                );
                first.into_iter().chain([later]).collect()
            }
        }
    }
}

/// The scenarios: how the app starts now, then those of each fix that applies. What the others lack
/// stands in the words of the first.
pub fn scenarios(now: &Now) -> Vec<ScenarioText> {
    let mut baseline = now.scenario.clone();
    let mut all = Vec::new();
    for fix in Fix::ALL {
        match now.applies(fix) {
            Applies::Yes => all.extend(now.tried(fix)),
            Applies::No { because } => {
                baseline.about += &format!(". Not tried: {}, as {because}", fix.title());
            }
            Applies::Foreign => {}
        }
    }
    all.insert(0, baseline);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(keys: &[(&'static str, &str)], flags: &[&str], ownership: Ownership) -> Now {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Now {
            scenario: ScenarioText::new("now", "as it is", keys, &flags),
            flags,
            ownership,
            prefix: PrefixNow::None,
        }
    }

    fn names(all: &[ScenarioText]) -> Vec<&str> {
        all.iter().map(|each| each.name).collect()
    }

    fn value<'a>(all: &'a [ScenarioText], name: &str, key: &str) -> Option<&'a str> {
        let scenario = all.iter().find(|each| each.name == name).unwrap();
        let found = scenario.keys.iter().find(|(each, _)| *each == key);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_source_that_others_own_has_every_fix() {
        let read_only = [("source", "read-only"), ("bytecode", "as-found")];
        let all = scenarios(&now(&read_only, &["-B"], Ownership::Others));
        assert_eq!(
            names(&all),
            [
                "now",
                "compiled",
                "unchecked-hash",
                "packages-compiled",
                "prefix-first",
                "prefix-warm",
                "owned-first",
                "owned"
            ]
        );
        assert_eq!(value(&all, "owned", "source"), Some("\"writable\""));
        assert_eq!(value(&all, "owned-first", "bytecode"), Some("\"as-found\""));
        assert_eq!(value(&all, "prefix-warm", "source"), Some("\"read-only\""));
        // What is compiled at deploy is read under -B as well; what the app is to write is not.
        assert_eq!(value(&all, "compiled", "flags"), Some("[\"-B\"]"));
        assert_eq!(value(&all, "prefix-warm", "flags"), None);
        assert_eq!(all[0].about, "as it is");
    }

    #[test]
    fn what_does_not_apply_is_said_with_its_reason() {
        let locked = Ownership::Locked {
            by: "ProtectSystem=strict".to_owned(),
        };
        let all = scenarios(&Now {
            prefix: PrefixNow::Lasting,
            ..now(&[("prefix", "warm")], &[], locked)
        });
        assert_eq!(
            names(&all),
            ["now", "compiled", "unchecked-hash", "packages-compiled"]
        );
        let about = &all[0].about;
        assert!(about.contains("Not tried: prefix that lasts, as there is one already"));
        assert!(about.contains(
            "Not tried: chown the source, as it would not help, as nobody may write there: \
             ProtectSystem=strict"
        ));
        // Beside the source there is nothing to be found under a prefix.
        assert_eq!(value(&all, "compiled", "prefix"), None);
    }

    #[test]
    fn a_prefix_that_is_lost_is_moved_and_one_in_memory_by_name() {
        let emptied = scenarios(&Now {
            prefix: PrefixNow::Emptied,
            ..now(&[("prefix", "empty")], &[], Ownership::Own)
        });
        assert_eq!(names(&emptied)[4..], ["prefix-moved-first", "prefix-moved"]);
        assert_eq!(value(&emptied, "prefix-moved", "prefix"), Some("\"warm\""));
        assert!(!emptied[0].about.contains("prefix"), "{}", emptied[0].about);

        let in_memory = scenarios(&Now {
            prefix: PrefixNow::UntilReboot,
            ..now(&[("prefix", "warm")], &[], Ownership::Own)
        });
        assert!(
            names(&in_memory)
                .iter()
                .all(|name| !name.starts_with("prefix"))
        );
        assert!(
            in_memory[0]
                .about
                .contains("Not tried: move the prefix off the tmpfs, as all that it saves"),
            "{}",
            in_memory[0].about
        );
    }
}
