//! The signs by which a launched process is known to be ready, one file each.

mod door;
mod http;
mod notify;
mod service;
mod stdout;
mod tcp;

use std::ffi::OsString;
use std::fmt;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::Failure;
use super::spawn::Child;
use crate::suite::Pattern;

use door::Door;
pub use door::{Precedent, Search};
pub use service::Service;

/// What is to be seen of a process that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// An HTTP response with this status.
    Http {
        port: u16,
        path: String,
        status: u16,
    },
    /// An accepted connection.
    Tcp { port: u16 },
    /// A line on standard output that fits.
    Stdout { line: Pattern },
    /// `READY=1` on `NOTIFY_SOCKET` (sd_notify(3)).
    Notify,
}

impl fmt::Display for Sign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { port, path, status } => write!(
                formatter,
                "a response with status {status} to GET {path} on port {port}"
            ),
            Self::Tcp { port } => write!(formatter, "a connection on port {port}"),
            Self::Stdout { line } => {
                write!(formatter, "a line on standard output that matches `{line}`")
            }
            Self::Notify => formatter.write_str("READY=1 on NOTIFY_SOCKET"),
        }
    }
}

impl Sign {
    /// The sign as something that the app did, after "before".
    pub fn happened(&self) -> String {
        match self {
            Self::Http { .. } => "it answered".to_owned(),
            Self::Tcp { port } => format!("it listened on port {port}"),
            Self::Stdout { line } => {
                format!("it wrote a line to standard output that matches `{line}`")
            }
            Self::Notify => "it sent READY=1 to NOTIFY_SOCKET".to_owned(),
        }
    }
}

/// What a process is given for its sign. The launcher closes its copies after the spawn, so that
/// the end of a pipe can be seen.
#[derive(Debug, Default)]
pub struct Given {
    /// Its standard output, where that is not `/dev/null`.
    pub stdout: Option<OwnedFd>,
    /// A variable of its environment.
    pub variable: Option<(OsString, OsString)>,
}

/// What has to happen before it is worth looking again.
#[derive(Debug)]
pub enum Wait<'a> {
    Readable(BorrowedFd<'a>),
    Until(Instant),
    Nothing,
}

/// A sign that is being watched for.
#[derive(Debug)]
pub enum Watch {
    Http(http::Request),
    Tcp(tcp::Connection),
    Stdout(stdout::Lines),
    Notify(notify::Notifications),
    Discover(service::Discovery),
}

impl Watch {
    /// Gets everything ready before the spawn.
    ///
    /// # Errors
    /// When the port is taken, or there is no pipe or socket to be had.
    pub fn new(sign: &Sign, search: Search) -> Result<(Self, Given), Failure> {
        let mut given = Given::default();
        let watch = match sign {
            Sign::Http { port, path, status } => {
                Self::Http(http::Request::new(Door::new(*port, search)?, path, *status))
            }
            Sign::Tcp { port } => Self::Tcp(tcp::Connection::new(Door::new(*port, search)?)),
            Sign::Stdout { line } => {
                let (lines, end) = stdout::Lines::new(line)?;
                given.stdout = Some(end);
                Self::Stdout(lines)
            }
            Sign::Notify => {
                let (notifications, name) = notify::Notifications::new()?;
                given.variable = Some((notify::VARIABLE.into(), name));
                Self::Notify(notifications)
            }
        };
        Ok((watch, given))
    }

    /// Sets up what finds out whether and how an unknown command serves, in this time at most.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn discover(timeout: Duration) -> Result<(Self, Given), Failure> {
        let (discovery, name) = service::Discovery::new(timeout)?;
        let given = Given {
            stdout: None,
            variable: Some((notify::VARIABLE.into(), name)),
        };
        Ok((Self::Discover(discovery), given))
    }

    /// How the launch serves, if that was to be found out and is.
    pub fn service(&self) -> Option<Service> {
        match self {
            Self::Discover(discovery) => discovery.found,
            Self::Http(_) | Self::Tcp(_) | Self::Stdout(_) | Self::Notify(_) => None,
        }
    }

    /// What to wait for.
    pub fn waits_for(&self) -> Wait<'_> {
        match self {
            Self::Http(request) => request.waits_for(),
            Self::Tcp(connection) => connection.waits_for(),
            Self::Stdout(lines) => lines.waits_for(),
            Self::Notify(notifications) => notifications.waits_for(),
            Self::Discover(discovery) => discovery.waits_for(),
        }
    }

    /// Goes one step on. Gives the time of the sign once it was seen.
    pub fn advance(&mut self, child: &Child) -> Option<Instant> {
        match self {
            Self::Http(request) => request.advance(child),
            Self::Tcp(connection) => connection.advance(child),
            Self::Stdout(lines) => lines.advance(),
            Self::Notify(notifications) => notifications.advance(child),
            Self::Discover(discovery) => discovery.advance(child),
        }
    }

    /// The sign of a process that has ended meanwhile: what it wrote or sent is still there. Nobody
    /// can be asked any more.
    pub fn left_behind(&mut self, child: &Child) -> Option<Instant> {
        match self {
            // A server that left is none that could be launched again and again.
            Self::Http(_) | Self::Tcp(_) | Self::Discover(_) => None,
            Self::Stdout(_) | Self::Notify(_) => self.advance(child),
        }
    }

    /// Was it the launch that gave the sign?
    ///
    /// # Errors
    /// That it was somebody else.
    pub fn confirm(&self, child: &Child) -> Result<(), Failure> {
        match self {
            Self::Http(request) => request.confirm(child),
            Self::Tcp(connection) => connection.confirm(child),
            // A pipe has no other end, and notifications were looked at one by one.
            Self::Stdout(_) | Self::Notify(_) | Self::Discover(_) => Ok(()),
        }
    }

    /// How it was found, for the next launch of the same server, where a port was its sign.
    pub fn precedent(&self, child: &Child) -> Option<Precedent> {
        let (door, address) = match self {
            Self::Http(request) => (&request.door, request.answered),
            Self::Tcp(connection) => (&connection.door, connection.address),
            Self::Stdout(_) | Self::Notify(_) | Self::Discover(_) => return None,
        };
        door.precedent(address?, child.spawned)
    }

    /// When a connection was first accepted.
    pub fn accepted(&self) -> Option<Instant> {
        match self {
            Self::Http(request) => request.door.accepted,
            Self::Tcp(connection) => connection.door.accepted,
            Self::Stdout(_) | Self::Notify(_) | Self::Discover(_) => None,
        }
    }

    /// What was last seen instead of the sign, as a clause of a message.
    pub fn last(&self) -> Option<String> {
        let nobody = || "nobody ever listened on its port".to_owned();
        Some(match self {
            Self::Http(request) => request.last().unwrap_or_else(nobody),
            Self::Tcp(_) => nobody(),
            Self::Stdout(lines) => lines.last(),
            Self::Notify(notifications) => notifications.last(),
            Self::Discover(discovery) => discovery.last(),
        })
    }

    /// The sign is not waited for any more. A connection is closed; a pipe or a socket that the
    /// app may still write to stays, and is emptied.
    pub fn dismiss(self) -> Option<Self> {
        match self {
            Self::Http(_) | Self::Tcp(_) => None,
            Self::Stdout(mut lines) => {
                lines.dismiss();
                Some(Self::Stdout(lines))
            }
            Self::Notify(mut notifications) => {
                notifications.dismiss();
                Some(Self::Notify(notifications))
            }
            Self::Discover(mut discovery) => {
                discovery.dismiss();
                Some(Self::Discover(discovery))
            }
        }
    }
}
