//! Listens for `READY=1` as service managers do (sd_notify(3)).
//!
//! The socket lies in the abstract namespace: no file, so that no user is kept from it by modes
//! or mounts. The kernel finds a name that is free (unix(7), autobind), always of the same
//! length. Anybody could send there, so each datagram comes with its sender's process id, which
//! the kernel vouches for (`SO_PASSCRED`).

use std::ffi::OsString;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::time::Instant;

use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, UnixCredentials,
    bind, getsockname, recvmsg, setsockopt, socket, sockopt,
};

use super::Wait;
use crate::launch::Failure;
use crate::launch::family::belongs;
use crate::launch::spawn::Child;
use crate::launch::tail::printable;

/// The variable that tells the app where to send.
pub const VARIABLE: &str = "NOTIFY_SOCKET";
/// What systemd reads of a datagram.
const DATAGRAM_BYTES: usize = 4096;
/// Datagrams that are taken in a row, before the clock is looked at.
const DATAGRAMS: usize = 64;
/// What a message shows of a notification.
const SHOWN_BYTES: usize = 200;

/// The socket on which notifications come.
#[derive(Debug)]
pub struct Notifications {
    socket: OwnedFd,
    state: State,
    last: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// What still comes is taken, so that the app never waits for us, and forgotten.
    Dismissed,
}

impl Notifications {
    /// With the value that `NOTIFY_SOCKET` is to have.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn new() -> Result<(Self, OsString), Failure> {
        Self::open().map_err(|error| Failure::Spawn {
            step: "the socket for notifications",
            error: error.to_string(),
        })
    }

    fn open() -> nix::Result<(Self, OsString)> {
        let socket = socket(
            AddressFamily::Unix,
            SockType::Datagram,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            None,
        )?;
        setsockopt(&socket, sockopt::PassCred, &true)?;
        bind(socket.as_raw_fd(), &UnixAddr::new_unnamed())?;
        let address: UnixAddr = getsockname(socket.as_raw_fd())?;
        let mut name = b"@".to_vec();
        name.extend(address.as_abstract().unwrap_or_default());
        let notifications = Self {
            socket,
            state: State::Waiting,
            last: None,
        };
        Ok((notifications, OsString::from_vec(name)))
    }

    /// The next datagram.
    pub fn waits_for(&self) -> Wait<'_> {
        Wait::Readable(self.socket.as_fd())
    }

    /// From now on notifications are taken and forgotten.
    pub fn dismiss(&mut self) {
        self.state = State::Dismissed;
    }

    /// Takes what has come. Gives the time when `READY=1` came from one of the launch's processes.
    pub fn advance(&mut self, child: &Child) -> Option<Instant> {
        let mut buffer = [0; DATAGRAM_BYTES];
        for _ in 0..DATAGRAMS {
            let (count, sender) = self.receive(&mut buffer).ok()?;
            if self.state == State::Dismissed {
                continue;
            }
            let at = Instant::now();
            let text = &buffer[..count];
            let ready = text.split(|&byte| byte == b'\n').any(|l| l == b"READY=1");
            let sender = sender.map_or(0, |sender| sender.pid());
            if sender > 0 && belongs(sender, child.pid) {
                if ready {
                    self.dismiss();
                    return Some(at);
                }
                let shown = printable(&text[..count.min(SHOWN_BYTES)]);
                self.last = Some(format!(
                    "the last that it sent there was `{}`",
                    shown.trim_end().replace('\n', " ")
                ));
            } else if ready {
                self.last = Some(format!(
                    "a READY=1 from process {sender} was ignored, as that is none that this \
                     launch started, or it was gone before it could be looked at; let the app \
                     send it itself"
                ));
            }
        }
        None
    }

    /// One datagram: its length, and who sent it. There is no room for descriptors that may come
    /// with it (`FDSTORE=1`, `BARRIER=1`), so the kernel closes them, which is all that a sender
    /// of `BARRIER=1` waits for.
    fn receive(&self, buffer: &mut [u8]) -> nix::Result<(usize, Option<UnixCredentials>)> {
        let mut parts = [IoSliceMut::new(buffer)];
        let mut control = nix::cmsg_space!(UnixCredentials);
        let message = recvmsg::<()>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC,
        )?;
        let sender = message.cmsgs().ok().and_then(|mut messages| {
            messages.find_map(|message| match message {
                ControlMessageOwned::ScmCredentials(sender) => Some(sender),
                _ => None,
            })
        });
        Ok((message.bytes, sender))
    }

    /// What last came.
    pub fn last(&self) -> String {
        self.last.clone().unwrap_or_else(|| {
            "nothing came; does the app send notifications when NOTIFY_SOCKET is set?".to_owned()
        })
    }
}
