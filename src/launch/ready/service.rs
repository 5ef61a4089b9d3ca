//! Finds out whether and how a launched process serves, when nothing is known of it.
//!
//! Every port on which the launch listens is asked for `/`, in turn. The first HTTP answer that is
//! no server error settles it: servers that are still starting say 503, or nothing at all, since
//! the kernel accepts on behalf of workers that are not there yet. A server that never answers in
//! HTTP speaks something else. One that listens nowhere may still send `READY=1`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Wait;
use super::http::{self, Status};
use super::notify::Notifications;
use crate::launch::Failure;
use crate::launch::family::holds_socket;
use crate::launch::listening::listeners;
use crate::launch::ports::loopback;
use crate::launch::spawn::Child;

/// Nothing is timed here, so the system need not be asked without pause.
const PAUSE: Duration = Duration::from_millis(20);
const CONNECT_LIMIT: Duration = Duration::from_millis(50);
/// A port that says nothing for so long makes room for the next one, and is asked again later.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// After so many answers that are not HTTP, a port speaks another protocol.
const REFUSALS: u32 = 5;
/// A program that says it is ready listens by then, or not at all.
const LISTENS_AFTER_NOTICE: Duration = Duration::from_secs(2);
/// Answers from here on are errors of the server, which may still be starting.
const SERVER_ERROR: u16 = 500;

/// How a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// It answers GET / on this port with this status.
    Http { port: u16, status: u16 },
    /// It listens on this port, and does not speak HTTP.
    Tcp { port: u16 },
    /// It listens nowhere, and sends `READY=1` to `NOTIFY_SOCKET`.
    Notify,
}

/// A search for a service.
#[derive(Debug)]
pub struct Discovery {
    /// Sockets that were there before the launch.
    inherited: Vec<u64>,
    notifications: Notifications,
    /// When `READY=1` came.
    notified: Option<Instant>,
    /// When the launch was first seen to listen.
    listening: Option<Instant>,
    /// How long a port may say nothing before it counts as one that does not speak HTTP.
    patience: Duration,
    connection: Option<Connection>,
    /// How often each port that is known answered with something else than HTTP.
    refusals: BTreeMap<u16, u32>,
    /// Which of the ports is asked next.
    turn: usize,
    next_attempt: Instant,
    /// A server error that was answered.
    error: Option<u16>,
    pub found: Option<Service>,
}

#[derive(Debug)]
struct Connection {
    port: u16,
    stream: TcpStream,
    since: Instant,
    answer: Vec<u8>,
}

/// What became of one request.
enum Answer {
    None,
    Status(u16),
    NotHttp,
    /// Nothing came for too long.
    Silence,
}

impl Discovery {
    /// A search that has so much time, and the value that `NOTIFY_SOCKET` is to have.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn new(timeout: Duration) -> Result<(Self, OsString), Failure> {
        let (notifications, name) = Notifications::new()?;
        let discovery = Self {
            inherited: listeners().iter().map(|each| each.inode).collect(),
            notifications,
            notified: None,
            listening: None,
            patience: timeout / 2,
            connection: None,
            refusals: BTreeMap::new(),
            turn: 0,
            next_attempt: Instant::now(),
            error: None,
            found: None,
        };
        Ok((discovery, name))
    }

    /// The time of the next look.
    pub fn waits_for(&self) -> Wait<'_> {
        Wait::Until(self.next_attempt)
    }

    /// Looks once, if it is time to.
    pub fn advance(&mut self, child: &Child) -> Option<Instant> {
        let now = Instant::now();
        if let Some(at) = self.notifications.advance(child) {
            self.notified.get_or_insert(at);
        }
        if self.found.is_some() || now < self.next_attempt {
            return None;
        }
        self.next_attempt = now + PAUSE;
        if self.connection.is_none() {
            self.look(child);
            self.ask(now);
        }
        self.read(now);
        self.conclude(now);
        self.found.map(|_| now)
    }

    /// On which ports do the launch's processes listen?
    fn look(&mut self, child: &Child) {
        let mut ports: Vec<u16> = listeners()
            .into_iter()
            .filter(|each| !self.inherited.contains(&each.inode))
            .filter(|each| holds_socket(child.pid, &[each.inode]))
            .map(|each| each.port)
            .collect();
        ports.sort_unstable();
        self.refusals.retain(|port, _| ports.contains(port));
        for port in ports {
            self.refusals.entry(port).or_default();
        }
    }

    fn ask(&mut self, now: Instant) {
        if self.refusals.is_empty() {
            return;
        }
        self.listening.get_or_insert(now);
        let turn = self.turn % self.refusals.len();
        let Some(&port) = self.refusals.keys().nth(turn) else {
            return;
        };
        self.turn += 1;
        let stream = loopback(port)
            .iter()
            .find_map(|address| TcpStream::connect_timeout(address, CONNECT_LIMIT).ok());
        let Some(mut stream) = stream else { return };
        let sent = stream
            .set_nonblocking(true)
            .and_then(|()| stream.write_all(&http::get(port, "/")));
        if sent.is_ok() {
            self.connection = Some(Connection {
                port,
                stream,
                since: now,
                answer: Vec::new(),
            });
        }
    }

    fn read(&mut self, now: Instant) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let port = connection.port;
        match connection.read(now) {
            Answer::None => return,
            Answer::Status(status) if status < SERVER_ERROR => {
                self.found = Some(Service::Http { port, status });
            }
            Answer::Status(status) => self.error = Some(status),
            Answer::NotHttp => *self.refusals.entry(port).or_default() += 1,
            Answer::Silence => {}
        }
        self.connection = None;
    }

    /// Is there anything to be said of a launch that did not answer in HTTP?
    fn conclude(&mut self, now: Instant) {
        if self.found.is_some() || self.error.is_some() {
            return;
        }
        let refused = self.refusals.values().all(|count| *count >= REFUSALS);
        let is_silent = |since: Instant| now - since > self.patience;
        match self.refusals.keys().next() {
            Some(&port) if refused || self.listening.is_some_and(is_silent) => {
                self.found = Some(Service::Tcp { port });
            }
            Some(_) => {}
            None if self
                .notified
                .is_some_and(|at| now - at > LISTENS_AFTER_NOTICE) =>
            {
                self.found = Some(Service::Notify);
            }
            None => {}
        }
    }

    /// What was last seen.
    pub fn last(&self) -> String {
        match (self.error, self.listening) {
            (Some(status), _) => format!("it answers GET / with status {status}"),
            (None, Some(_)) => "it listens, but does not answer".to_owned(),
            (None, None) => "it neither ended nor listened on a port".to_owned(),
        }
    }

    /// From now on notifications are taken and forgotten.
    pub fn dismiss(&mut self) {
        self.notifications.dismiss();
        self.connection = None;
        self.next_attempt = Instant::now() + Duration::from_secs(3600);
    }
}

impl Connection {
    fn read(&mut self, now: Instant) -> Answer {
        let mut buffer = [0; 512];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Answer::NotHttp,
                Ok(count) => {
                    self.answer.extend_from_slice(&buffer[..count]);
                    match http::status(&self.answer) {
                        Status::Incomplete => {}
                        Status::Is(status) => return Answer::Status(status),
                        Status::NotHttp => return Answer::NotHttp,
                    }
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
                {
                    return if now - self.since > ANSWER_LIMIT {
                        Answer::Silence
                    } else {
                        Answer::None
                    };
                }
                Err(_) => return Answer::NotHttp,
            }
        }
    }
}
