//! Would `marshal.loads` take the body of a pyc? A walk over the format of CPython's
//! `Python/marshal.c` (3.9 to 3.15) that builds nothing.
//!
//! CPython reads a body outside of every `try`: one that breaks off, or makes no sense, ends the
//! program at each start, and no start mends it. Lengths are believed only as far as there are bytes
//! left, and objects may lie within each other as deep as CPython lets them, so that a hostile file
//! costs no more than its own size.
//!
//! `walk` reads objects one after the other, `around` puts each into the one that it lies in, `code`
//! says whether what is put together can be code, and `object` what is remembered of objects.

mod around;
mod code;
mod object;
mod walk;

use std::fmt;

use code::OpenCode;
use object::{Object, Open};
use walk::Walk;

/// What differs from version to version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The minor version of Python 3.
    minor: u32,
}

impl Dialect {
    /// Of Python 3.`minor`.
    pub fn of(minor: u32) -> Self {
        Self { minor }
    }

    /// The code object of PEP 659: local variables, cells and free ones in one tuple.
    fn has_locals_plus(self) -> bool {
        self.minor >= 11
    }

    fn has_slices(self) -> bool {
        self.minor >= 14
    }

    fn has_frozen_dicts(self) -> bool {
        self.minor >= 15
    }
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It breaks off: `EOFError`.
    Short,
    /// Something in it cannot be: `ValueError`, `TypeError`, `SystemError`.
    Nonsense,
    /// It holds something else than code: `ImportError`.
    NotCode,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Short => "its code breaks off (EOFError)",
            Self::Nonsense => "its code makes no sense (ValueError)",
            Self::NotCode => "what it holds is no code (ImportError)",
        })
    }
}

/// Checks what follows the header of a pyc. What comes after the code is of no interest, as it is
/// none to CPython.
///
/// # Errors
/// What CPython would stumble over first.
pub fn check(body: &[u8], dialect: Dialect) -> Result<(), Fault> {
    Checker::default().check(body, dialect)
}

/// Checks bodies one after the other, and keeps its room from one to the next.
#[derive(Debug, Default)]
pub struct Checker {
    room: Room,
}

/// What is remembered of a body while it is read.
#[derive(Debug, Default)]
struct Room {
    /// Objects that can be referred to by number.
    references: Vec<Object>,
    /// Objects that are not complete, each within the one before it. A list of our own, and no
    /// recursion: there may be 2,000 of them.
    open: Vec<Open>,
    /// Of those, what is known of code.
    codes: Vec<OpenCode>,
}

impl Checker {
    /// Most bodies have fewer objects that can be referred to: the room for more is given back.
    const USUAL: usize = 1 << 16;

    /// As [`check`].
    ///
    /// # Errors
    /// As [`check`].
    pub fn check(&mut self, body: &[u8], dialect: Dialect) -> Result<(), Fault> {
        // Nobody has 4 GiB of code, and what is counted here is of four bytes.
        if u32::try_from(body.len()).is_err() {
            return Ok(());
        }
        self.room.references.clear();
        self.room.open.clear();
        self.room.codes.clear();
        let read = Walk::new(body, dialect, &mut self.room).run();
        self.room.references.shrink_to(Self::USUAL);
        match read? {
            Object::Code => Ok(()),
            Object::Null => Err(Fault::Nonsense),
            _ => Err(Fault::NotCode),
        }
    }
}

type Found<T> = Result<T, Fault>;

#[cfg(test)]
mod tests;
