//! Folders and files of a tree that nobody vouches for, opened so that nothing is waited for and
//! nothing but a file is read.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fstatat};
use rustix::fs::{FileType, RawDir};

use super::marshal::Checker;

pub const FOLDER: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_CLOEXEC);
/// A pipe that took the file's place since it was looked at must not be waited for.
const FILE: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);

/// What one who looks at folders works with, kept from folder to folder. What is in it does not
/// matter.
#[derive(Debug, Default)]
pub struct Desk {
    pub buffer: Buffer,
    pub checker: Checker,
}

/// What a folder holds, by name: the order of a listing is the file system's own.
#[derive(Debug, Default)]
pub struct Listing {
    /// All names, one after the other: there are many, and most are short.
    names: Vec<u8>,
    entries: Vec<(Range<usize>, FileType)>,
}

/// A name in a folder, and what the folder says that it stands for.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'l> {
    pub name: &'l [u8],
    /// Not known of some file systems' entries.
    pub kind: FileType,
}

impl Listing {
    /// More than most folders take.
    const USUAL: usize = 32 << 10;

    /// Lists an open folder.
    pub fn of(folder: impl AsFd) -> Result<Self, Errno> {
        let mut room = [MaybeUninit::uninit(); Self::USUAL];
        let mut listing = Self::default();
        // getdents64(2) itself: readdir(3) would ask for more, and copy a name three times.
        let mut raw = RawDir::new(folder, &mut room);
        while let Some(entry) = raw.next() {
            let entry = entry.map_err(|error| Errno::from_raw(error.raw_os_error()))?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let start = listing.names.len();
            listing.names.extend_from_slice(name);
            let name = start..listing.names.len();
            listing.entries.push((name, entry.file_type()));
        }
        let names = &listing.names;
        let entries = &mut listing.entries;
        entries.sort_unstable_by(|(a, _), (b, _)| names.get(a.clone()).cmp(&names.get(b.clone())));
        Ok(listing)
    }

    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries.iter().map(|entry| self.entry(entry))
    }

    /// The entry of that name.
    pub fn find(&self, name: &[u8]) -> Option<Entry<'_>> {
        let at = self
            .entries
            .binary_search_by(|entry| self.entry(entry).name.cmp(name));
        let entry = at.ok().and_then(|at| self.entries.get(at));
        entry.map(|entry| self.entry(entry))
    }

    /// The entries whose names begin like this.
    pub fn starting_with(&self, start: &[u8]) -> impl Iterator<Item = Entry<'_>> {
        let before = |entry: &(Range<usize>, FileType)| self.entry(entry).name < start;
        let from = self.entries.partition_point(before);
        let rest = self.entries.get(from..).unwrap_or_default().iter();
        rest.map(|entry| self.entry(entry))
            .take_while(move |entry| entry.name.starts_with(start))
    }

    fn entry(&self, (name, kind): &(Range<usize>, FileType)) -> Entry<'_> {
        Entry {
            name: self.names.get(name.clone()).unwrap_or_default(),
            kind: *kind,
        }
    }
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
pub fn open(folder: impl AsFd, name: &[u8], listed: Option<FileType>) -> Result<OwnedFd, Unread> {
    if listed != Some(FileType::RegularFile) {
        let found = fstatat(&folder, name, AtFlags::empty())?;
        if type_of(&found) != FileType::RegularFile {
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

/// Opens a folder, and lists it if it may be listed: names in one that may not be can be looked up,
/// if modes allow that.
pub fn open_folder(above: impl AsFd, path: &Path) -> Result<(OwnedFd, Option<Listing>), Errno> {
    match openat(&above, path, FOLDER, Mode::empty()) {
        Ok(folder) => {
            let names = Listing::of(&folder)?;
            Ok((folder, Some(names)))
        }
        Err(Errno::EACCES) => {
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let folder = openat(&above, path, flags, Mode::empty())?;
            Ok((folder, None))
        }
        Err(error) => Err(error),
    }
}

pub fn type_of(stat: &FileStat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}
