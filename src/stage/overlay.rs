//! Layers over the user's folders (overlayfs, Documentation/filesystems/overlayfs.rst): the app is
//! at its own path, whatever a scenario changes lies in a folder of ours, and nothing is copied.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::mount::{MsFlags, mount};
use nix::unistd::Uid;

use super::namespace::Namespace;
use super::tree::descriptor_path;

/// A folder of the user's that can be covered by layers.
#[derive(Debug, Clone)]
pub struct Covered {
    pub path: PathBuf,
    /// The folder itself, open, to be read whatever covers it.
    itself: Arc<File>,
    /// Layers of ours above it, from the top down.
    completed: Vec<PathBuf>,
}

impl Covered {
    /// The folder as it is now; what is mounted over it later does not show in it.
    ///
    /// # Errors
    /// When it cannot be opened, or something else is mounted below it, which a layer would hide.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        if let Some(inside) = mounted_below(&path)? {
            return Err(io::Error::other(format!(
                "{} is mounted in it",
                inside.display()
            )));
        }
        let itself = Arc::new(File::open(&path)?);
        Ok(Self {
            path,
            itself,
            completed: Vec::new(),
        })
    }

    /// The user's own folder, without any layer.
    pub fn own(&self) -> Self {
        Self {
            completed: Vec::new(),
            ..self.clone()
        }
    }

    /// The user's own folder, open.
    pub fn itself(&self) -> Arc<File> {
        Arc::clone(&self.itself)
    }

    /// Has a layer been added?
    pub fn is_completed(&self) -> bool {
        !self.completed.is_empty()
    }

    /// Adds a layer that is complete.
    pub fn add(&mut self, layer: PathBuf) {
        self.completed.insert(0, layer);
    }

    /// Gets ready to be covered, in this thread's mount namespace and before anything is mounted
    /// over it there: overlayfs takes only folders of the namespace it is mounted in.
    ///
    /// # Errors
    /// When a layer cannot be opened.
    pub fn prepare(&self) -> io::Result<Prepared> {
        let paths = self.completed.iter().chain([&self.path]);
        Ok(Prepared {
            path: self.path.clone(),
            lowers: paths.map(File::open).collect::<io::Result<_>>()?,
        })
    }
}

/// A folder about to be covered.
#[derive(Debug)]
pub struct Prepared {
    path: PathBuf,
    /// From the top down; the last is the user's.
    lowers: Vec<File>,
}

impl Prepared {
    /// Mounts a layer over the folder, in this thread's mount namespace. `layer` and `work` are
    /// made; they lie in one file system.
    ///
    /// # Errors
    /// What mount(2) says: EINVAL where the file system of `layer` can be none, EPERM without
    /// the right.
    pub fn mount(&self, layer: &Path, work: &Path, marks: Marks) -> io::Result<()> {
        for folder in [layer, work] {
            fs::create_dir_all(folder)?;
        }
        // The folder's own attributes are those of its layer.
        let own = fs::metadata(&self.path)?;
        fs::set_permissions(layer, fs::Permissions::from_mode(own.mode() & 0o7777))?;
        if Uid::effective().is_root() {
            chown(layer, Some(own.uid()), Some(own.gid()))?;
        }
        File::open(layer)?.set_modified(own.modified()?)?;
        let (upper, work) = (File::open(layer)?, File::open(work)?);
        let lowers: Vec<String> = self
            .lowers
            .iter()
            .map(|lower| descriptor_path(lower).display().to_string())
            .collect();
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lowers.join(":"),
            descriptor_path(&upper).display(),
            descriptor_path(&work).display()
        );
        let options = format!("{options},{}", marks.option());
        Ok(mount(
            Some("overlay"),
            &self.path,
            Some("overlay"),
            MsFlags::empty(),
            Some(options.as_str()),
        )?)
    }
}

/// How overlayfs marks a layer's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// `trusted.overlay.*`, for root alone. Where only attributes change, the contents need not be
    /// copied.
    Trusted,
    /// `user.overlay.*`, for user namespaces (Linux 5.11).
    User,
}

impl Marks {
    fn option(self) -> &'static str {
        match self {
            Self::Trusted => "metacopy=on",
            Self::User => "userxattr",
        }
    }

    /// The marks that can be had here. Mounting is not enough of a trial: without its marks an
    /// overlay cannot put a new folder in the place of one below, and says EIO.
    ///
    /// # Errors
    /// When there are none: not every file system can hold layers, and not every kernel lets an
    /// ordinary user.
    pub fn find(namespace: &Namespace, folder: &Path) -> io::Result<Self> {
        let try_out = |marks: Self| {
            let trial = folder.join(marks.option());
            let (below, inside) = (trial.join("below"), trial.join("below/inside"));
            fs::create_dir_all(&inside)?;
            let covered = Covered::open(&below)?;
            let view = namespace.view(|| {
                let prepared = covered.prepare()?;
                prepared.mount(&trial.join("layer"), &trial.join("work"), marks)
            })?;
            let _inside = view.enter()?;
            fs::remove_dir(&inside)?;
            fs::create_dir(&inside)
        };
        match try_out(Self::Trusted) {
            Ok(()) => Ok(Self::Trusted),
            Err(_) => try_out(Self::User).map(|()| Self::User),
        }
    }
}

/// The first mount point below a folder.
fn mounted_below(folder: &Path) -> io::Result<Option<PathBuf>> {
    let mounts = procfs::process::Process::myself()
        .and_then(|myself| myself.mountinfo())
        .map_err(io::Error::other)?;
    Ok(mounts
        .into_iter()
        .map(|mount| mount.mount_point)
        .find(|point| point.starts_with(folder) && point != folder))
}
