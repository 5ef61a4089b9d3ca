//! A private mount namespace (mount_namespaces(7)): mounts that nobody else sees, and that end
//! with this process however it ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Gid, Uid, fchdir, fork};

/// Of this thread: mount namespaces are a thread's, not a process's.
const MOUNT_NAMESPACE: &str = "/proc/thread-self/ns/mnt";

/// This thread has entered a mount namespace of its own. Mounts made through it are taken off
/// when it is dropped.
#[derive(Debug)]
pub struct Namespace {
    mounted: Vec<PathBuf>,
    /// This namespace, to come back to from a [`View`].
    itself: Arc<File>,
}

/// A mount namespace that only the launches of one stage see: that of the harness, and some
/// mounts more.
#[derive(Debug, Clone)]
pub struct View {
    inside: Arc<File>,
    outside: Arc<File>,
}

/// This thread is in a [`View`] until this is dropped. Processes that it starts see what it sees,
/// so entering is no part of a timed launch.
#[derive(Debug)]
pub struct Inside {
    outside: Arc<File>,
    /// setns(2) changes the working directory.
    folder: Option<File>,
}

impl View {
    /// Enters it.
    ///
    /// # Errors
    /// What setns(2) says.
    pub fn enter(&self) -> io::Result<Inside> {
        let folder = File::open(".").ok();
        change_to(&self.inside)?;
        Ok(Inside {
            outside: Arc::clone(&self.outside),
            folder,
        })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Back to where this thread came from: it had the right to leave, and still has. Should it
        // fail all the same, the next stage enters its own view from here.
        let _ = change_to(&self.outside);
        if let Some(folder) = &self.folder {
            let _ = fchdir(folder);
        }
    }
}

impl Namespace {
    /// Leaves the shared namespace. The launched processes inherit the new one, so entering it
    /// is no part of a timed launch.
    ///
    /// # Errors
    /// EPERM where neither CAP_SYS_ADMIN nor a user namespace can be had (in most containers, and
    /// where the distribution forbids user namespaces); EINVAL for an ordinary user's process
    /// with several threads.
    pub fn enter() -> io::Result<Self> {
        if unshare(CloneFlags::CLONE_NEWNS).is_err() {
            try_out_user_namespace()?;
            enter_user_namespace()?;
        }
        keep_mounts_private()?;
        Ok(Self {
            mounted: Vec::new(),
            itself: Arc::new(File::open(MOUNT_NAMESPACE)?),
        })
    }

    /// A namespace that has this one's mounts and those that `mounts` makes.
    ///
    /// # Errors
    /// What `mounts` returns; what unshare(2) and setns(2) say.
    pub fn view(&self, mounts: impl FnOnce() -> io::Result<()>) -> io::Result<View> {
        let folder = File::open(".").ok();
        unshare(CloneFlags::CLONE_NEWNS)?;
        let inside = File::open(MOUNT_NAMESPACE);
        let made = mounts();
        let back = change_to(&self.itself);
        if let Some(folder) = &folder {
            fchdir(folder)?;
        }
        back?;
        made?;
        Ok(View {
            inside: Arc::new(inside?),
            outside: Arc::clone(&self.itself),
        })
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

    /// Makes what lies at `from` visible at `at`, an existing folder, read-only.
    ///
    /// # Errors
    /// What mount(2) says.
    pub fn bind_read_only(&mut self, from: &Path, at: &Path) -> io::Result<()> {
        bind(from, at)?;
        self.mounted.push(at.to_owned());
        make_read_only(at)
    }
}

/// Moves this thread into a mount namespace.
fn change_to(namespace: &File) -> io::Result<()> {
    // A thread that was started by this one shares its root and working directory, and setns(2)
    // refuses with EINVAL then.
    unshare(CloneFlags::CLONE_FS)?;
    Ok(setns(namespace, CloneFlags::CLONE_NEWNS)?)
}

/// Our mounts would show up in the namespace we came from otherwise.
fn keep_mounts_private() -> io::Result<()> {
    let none = None::<&str>;
    Ok(mount(
        none,
        "/",
        none,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        none,
    )?)
}

/// Lets a child enter first. Some systems let everybody make a user namespace and give no rights in
/// it (AppArmor on Ubuntu 23.10 and later), and there is no way back out of one.
fn try_out_user_namespace() -> io::Result<()> {
    let threads = fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        // What unshare(2) would say.
        return Err(io::Error::from(Errno::EINVAL));
    }
    // SAFETY: there is no other thread that could hold a lock in the child, which ends without
    // running this process's exit handlers.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let entered = enter_user_namespace().and_then(|()| keep_mounts_private());
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(i32::from(entered.is_err())) }
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, 0) => Ok(()),
            _ => Err(io::Error::from(Errno::EPERM)),
        },
    }
}

/// Enters a user namespace in which this user is itself, and a mount namespace in it.
fn enter_user_namespace() -> io::Result<()> {
    let (uid, gid) = (Uid::effective(), Gid::effective());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    // Before the group can be mapped without privileges (Linux 3.19).
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}

/// Makes a folder read-only in this thread's namespace.
///
/// # Errors
/// What mount(2) says.
pub fn bind_read_only(at: &Path) -> io::Result<()> {
    bind(at, at)?;
    make_read_only(at)
}

/// Makes what lies at `from` visible at `at`, an existing folder, in this thread's namespace.
///
/// # Errors
/// What mount(2) says.
pub fn bind(from: &Path, at: &Path) -> io::Result<()> {
    let none = None::<&str>;
    // With the mounts below it: a volume inside the source belongs to the source.
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    Ok(mount(Some(from), at, none, bind, none)?)
}

/// Makes a bind mount read-only: the flag is ignored when the mount is made.
fn make_read_only(at: &Path) -> io::Result<()> {
    let none = None::<&str>;
    // In a user namespace a remount may take none of the flags off that the mount has.
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | kept(at)?;
    Ok(mount(none, at, none, flags, none)?)
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
        // nix does not have it for musl. The kernel keeps it, or takes it by itself where there is no
        // MS_NOATIME (path_mount() in fs/namespace.c).
        #[cfg(not(target_env = "musl"))]
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
