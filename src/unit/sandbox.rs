//! What a service's sandbox lets it write: the mounts that systemd makes of `ProtectSystem=` and
//! its kin (systemd.exec(5), "Sandboxing").
//!
//! Each directive puts mounts at paths; the longest path that a file lies below decides. Of several
//! mounts at one path systemd keeps one, in a fixed order: inaccessible, bound, a private /tmp,
//! read-only, writable, a new file system, and last what `ProtectSystem=strict` leaves open by
//! itself. Nothing opens what lies below an inaccessible path.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::environment::{DIRECTORIES, DirectoryRoot};
use super::host::Host;
use super::lines::Directive;
use super::parse::{Unit, is_on};

/// May a service write at a path, as far as its mounts go? File modes are another matter, see
/// [`super::ServiceUser`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Writable,
    ReadOnly {
        by: Cause,
    },
    /// It is hidden: it cannot be read either.
    Inaccessible {
        by: Cause,
    },
}

/// How long what is written at a path lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifetime {
    /// Until somebody removes it.
    Lasting,
    /// In memory, or removed at boot.
    UntilReboot,
    /// Each start of the service finds it empty.
    UntilStop { by: Cause },
}

/// The directive that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub directive: Directive,
    /// What the directive stands for, where another would have to be named to say it.
    pub implies: Option<&'static str>,
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.directive.named())?;
        match self.implies {
            Some(implied) => write!(formatter, ", which implies {implied}"),
            None => Ok(()),
        }
    }
}

/// What is mounted at a path, in the order in which systemd prefers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mount {
    Inaccessible,
    Bound,
    BoundReadOnly,
    PrivateTmp,
    ReadOnly,
    Writable,
    NewFileSystem,
    NewFileSystemReadOnly,
    LeftOpen,
}

#[derive(Debug, Clone)]
struct Rule {
    path: PathBuf,
    mount: Mount,
    by: Cause,
}

/// The file system as a service sees it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    rules: Vec<Rule>,
    /// Folders that each stop of the service removes.
    runtime: Vec<(PathBuf, Cause)>,
    /// Folders that systemd makes for the service and gives to its user.
    own: Vec<(PathBuf, Cause)>,
    /// systemd's own runtime folder.
    run: PathBuf,
    host: Host,
}

const FULL: [&str; 4] = ["/usr", "/boot", "/efi", "/etc"];
const HOMES: [&str; 3] = ["/home", "/run/user", "/root"];
/// What `ProtectSystem=strict` leaves open. The homes are `ProtectHome=`'s business.
const LEFT_OPEN: [&str; 6] = ["/dev", "/proc", "/sys", "/home", "/run/user", "/root"];

impl Unit {
    /// The unit's sandbox.
    pub fn sandbox(&self) -> Sandbox {
        let mut sandbox = Sandbox {
            rules: Vec::new(),
            runtime: Vec::new(),
            own: Vec::new(),
            run: self.host.runtime.clone(),
            host: self.host.clone(),
        };
        self.add_system(&mut sandbox);
        self.add_homes(&mut sandbox);
        self.add_listed(&mut sandbox);
        self.add_directories(&mut sandbox);
        sandbox
    }

    fn add_system(&self, sandbox: &mut Sandbox) {
        let dynamic = self.on("DynamicUser");
        let protect = self.last("ProtectSystem");
        let (level, by) = match (dynamic, protect) {
            (Some(dynamic), _) => ("strict", implied(dynamic, "ProtectSystem=strict")),
            (None, Some(protect)) => (protect.value.as_str(), plain(protect)),
            (None, None) => return self.add_tmp(sandbox),
        };
        if level == "strict" {
            sandbox.add("/", Mount::ReadOnly, by.clone());
            for path in LEFT_OPEN {
                sandbox.add(path, Mount::LeftOpen, by.clone());
            }
        } else {
            let covered = match level {
                "full" => 4,
                level if is_on(level) => 3,
                _ => 0,
            };
            for path in &FULL[..covered] {
                sandbox.add(path, Mount::ReadOnly, by.clone());
            }
        }
        self.add_tmp(sandbox);
    }

    fn add_tmp(&self, sandbox: &mut Sandbox) {
        let disconnected = self
            .last("PrivateTmp")
            .filter(|d| is_on(&d.value) || d.value == "disconnected");
        let by = match (disconnected, self.on("DynamicUser")) {
            (Some(private), _) => plain(private),
            (None, Some(dynamic)) => implied(dynamic, "PrivateTmp=yes"),
            (None, None) => return,
        };
        for path in ["/tmp", "/var/tmp"] {
            sandbox.add(path, Mount::PrivateTmp, by.clone());
        }
    }

    fn add_homes(&self, sandbox: &mut Sandbox) {
        let protect = self.last("ProtectHome");
        let mount = match protect.map(|d| d.value.as_str()) {
            Some("read-only") => Some(Mount::ReadOnly),
            Some("tmpfs") => Some(Mount::NewFileSystem),
            Some(value) if is_on(value) => Some(Mount::Inaccessible),
            _ => None,
        };
        let (mount, by) = match (mount, protect, self.on("DynamicUser")) {
            (Some(mount), Some(protect), _) => (mount, plain(protect)),
            (_, _, Some(dynamic)) => (Mount::ReadOnly, implied(dynamic, "ProtectHome=read-only")),
            _ => return,
        };
        for path in HOMES {
            sandbox.add(path, mount, by.clone());
        }
    }

    fn add_listed(&self, sandbox: &mut Sandbox) {
        let lists = [
            (["ReadOnlyPaths", "ReadOnlyDirectories"], Mount::ReadOnly),
            (["ReadWritePaths", "ReadWriteDirectories"], Mount::Writable),
            (
                ["InaccessiblePaths", "InaccessibleDirectories"],
                Mount::Inaccessible,
            ),
        ];
        for (keys, mount) in lists {
            for item in keys.iter().flat_map(|key| self.list(key)) {
                let path = item.text.trim_start_matches(['-', '+']);
                sandbox.add(path, mount, plain(&item.directive));
            }
        }
        for (key, mount) in [
            ("BindPaths", Mount::Bound),
            ("BindReadOnlyPaths", Mount::BoundReadOnly),
        ] {
            for item in self.list(key) {
                let mut parts = item.text.trim_start_matches('-').split(':');
                let source = parts.next().unwrap_or_default();
                let target = parts.next().filter(|t| !t.is_empty()).unwrap_or(source);
                sandbox.add(target, mount, plain(&item.directive));
            }
        }
        for item in self.list("TemporaryFileSystem") {
            let (path, options) = item.text.split_once(':').unwrap_or((&item.text, ""));
            let mount = if options.split(',').any(|option| option == "ro") {
                Mount::NewFileSystemReadOnly
            } else {
                Mount::NewFileSystem
            };
            sandbox.add(path, mount, plain(&item.directive));
        }
    }

    fn add_directories(&self, sandbox: &mut Sandbox) {
        let preserved = self
            .last("RuntimeDirectoryPreserve")
            .is_some_and(|d| is_on(&d.value) || d.value == "restart");
        for (key, _, root) in DIRECTORIES {
            for (path, directive) in self.directories(key, root) {
                let by = plain(&directive);
                sandbox.rules.push(Rule {
                    path: path.clone(),
                    mount: Mount::Writable,
                    by: by.clone(),
                });
                if root == DirectoryRoot::Runtime && !preserved {
                    sandbox.runtime.push((path.clone(), by.clone()));
                }
                // systemd leaves the owner of configuration as it is.
                if root != DirectoryRoot::Configuration {
                    sandbox.own.push((path, by));
                }
            }
        }
    }
}

impl Sandbox {
    /// May the service write here, as far as mounts go?
    pub fn access(&self, path: &Path) -> Access {
        let path = self.resolve(path);
        let by = |rule: &Rule| rule.by.clone();
        let hiding = self
            .above(&path)
            .find(|rule| rule.mount == Mount::Inaccessible);
        if let Some(rule) = hiding {
            return Access::Inaccessible { by: by(rule) };
        }
        match self.deciding(&path) {
            None => Access::Writable,
            Some(rule) => match rule.mount {
                Mount::Bound
                | Mount::PrivateTmp
                | Mount::Writable
                | Mount::NewFileSystem
                | Mount::LeftOpen => Access::Writable,
                Mount::BoundReadOnly | Mount::ReadOnly | Mount::NewFileSystemReadOnly => {
                    Access::ReadOnly { by: by(rule) }
                }
                Mount::Inaccessible => Access::Inaccessible { by: by(rule) },
            },
        }
    }

    /// How long does what is written here last?
    pub fn lifetime(&self, path: &Path) -> Lifetime {
        let path = self.resolve(path);
        let runtime = self
            .runtime
            .iter()
            .find(|(folder, _)| path.starts_with(folder));
        if let Some((_, by)) = runtime {
            return Lifetime::UntilStop { by: by.clone() };
        }
        // What is bound into a new file system lasts; what is merely writable in it does not, but
        // such a mount replaces the file system with the old one at its path.
        if let Some(rule) = self.deciding(&path)
            && matches!(
                rule.mount,
                Mount::PrivateTmp | Mount::NewFileSystem | Mount::NewFileSystemReadOnly
            )
        {
            return Lifetime::UntilStop {
                by: rule.by.clone(),
            };
        }
        let in_memory = [self.run.as_path(), Path::new("/dev"), Path::new("/tmp")];
        if in_memory.iter().any(|folder| path.starts_with(folder)) {
            return Lifetime::UntilReboot;
        }
        Lifetime::Lasting
    }

    /// Is this below a folder that systemd makes for the service and gives to its user, such as
    /// that of `CacheDirectory=`?
    pub fn own_folder(&self, path: &Path) -> Option<&Cause> {
        let path = self.resolve(path);
        let found = self.own.iter().find(|(folder, _)| path.starts_with(folder));
        found.map(|(_, by)| by)
    }

    fn add(&mut self, path: &str, mount: Mount, by: Cause) {
        let path = self.resolve(Path::new(path));
        self.rules.push(Rule { path, mount, by });
    }

    fn above<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Rule> {
        self.rules
            .iter()
            .filter(move |rule| path.starts_with(&rule.path))
    }

    fn deciding<'a>(&'a self, path: &'a Path) -> Option<&'a Rule> {
        let length = |rule: &Rule| rule.path.components().count();
        // The longest path, and of those at one path the mount that systemd prefers.
        self.above(path)
            .min_by_key(|rule| (std::cmp::Reverse(length(rule)), rule.mount))
    }

    /// The path without `..` and without links, as far as it exists here: mounts are made where
    /// links lead to.
    fn resolve(&self, path: &Path) -> PathBuf {
        let mut plain = PathBuf::from("/");
        for part in path.components() {
            match part {
                Component::Normal(name) => plain.push(name),
                Component::ParentDir => {
                    plain.pop();
                }
                Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
            }
        }
        for existing in plain.ancestors() {
            let Ok(real) = std::fs::canonicalize(self.host.file(existing)) else {
                continue;
            };
            let rest = plain.strip_prefix(existing).unwrap_or(Path::new(""));
            return match real.strip_prefix(&self.host.root) {
                Ok(inside) => Path::new("/").join(inside).join(rest),
                Err(_) => plain,
            };
        }
        plain
    }
}

fn plain(directive: &Directive) -> Cause {
    Cause {
        directive: directive.clone(),
        implies: None,
    }
}

fn implied(directive: &Directive, implies: &'static str) -> Cause {
    Cause {
        directive: directive.clone(),
        implies: Some(implies),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox(text: &str) -> Sandbox {
        let mut host = Host::observe();
        // Nothing is there, so that no link of this machine takes part.
        host.root = "/nothing".into();
        let text = format!("[Service]\n{text}");
        Unit::from_text(Path::new("app.service"), &text, host)
            .unwrap()
            .sandbox()
    }

    fn read_only_by(sandbox: &Sandbox, path: &str) -> String {
        match sandbox.access(Path::new(path)) {
            Access::ReadOnly { by } => by.to_string(),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn the_directive_that_forbids_is_named_with_its_line() {
        let sandbox = sandbox("User=x\nProtectSystem=full\n");
        assert_eq!(
            read_only_by(&sandbox, "/usr/lib/app"),
            "ProtectSystem=full (app.service:3)"
        );
        assert_eq!(sandbox.access(Path::new("/opt/app")), Access::Writable);
    }

    #[test]
    fn a_dynamic_user_implies_what_it_does_not_say() {
        let sandbox = sandbox("DynamicUser=yes\nProtectSystem=no\n");
        assert_eq!(
            read_only_by(&sandbox, "/opt"),
            "DynamicUser=yes (app.service:2), which implies ProtectSystem=strict"
        );
        assert!(read_only_by(&sandbox, "/home/a").ends_with("ProtectHome=read-only"));
        assert_eq!(sandbox.access(Path::new("/tmp/x")), Access::Writable);
        assert!(matches!(
            sandbox.lifetime(Path::new("/var/tmp/x")),
            Lifetime::UntilStop { .. }
        ));
    }

    #[test]
    fn folders_of_the_service_are_holes_and_some_are_emptied() {
        let text = "ProtectSystem=strict\nCacheDirectory=shop/pyc\nRuntimeDirectory=shop\n";
        let sandbox = sandbox(text);
        let pyc = Path::new("/var/cache/shop/pyc/deep");
        assert_eq!(sandbox.access(pyc), Access::Writable);
        assert_eq!(sandbox.lifetime(pyc), Lifetime::Lasting);
        assert!(sandbox.own_folder(pyc).is_some());
        assert!(read_only_by(&sandbox, "/var/cache/shop").starts_with("ProtectSystem"));
        let run = Path::new("/run/shop/x");
        assert_eq!(sandbox.access(run), Access::Writable);
        assert!(matches!(sandbox.lifetime(run), Lifetime::UntilStop { by }
            if by.directive.key == "RuntimeDirectory"));
        assert_eq!(
            sandbox.lifetime(Path::new("/run/other")),
            Lifetime::UntilReboot
        );
    }

    #[test]
    fn the_longest_path_decides_and_nothing_opens_what_is_inaccessible() {
        let sandbox = sandbox(
            "ReadOnlyPaths=/srv\nReadWritePaths=-/srv/a/../b\nInaccessiblePaths=/srv/b/c\n\
             ReadWritePaths=/srv/b/c/d\n",
        );
        assert_eq!(sandbox.access(Path::new("/srv/b")), Access::Writable);
        assert!(read_only_by(&sandbox, "/srv/a").starts_with("ReadOnlyPaths"));
        assert!(matches!(
            sandbox.access(Path::new("/srv/b/c/d")),
            Access::Inaccessible { .. }
        ));
    }
}
