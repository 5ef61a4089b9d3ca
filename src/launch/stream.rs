//! What a launched process writes.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::Failure;
use super::tail::Tail;

/// So much is read at once, and so often in a row: a mebibyte together.
pub const READ_BYTES: usize = 64 * 1024;
pub const READS: usize = 16;

/// A pipe: our end and the launched process's.
///
/// # Errors
/// When there are too many open files.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(|error| Failure::Spawn {
        step: "pipe",
        error: error.to_string(),
    })
}

/// Our end of a pipe that was just made. Without O_NONBLOCK a last read after the process's end
/// could wait for a grandchild that holds the other end.
pub fn nonblocking(descriptor: OwnedFd) -> File {
    // Setting a flag on a pipe does not fail.
    let _ = fcntl(&descriptor, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
    descriptor.into()
}

/// A pipe that is read as it fills, so that the process never waits for us.
#[derive(Debug)]
pub struct Stream {
    /// `None` after its end.
    pub file: Option<File>,
    pub tail: Tail,
    /// Its beginning.
    pub kept: Vec<u8>,
    limit: usize,
}

impl Stream {
    /// Keeps this many bytes of its beginning and of its end.
    pub fn new(descriptor: OwnedFd, limit: usize) -> Self {
        Self {
            file: Some(nonblocking(descriptor)),
            tail: Tail::new(limit),
            kept: Vec::new(),
            limit,
        }
    }

    /// Takes what is there, at most a mebibyte: a process that writes without end must not keep
    /// us from looking at the clock.
    pub fn drain(&mut self) {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..READS {
            let Some(file) = &mut self.file else { return };
            match file.read(&mut buffer) {
                Ok(0) => self.file = None,
                Ok(count) => {
                    self.tail.push(&buffer[..count]);
                    let room = self.limit - self.kept.len();
                    self.kept.extend_from_slice(&buffer[..count.min(room)]);
                }
                Err(_) => return,
            }
        }
    }
}
