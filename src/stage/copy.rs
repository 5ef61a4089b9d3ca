//! A private copy of a tree, times kept.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::{Path, PathBuf};

use thiserror::Error;
use walkdir::WalkDir;

/// Left out: what no app reads.
const REPOSITORIES: [&str; 2] = [".git", ".hg"];

/// A file that could not be copied or changed.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub struct CopyError {
    pub path: PathBuf,
    pub source: io::Error,
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> CopyError + use<> {
    let path = path.to_owned();
    move |source| CopyError { path, source }
}

/// Copies the folder `from` to `to`, which must not exist. Modification times are kept, since a
/// pyc is checked against them; so are modes. A symbolic link that ends inside `from` ends at the
/// same place of the copy; what one outside leads to is copied, so that a launch that writes
/// through it reaches nothing of the user's. Sockets, devices and pipes are left out: opening one
/// could wait for ever.
///
/// # Errors
/// The first file that cannot be read or written.
pub fn copy_tree(from: &Path, to: &Path, bytecode: CopyBytecode) -> Result<(), CopyError> {
    copy_below(from, to, bytecode, 0)
}

/// Is the bytecode that is there copied too?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyBytecode {
    LeftOut,
    AsFound,
}

fn copy_below(
    from: &Path,
    to: &Path,
    bytecode: CopyBytecode,
    linked: usize,
) -> Result<(), CopyError> {
    let left_out = |name: &std::ffi::OsStr| {
        REPOSITORIES.iter().any(|folder| name == *folder)
            || (bytecode == CopyBytecode::LeftOut && name == "__pycache__")
    };
    let entries = WalkDir::new(from)
        .min_depth(0)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !left_out(entry.file_name()));
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| CopyError {
            path: error.path().unwrap_or(from).to_owned(),
            source: error.into(),
        })?;
        // An entry of a walk below `from` always starts with it.
        let Ok(relative) = entry.path().strip_prefix(from) else {
            continue;
        };
        let target = if relative.as_os_str().is_empty() {
            to.to_owned()
        } else {
            to.join(relative)
        };
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir(&target).map_err(at(&target))?;
            folders.push((entry.path().to_owned(), target));
        } else if kind.is_symlink() {
            copy_link(entry.path(), relative, from, &target, bytecode, linked)?;
        } else if kind.is_file()
            && (bytecode == CopyBytecode::AsFound || !is_bytecode(entry.path()))
        {
            copy_file(entry.path(), &target)?;
        }
    }
    // A folder's time changes as it is filled, so these come last.
    for (source, target) in folders.iter().rev() {
        keep_times(source, target)?;
    }
    Ok(())
}

/// Links out of linked folders are followed so far: two folders may link to each other.
const MOST_LINKED: usize = 4;

fn copy_link(
    link: &Path,
    relative: &Path,
    from: &Path,
    target: &Path,
    bytecode: CopyBytecode,
    linked: usize,
) -> Result<(), CopyError> {
    let Ok(end) = fs::canonicalize(link) else {
        // It leads nowhere here, and does so in the copy.
        let text = fs::read_link(link).map_err(at(link))?;
        return symlink(text, target).map_err(at(target));
    };
    let root = fs::canonicalize(from).map_err(at(from))?;
    if let Ok(inside) = end.strip_prefix(&root) {
        let up = relative.iter().skip(1).map(|_| Path::new(".."));
        let text: PathBuf = up.chain([Path::new("."), inside]).collect();
        return symlink(text, target).map_err(at(target));
    }
    if end.is_file() {
        return copy_file(&end, target);
    }
    if end.is_dir() {
        if linked == MOST_LINKED || root.starts_with(&end) {
            return Err(at(link)(io::Error::other(
                "this link leads to a folder that holds the link; take it out of the source",
            )));
        }
        return copy_below(&end, target, bytecode, linked + 1);
    }
    Ok(())
}

/// A pyc beside its source (sourceless, or written by Python 2).
pub(super) fn is_bytecode(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pyc")
        && path.with_extension("py").exists()
}

/// Copies a file, its mode and its modification time.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(), CopyError> {
    fs::copy(from, to).map_err(at(from))?;
    keep_times(from, to)
}

fn keep_times(from: &Path, to: &Path) -> Result<(), CopyError> {
    let metadata = fs::metadata(from).map_err(at(from))?;
    let modified = metadata.modified().map_err(at(from))?;
    set_modified(to, modified).map_err(at(to))
}

/// Sets a file's or folder's modification time, whatever its mode is.
pub(super) fn set_modified(path: &Path, time: std::time::SystemTime) -> io::Result<()> {
    fs::File::open(path)?.set_modified(time)
}

/// Gives a folder and everything below it to a user.
///
/// # Errors
/// The first file that cannot be given.
pub fn give(folder: &Path, uid: u32, gid: u32) -> Result<(), CopyError> {
    for entry in WalkDir::new(folder).into_iter().flatten() {
        lchown(entry.path(), Some(uid), Some(gid)).map_err(at(entry.path()))?;
    }
    Ok(())
}

/// May its owner write to it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteBits {
    On,
    Off,
}

/// Sets or takes the write bits of a folder and everything below it, and lets everybody read it.
///
/// # Errors
/// The first file whose mode cannot be changed.
pub fn set_write_bits(folder: &Path, bits: WriteBits) -> Result<(), CopyError> {
    use std::os::unix::fs::PermissionsExt;
    for entry in WalkDir::new(folder)
        .contents_first(true)
        .into_iter()
        .flatten()
    {
        if entry.path_is_symlink() {
            continue;
        }
        let mode = fs::metadata(entry.path()).map_err(at(entry.path()))?.mode();
        let readable = if entry.file_type().is_dir() {
            0o555
        } else {
            0o444
        };
        // Without the set-user-id bit and its like: a copy may have another owner.
        let mode = match bits {
            WriteBits::On => (mode | readable | 0o200) & 0o777,
            WriteBits::Off => (mode | readable) & 0o555,
        };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode))
            .map_err(at(entry.path()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end_in_the_copy_or_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (app, copy) = (folder.path().join("app"), folder.path().join("copy"));
        let shared = folder.path().join("shared");
        fs::create_dir_all(app.join("package/deep")).unwrap();
        fs::create_dir(&shared).unwrap();
        fs::write(shared.join("data.txt"), "mine").unwrap();
        fs::write(app.join("package/real.py"), "").unwrap();
        symlink(
            app.join("package/real.py"),
            app.join("package/deep/absolute.py"),
        )
        .unwrap();
        symlink("../real.py", app.join("package/deep/relative.py")).unwrap();
        symlink(&shared, app.join("shared")).unwrap();
        symlink("/no/such/file", app.join("nowhere")).unwrap();
        copy_tree(&app, &copy, CopyBytecode::LeftOut).unwrap();
        let real = fs::canonicalize(copy.join("package/real.py")).unwrap();
        for link in ["package/deep/absolute.py", "package/deep/relative.py"] {
            assert_eq!(fs::canonicalize(copy.join(link)).unwrap(), real);
        }
        assert!(copy.join("nowhere").is_symlink());
        fs::write(copy.join("shared/data.txt"), "theirs").unwrap();
        assert_eq!(fs::read_to_string(shared.join("data.txt")).unwrap(), "mine");
    }

    #[test]
    fn folders_that_link_to_each_other_are_refused_and_not_followed_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        fs::create_dir(&app).unwrap();
        symlink(folder.path(), app.join("up")).unwrap();
        let error =
            copy_tree(&app, &folder.path().join("copy"), CopyBytecode::LeftOut).unwrap_err();
        assert!(error.to_string().contains("holds the link"), "{error}");
    }

    #[test]
    fn set_user_id_bits_are_not_copied() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tool");
        fs::write(&file, "").unwrap();
        for bits in [WriteBits::On, WriteBits::Off] {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o4755)).unwrap();
            set_write_bits(folder.path(), bits).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7000, 0);
        }
    }
}
