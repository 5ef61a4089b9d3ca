//! Makes changes in a folder that is ours: a layer over the user's, or a copy of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::unistd::Uid;

use super::{Change, Executable, State};

/// Makes the changes below the folder. Nothing is written through a link: one may lead out of it.
///
/// # Errors
/// The first file that cannot be changed.
pub fn apply(folder: &Path, changes: &[Change]) -> io::Result<()> {
    let owner = fs::metadata(folder)?;
    // What is taken away comes first: a file may stand where a folder will be, or the other way
    // round.
    for change in changes {
        remove(folder, &change.path)?;
    }
    for change in changes {
        let path = folder.join(&change.path);
        match &change.to {
            State::Nothing => continue,
            State::Link(to) => {
                make_room(folder, &change.path, &owner)?;
                symlink(to, &path)?;
            }
            State::File {
                bytes,
                mode,
                modified,
            } => {
                make_room(folder, &change.path, &owner)?;
                let mode = match mode {
                    Executable::Yes => 0o755,
                    Executable::No => 0o644,
                };
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(mode)
                    .open(&path)?;
                file.write_all(bytes)?;
                // Whatever the umask is.
                file.set_permissions(fs::Permissions::from_mode(mode))?;
                file.set_modified(UNIX_EPOCH + Duration::from_secs(*modified))?;
            }
        }
        give(&path, &owner)?;
    }
    Ok(())
}

/// The first of the changes that is not as it has to be.
pub fn first_unlike<'a>(folder: &Path, changes: &'a [Change]) -> Option<&'a Change> {
    let mut changes = changes.iter();
    changes.find(|change| !is_so(folder, change).unwrap_or(false))
}

/// Is a file below the folder as the change makes it, its time aside?
pub(super) fn is_so(folder: &Path, change: &Change) -> io::Result<bool> {
    let path = folder.join(&change.path);
    let found = match fs::symlink_metadata(&path) {
        Ok(found) => found,
        Err(error) if is_absence(&error) => return Ok(change.to == State::Nothing),
        Err(error) => return Err(error),
    };
    Ok(match &change.to {
        // A folder of that name is not the file.
        State::Nothing => found.is_dir(),
        State::Link(to) => found.is_symlink() && fs::read_link(&path)?.as_os_str() == to,
        State::File { bytes, mode, .. } => {
            found.is_file()
                && (found.mode() & 0o100 != 0) == (*mode == Executable::Yes)
                && found.len() == bytes.len() as u64
                && fs::read(&path)? == *bytes
        }
    })
}

/// The change that leaves a file below the folder as it is; none for one that isn't there.
pub(super) fn as_it_is(folder: &Path, inside: &Path) -> io::Result<Option<Change>> {
    let path = folder.join(inside);
    let found = match fs::symlink_metadata(&path) {
        Ok(found) => found,
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let to = if found.is_symlink() {
        State::Link(fs::read_link(&path)?.into_os_string())
    } else if found.is_file() {
        State::File {
            bytes: fs::read(&path)?,
            mode: match found.mode() & 0o100 {
                0 => Executable::No,
                _ => Executable::Yes,
            },
            modified: seconds(found.modified()?),
        }
    } else {
        return Ok(None);
    };
    Ok(Some(Change {
        path: inside.to_owned(),
        to,
    }))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Removes a file, and the folders that are empty then.
fn remove(folder: &Path, inside: &Path) -> io::Result<()> {
    // A path that leads through a link is none of the folder's files.
    let mut above: Vec<&Path> = inside.ancestors().skip(1).collect();
    above.retain(|path| !path.as_os_str().is_empty());
    for path in above.iter().rev() {
        match fs::symlink_metadata(folder.join(path)) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(()),
            Err(error) if is_absence(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    let path = folder.join(inside);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => fs::remove_file(&path)?,
        Err(error) if is_absence(&error) => return Ok(()),
        Err(error) => return Err(error),
    }
    for path in above {
        if fs::remove_dir(folder.join(path)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Makes the folders that a file lies in, and takes away what stands in its place or theirs.
fn make_room(folder: &Path, inside: &Path, owner: &fs::Metadata) -> io::Result<()> {
    let mut above: Vec<&Path> = inside.ancestors().skip(1).collect();
    above.retain(|path| !path.as_os_str().is_empty());
    for path in above.into_iter().rev() {
        let path = folder.join(path);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => continue,
            Ok(_) => fs::remove_file(&path)?,
            Err(error) if is_absence(&error) => {}
            Err(error) => return Err(error),
        }
        fs::create_dir(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        give(&path, owner)?;
    }
    let path = folder.join(inside);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
        Ok(_) => fs::remove_file(&path),
        Err(error) if is_absence(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A file of ours is the folder's owner's, as his own are.
fn give(path: &Path, owner: &fs::Metadata) -> io::Result<()> {
    if Uid::effective().is_root() {
        lchown(path, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Change {
        Change {
            path: path.into(),
            to: State::File {
                bytes: text.as_bytes().to_vec(),
                mode: Executable::No,
                modified: 1_000_000_000,
            },
        }
    }

    fn nothing(path: &str) -> Change {
        Change {
            path: path.into(),
            to: State::Nothing,
        }
    }

    #[test]
    fn files_come_go_and_change_and_folders_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("package/deep")).unwrap();
        fs::write(at("package/deep/a.py"), "now").unwrap();
        fs::write(at("plain.py"), "now").unwrap();
        fs::write(at("become"), "a file").unwrap();
        let changes = [
            nothing("package/deep/a.py"),
            file("plain.py", "then"),
            nothing("become"),
            file("become/a/package.py", "then"),
            file("package", "is a file"),
        ];
        apply(folder.path(), &changes).unwrap();
        assert_eq!(first_unlike(folder.path(), &changes[1..]), None);
        assert!(!at("package/deep").exists());
        let modified = fs::metadata(at("plain.py")).unwrap().mtime();
        assert_eq!(modified, 1_000_000_000);
        assert_eq!(
            first_unlike(folder.path(), &[file("plain.py", "now")]),
            Some(&file("plain.py", "now"))
        );
    }

    #[test]
    fn nothing_is_written_or_removed_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("mine.py"), "mine").unwrap();
        symlink(outside.path(), folder.path().join("linked")).unwrap();
        apply(folder.path(), &[nothing("linked/mine.py")]).unwrap();
        apply(folder.path(), &[file("linked/mine.py", "then")]).unwrap();
        let text = fs::read_to_string(outside.path().join("mine.py")).unwrap();
        assert_eq!(text, "mine");
        let text = fs::read_to_string(folder.path().join("linked/mine.py")).unwrap();
        assert_eq!(text, "then");
    }
}
