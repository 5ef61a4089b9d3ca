//! Folders and files of a tree that nobody vouches for, opened so that nothing is waited for and
//! nothing but a file is read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::dir::{Dir, Entry, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fstatat};

pub const FOLDER: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_CLOEXEC);
/// A pipe that took the file's place since it was looked at must not be waited for.
const FILE: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);

/// The entries of a folder, in order: the order of a listing is the file system's own.
pub fn entries(folder: &mut Dir) -> Result<Vec<Entry>, Errno> {
    let entries: Result<Vec<Entry>, Errno> = folder.iter().collect();
    let mut entries = entries?;
    entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
    Ok(entries)
}

/// Why a file was not read.
pub enum Unread {
    Absent,
    NotAFile,
    Error(Errno),
}

impl From<Errno> for Unread {
    fn from(error: Errno) -> Self {
        match error {
            Errno::ENOENT => Self::Absent,
            other => Self::Error(other),
        }
    }
}

/// Opens a file. One that its folder's listing calls a file is not asked again: what takes its place
/// in between is not waited for, neither when it is opened nor when it is read.
pub fn open(folder: impl AsFd, name: &[u8], listed: Option<Type>) -> Result<OwnedFd, Unread> {
    if listed != Some(Type::File) {
        let found = fstatat(&folder, name, AtFlags::empty())?;
        if type_of(&found) != Some(Type::File) {
            return Err(Unread::NotAFile);
        }
    }
    Ok(openat(&folder, name, FILE, Mode::empty())?)
}

/// Room for what a file holds, kept from file to file.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

/// Is a file's content in the buffer?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Whole,
    /// It goes on after so much as was to be read.
    Beginning,
}

impl Buffer {
    /// Most files are shorter, and take a single read(2).
    const USUAL: usize = 64 << 10;

    /// Reads a file's content, so many bytes at most.
    pub fn fill(&mut self, file: &OwnedFd, at_most: usize) -> Result<Extent, Errno> {
        self.filled = 0;
        loop {
            if self.filled >= at_most {
                return Ok(Extent::Beginning);
            }
            if self.filled == self.bytes.len() {
                let longer = (self.filled * 2).max(Self::USUAL);
                self.bytes.resize(longer, 0);
            }
            let end = self.bytes.len().min(at_most);
            let room = &mut self.bytes[self.filled..end];
            let wanted = room.len();
            match nix::unistd::read(file, room) {
                Ok(count) => {
                    self.filled += count;
                    // A file gives less only at its end.
                    if count < wanted {
                        return Ok(Extent::Whole);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What was read.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

/// An open folder.
pub enum Handle {
    Listed(Dir),
    /// Names in it can be looked up, if modes allow that.
    Unlisted(OwnedFd),
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Listed(folder) => folder.as_fd(),
            Self::Unlisted(folder) => folder.as_fd(),
        }
    }
}

impl Handle {
    /// Opens a folder, to be listed if it can be.
    pub fn open(above: impl AsFd, path: &Path) -> Result<(Self, Option<Vec<Entry>>), Errno> {
        match Dir::openat(&above, path, FOLDER, Mode::empty()) {
            Ok(mut folder) => {
                let names = entries(&mut folder)?;
                Ok((Self::Listed(folder), Some(names)))
            }
            Err(Errno::EACCES) => {
                let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
                let folder = openat(&above, path, flags, Mode::empty())?;
                Ok((Self::Unlisted(folder), None))
            }
            Err(error) => Err(error),
        }
    }
}

/// The entry of that name, among some that stand in order.
pub fn find<'e>(sorted: &'e [Entry], name: &[u8]) -> Option<&'e Entry> {
    let at = sorted.binary_search_by(|entry| name_of(entry).cmp(name));
    at.ok().and_then(|at| sorted.get(at))
}

pub fn name_of(entry: &Entry) -> &[u8] {
    entry.file_name().to_bytes()
}

pub fn type_of(stat: &FileStat) -> Option<Type> {
    Some(match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG => Type::File,
        libc::S_IFDIR => Type::Directory,
        libc::S_IFLNK => Type::Symlink,
        libc::S_IFIFO => Type::Fifo,
        libc::S_IFCHR => Type::CharacterDevice,
        libc::S_IFBLK => Type::BlockDevice,
        libc::S_IFSOCK => Type::Socket,
        _ => return None,
    })
}
