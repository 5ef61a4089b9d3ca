//! A private mount namespace (mount_namespaces(7)): mounts that nobody else sees, and that end
//! with this process however it ends.

use std::io;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};

/// This thread has entered a mount namespace of its own. Mounts made through it are taken off
/// when it is dropped.
#[derive(Debug)]
pub struct Namespace {
    mounted: Vec<PathBuf>,
}

/// What can be done at a mount point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadOnly,
}

impl Namespace {
    /// Leaves the shared namespace. The launched processes inherit the new one, so entering it
    /// is no part of a timed launch.
    ///
    /// # Errors
    /// EPERM without CAP_SYS_ADMIN: an ordinary user, or root in a container without it.
    pub fn enter() -> io::Result<Self> {
        unshare(CloneFlags::CLONE_NEWNS)?;
        // Otherwise our mounts would show up in the namespace we came from.
        mount(
            None::<&str>,
            "/",
            None::<&str>,
            MsFlags::MS_REC | MsFlags::MS_PRIVATE,
            None::<&str>,
        )?;
        Ok(Self {
            mounted: Vec::new(),
        })
    }

    /// Makes what lies at `from` visible at `at`, an existing folder.
    ///
    /// # Errors
    /// What mount(2) says.
    pub fn bind(&mut self, from: &Path, at: &Path, access: Access) -> io::Result<()> {
        let none = None::<&str>;
        // With the mounts below it: a volume inside the source belongs to the source.
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        mount(Some(from), at, none, bind, none)?;
        self.mounted.push(at.to_owned());
        if access == Access::ReadOnly {
            self.make_read_only(at)?;
        }
        Ok(())
    }

    /// Mounts an empty tmpfs of its own at `at`, an existing folder.
    ///
    /// # Errors
    /// What mount(2) says.
    pub fn mount_tmpfs(&mut self, at: &Path) -> io::Result<()> {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some("mode=0755"))?;
        self.mounted.push(at.to_owned());
        Ok(())
    }

    /// Makes a bind mount read-only: the flag is ignored when the mount is made.
    ///
    /// # Errors
    /// What mount(2) says.
    pub fn make_read_only(&self, at: &Path) -> io::Result<()> {
        let none = None::<&str>;
        // In a user namespace a remount may take none of the flags off that the mount has.
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | kept(at)?;
        Ok(mount(none, at, none, flags, none)?)
    }
}

/// The flags of the mount at this path, as mount(2) takes them.
fn kept(at: &Path) -> io::Result<MsFlags> {
    let flags = statvfs(at)?.flags();
    let pairs = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ];
    let kept = pairs.into_iter().filter(|(is, _)| flags.contains(*is));
    Ok(kept.map(|(_, keep)| keep).collect())
}

impl Drop for Namespace {
    fn drop(&mut self) {
        for at in self.mounted.iter().rev() {
            // Detached, as a process that is just ending may still hold it. If it fails, the
            // namespace's end does the same.
            let _ = umount2(at, MntFlags::MNT_DETACH);
        }
    }
}
