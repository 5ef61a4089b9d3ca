//! What CPython does about a module's bytecode, and why.

use nix::sys::stat::FileStat;

use super::marshal::Fault;
use crate::suite::Optimization;

/// The verdict that CPython itself reaches on a module (`SourceLoader.get_code` and
/// `FileFinder.find_spec` in `Lib/importlib/_bootstrap_external.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Its pyc is taken.
    Hit,
    /// There is no pyc.
    Absent,
    /// There is one, and it cannot be opened.
    Unreadable,
    /// It is of another version, or shorter than a magic number.
    BadMagic,
    /// Its flags are none that are known, or it breaks off in its header.
    BadFlags,
    /// It says that it is of a source with another time of modification.
    StaleMtime,
    /// It says that it is of a source of another size.
    StaleSize,
    /// It says that it is of a source with another hash.
    StaleHash,
    /// There is none of the level of `-O`, and one of another.
    WrongOptimization,
    /// It is taken, and its code is damaged: the import fails.
    Corrupt,
    /// The script itself, which is never cached.
    Main,
    /// In an archive, whose bytecode is never written.
    Zip,
    /// In the interpreter's own program.
    Frozen,
    /// Written in C, and part of the interpreter's program.
    Builtin,
    /// A shared object.
    Extension,
    /// A pyc in place of a source.
    Sourceless,
    /// A package without a file of its own.
    Namespace,
}

/// What a verdict comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Bytecode is read.
    Cached,
    /// The source is compiled.
    Compiled,
    /// The import fails.
    Fatal,
    /// There is no bytecode to be cached.
    Apart,
}

impl Verdict {
    pub const ALL: [Self; 17] = [
        Self::Hit,
        Self::Absent,
        Self::Unreadable,
        Self::BadMagic,
        Self::BadFlags,
        Self::StaleMtime,
        Self::StaleSize,
        Self::StaleHash,
        Self::WrongOptimization,
        Self::Corrupt,
        Self::Main,
        Self::Zip,
        Self::Frozen,
        Self::Builtin,
        Self::Extension,
        Self::Sourceless,
        Self::Namespace,
    ];

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Absent => "absent",
            Self::Unreadable => "unreadable",
            Self::BadMagic => "bad-magic",
            Self::BadFlags => "bad-flags",
            Self::StaleMtime => "stale-mtime",
            Self::StaleSize => "stale-size",
            Self::StaleHash => "stale-hash",
            Self::WrongOptimization => "wrong-optimization",
            Self::Corrupt => "corrupt",
            Self::Main => "main",
            Self::Zip => "zip",
            Self::Frozen => "frozen",
            Self::Builtin => "builtin",
            Self::Extension => "extension",
            Self::Sourceless => "sourceless",
            Self::Namespace => "namespace",
        }
    }

    pub fn fate(self) -> Fate {
        match self {
            Self::Hit | Self::Sourceless => Fate::Cached,
            Self::Absent
            | Self::Unreadable
            | Self::BadMagic
            | Self::BadFlags
            | Self::StaleMtime
            | Self::StaleSize
            | Self::StaleHash
            | Self::WrongOptimization => Fate::Compiled,
            Self::Corrupt => Fate::Fatal,
            Self::Main
            | Self::Zip
            | Self::Frozen
            | Self::Builtin
            | Self::Extension
            | Self::Namespace => Fate::Apart,
        }
    }
}

/// What a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The verdict says it all.
    None,
    /// The file is there, and its mode does not let the user read it.
    Mode {
        mode: u32,
        owner: u32,
    },
    /// This process could not open it.
    Error(i32),
    /// Something by that name that is no file: a folder, a pipe.
    NotAFile,
    /// The file is shorter than a header.
    Short {
        bytes: u64,
    },
    /// The number of another version.
    Magic {
        found: u16,
    },
    Flags {
        found: u32,
    },
    /// The time of the source that the pyc is of, and the time that it has.
    Mtime {
        recorded: u32,
        now: u32,
    },
    Size {
        recorded: u32,
        now: u32,
    },
    /// Bytecode of another level is there.
    Level(Optimization),
    /// Bytecode for another interpreter is there.
    OtherTag,
    Body(Fault),
    /// The body is too long to be looked at; it is taken to be sound.
    TooLong,
}

impl Pyc {
    pub fn of(file: &FileStat) -> Self {
        Self {
            owner: file.st_uid,
            written: file.st_mtime,
        }
    }
}

/// The pyc that CPython looks at: who wrote it, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pyc {
    pub owner: u32,
    /// Seconds since 1970.
    pub written: i64,
}
