//! What a unit's specifiers and absolute paths stand for: the system manager on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User, gethostname};

/// The manager that a unit is read for. systemd's own folders are those of a system service
/// (systemd.unit(5), "Specifiers").
#[derive(Debug, Clone)]
pub struct Host {
    /// Files that a unit names are looked for below this folder.
    pub root: PathBuf,
    pub hostname: String,
    /// Who runs the manager: `%u`, `%U`, `%g`, `%G`, `%h`. For a system service this is root,
    /// whatever `User=` says.
    pub manager: Account,
    pub cache: PathBuf,
    pub state: PathBuf,
    pub logs: PathBuf,
    pub configuration: PathBuf,
    pub runtime: PathBuf,
    pub tmp: PathBuf,
    pub var_tmp: PathBuf,
}

/// A user, as the accounts of this machine know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub group: String,
    pub home: PathBuf,
    pub shell: PathBuf,
}

impl Account {
    /// The account of that name or number.
    pub fn find(name: &str) -> Option<Self> {
        let user = match name.parse() {
            Ok(uid) => User::from_uid(Uid::from_raw(uid)),
            Err(_) => User::from_name(name),
        };
        user.ok().flatten().map(Self::of)
    }

    fn of(user: User) -> Self {
        let group = Group::from_gid(user.gid).ok().flatten();
        Self {
            group: group.map_or_else(|| user.gid.to_string(), |group| group.name),
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            home: user.dir,
            shell: user.shell,
        }
    }

    /// The number of a group by its name, or the number itself.
    pub fn group_number(name: &str) -> Option<u32> {
        match name.parse() {
            Ok(gid) => Some(gid),
            Err(_) => Group::from_name(name)
                .ok()
                .flatten()
                .map(|group| group.gid.as_raw()),
        }
    }

    /// The groups that the account belongs to, its own included.
    pub fn groups(&self) -> Vec<u32> {
        let name = std::ffi::CString::new(self.name.clone()).unwrap_or_default();
        match nix::unistd::getgrouplist(&name, Gid::from_raw(self.gid)) {
            Ok(groups) => groups.into_iter().map(Gid::as_raw).collect(),
            Err(_) => vec![self.gid],
        }
    }
}

impl Host {
    /// This machine.
    pub fn observe() -> Self {
        let root = User::from_uid(Uid::from_raw(0)).ok().flatten();
        let manager = root.map(Account::of).unwrap_or_else(|| Account {
            name: "root".to_owned(),
            uid: 0,
            gid: 0,
            group: "root".to_owned(),
            home: "/".into(),
            shell: "/bin/sh".into(),
        });
        Self {
            root: "/".into(),
            hostname: gethostname()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            manager,
            cache: "/var/cache".into(),
            state: "/var/lib".into(),
            logs: "/var/log".into(),
            configuration: "/etc".into(),
            runtime: "/run".into(),
            tmp: "/tmp".into(),
            var_tmp: "/var/tmp".into(),
        }
    }

    /// Where a file that the unit names lies.
    pub fn file(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("/") {
            Ok(relative) => self.root.join(relative),
            Err(_) => self.root.join(path),
        }
    }

    /// What identifies this boot, installation or kernel: the first line of a file.
    pub(super) fn line_of(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.file(Path::new(path))).ok()?;
        Some(text.lines().next()?.replace('-', ""))
    }
}
