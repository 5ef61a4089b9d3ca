//! SIGINT, SIGTERM and SIGHUP as something to wait for, like a pipe.
//!
//! A handler could only set a flag, and a launch that blocks in poll(2) would see it late. A
//! signalfd(2) stands in the same poll set as the child.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::Interrupted;

/// Watches for the signals with which a user ends a program. From now on they are blocked in this
/// thread, so that a second watch sees what came after the first; children start with nothing
/// blocked.
#[derive(Debug)]
pub struct Interrupt {
    descriptor: SignalFd,
    seen: std::cell::Cell<bool>,
}

impl Interrupt {
    /// Starts watching.
    ///
    /// # Errors
    /// When the kernel gives no descriptor.
    pub fn watch() -> std::io::Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // nohup(1) and its like ignore signals for us; a signalfd would see them all the same.
            if !is_ignored(signal) {
                signals.add(signal);
            }
        }
        signals.thread_block()?;
        let descriptor =
            SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self {
            descriptor,
            seen: std::cell::Cell::new(false),
        })
    }

    /// Has one of the signals come, now or before?
    ///
    /// # Errors
    /// [`Interrupted`] if so.
    pub fn check(&self) -> Result<(), Interrupted> {
        loop {
            match self.descriptor.read_signal() {
                Ok(Some(_)) => self.seen.set(true),
                Err(Errno::EINTR) => {}
                Ok(None) | Err(_) => break,
            }
        }
        if self.seen.get() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }

    /// Readable when a signal has come.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Was this process started with the signal ignored?
fn is_ignored(signal: Signal) -> bool {
    // SAFETY: only asks, into a live value for which zero is valid; nothing is changed.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal as libc::c_int, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}
