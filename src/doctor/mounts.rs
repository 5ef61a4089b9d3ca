//! What is mounted where (proc_pid_mountinfo(5)), for sentences that name it. What the kernel
//! lets one do is asked of statvfs(3).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use procfs::process::Process;

/// A mount, as sentences name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub point: PathBuf,
    /// `ext4`, `tmpfs`, `overlay`
    pub kind: String,
}

/// The mounts that an app sees.
#[derive(Debug, Clone, Default)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// Those of this process.
    pub fn mine() -> Self {
        Process::myself().map_or_else(|_| Self::default(), |process| Self::of(&process))
    }

    /// Those of a process. What cannot be read is not known.
    pub fn of(process: &Process) -> Self {
        let infos = process.mountinfo().map(|infos| infos.0).unwrap_or_default();
        let mounts = infos.into_iter().map(|info| Mount {
            point: unescaped(&info.mount_point),
            kind: info.fs_type,
        });
        Self(mounts.collect())
    }

    /// The mount that a path lies on. Of several at one point the last hides the others.
    pub fn over(&self, path: &Path) -> Option<&Mount> {
        let over = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        over.max_by_key(|mount| mount.point.as_os_str().len())
    }
}

/// The mount that keeps in memory what lies in a folder, which need not exist: none if it is kept on a
/// disk.
pub fn in_memory(folder: &Path) -> Option<Mount> {
    let nearest = folder.ancestors().find(|folder| folder.is_dir())?;
    is_in_memory(nearest).then(|| match Mounts::mine().over(nearest) {
        Some(mount) => mount.clone(),
        None => Mount {
            point: nearest.to_owned(),
            kind: "tmpfs".to_owned(),
        },
    })
}

/// Is what lies in this folder kept in memory?
pub fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC)
}

/// Blanks and backslashes stand as octal numbers.
fn unescaped(path: &Path) -> PathBuf {
    let mut plain = Vec::new();
    let mut rest = path.as_os_str().as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let number = match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        match number {
            Some(byte) => {
                plain.push(byte);
                rest = &after[3..];
            }
            None => {
                plain.push(first);
                rest = after;
            }
        }
    }
    OsString::from_vec(plain).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_and_last_mount_counts() {
        let mount = |point: &str, kind: &str| Mount {
            point: point.into(),
            kind: kind.to_owned(),
        };
        let mounts = Mounts(vec![
            mount("/", "ext4"),
            mount("/opt", "ext4"),
            mount("/opt", "squashfs"),
        ]);
        let kind = |path: &str| mounts.over(Path::new(path)).map(|m| m.kind.clone());
        assert_eq!(kind("/opt/shop").as_deref(), Some("squashfs"));
        assert_eq!(kind("/optional").as_deref(), Some("ext4"));
    }

    #[test]
    fn blanks_in_mount_points_are_read() {
        assert_eq!(unescaped(Path::new(r"/a\040b\134")), Path::new(r"/a b\"));
    }
}
