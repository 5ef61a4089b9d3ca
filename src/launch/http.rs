//! Asks a server that may not listen yet, until it answers with the expected status.
//!
//! Connecting fails at once while nobody listens, so it is tried again and again, at intervals
//! that grow with the time passed: the answer is late by a 512th of what is measured at the most,
//! or by 0.2 ms where that is more. Once connected, one request waits in the backlog and wakes at readiness: servers
//! that fork accept long before they answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::ports::loopback;

const SHORTEST_PAUSE: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);
/// A full backlog leaves a connection attempt unanswered; it is made again after this long.
const CONNECT_LIMIT: Duration = Duration::from_millis(5);
/// An answer that isn't the expected one (503 while starting) is asked for again after this long.
const RETRY_PAUSE: Duration = Duration::from_millis(2);
/// No status line is longer.
const STATUS_LINE_LIMIT: usize = 1024;

/// The request and its state.
#[derive(Debug)]
pub struct Probe {
    addresses: [SocketAddr; 2],
    request: Vec<u8>,
    expected: u16,
    spawned: Instant,
    connection: Option<Connection>,
    next_attempt: Instant,
    /// When a connection was first accepted.
    pub accepted: Option<Instant>,
    /// What was last seen, for the message when time runs out.
    pub last: Option<String>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    answer: Vec<u8>,
}

/// The server answered as expected.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    pub at: Instant,
    pub address: SocketAddr,
}

impl Probe {
    /// A request for `path` on this port of the loopback interface.
    pub fn new(port: u16, path: &str, expected: u16, spawned: Instant) -> Self {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: coldsnake\r\n\
             Accept: */*\r\nConnection: close\r\n\r\n"
        );
        Self {
            addresses: loopback(port),
            request: request.into_bytes(),
            expected,
            spawned,
            connection: None,
            next_attempt: spawned,
            accepted: None,
            last: None,
        }
    }

    /// What to wait for: the connection's answer, or the time of the next attempt.
    pub fn waits_for(&self) -> Result<BorrowedFd<'_>, Instant> {
        match &self.connection {
            Some(connection) => Ok(connection.stream.as_fd()),
            None => Err(self.next_attempt),
        }
    }

    /// Goes one step on: connects if it is time to, reads what has come.
    pub fn advance(&mut self) -> Option<Ready> {
        if self.connection.is_none() && Instant::now() >= self.next_attempt {
            self.connect();
        }
        self.read()
    }

    fn connect(&mut self) {
        for address in self.addresses {
            let Ok(mut stream) = TcpStream::connect_timeout(&address, CONNECT_LIMIT) else {
                continue;
            };
            self.accepted.get_or_insert_with(Instant::now);
            let sent = stream
                .set_nonblocking(true)
                .and_then(|()| stream.write_all(&self.request));
            if sent.is_ok() {
                self.connection = Some(Connection {
                    stream,
                    address,
                    answer: Vec::new(),
                });
                return;
            }
        }
        let passed = self.spawned.elapsed();
        self.next_attempt = Instant::now() + (passed / 512).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    }

    fn read(&mut self) -> Option<Ready> {
        let connection = self.connection.as_mut()?;
        let mut buffer = [0; 512];
        let seen = match connection.stream.read(&mut buffer) {
            Ok(0) => Some("it closed the connection without an answer".to_owned()),
            Ok(count) => {
                let at = Instant::now();
                connection.answer.extend_from_slice(&buffer[..count]);
                match status(&connection.answer) {
                    Status::Incomplete => return None,
                    Status::Is(status) if status == self.expected => {
                        return Some(Ready {
                            at,
                            address: connection.address,
                        });
                    }
                    Status::Is(status) => Some(format!(
                        "it answered with status {status} instead of {}",
                        self.expected
                    )),
                    Status::NotHttp => Some("what it answered is not HTTP".to_owned()),
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return None;
            }
            Err(error) => Some(format!("the connection broke: {error}")),
        };
        self.last = seen;
        self.connection = None;
        self.next_attempt = Instant::now() + RETRY_PAUSE;
        None
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Status {
    Incomplete,
    Is(u16),
    NotHttp,
}

/// The status of an answer's first line (RFC 9112, section 4).
fn status(answer: &[u8]) -> Status {
    let Some(end) = answer.iter().position(|&byte| byte == b'\n') else {
        return if answer.len() > STATUS_LINE_LIMIT {
            Status::NotHttp
        } else {
            Status::Incomplete
        };
    };
    std::str::from_utf8(&answer[..end])
        .ok()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|rest| rest.split_whitespace().nth(1))
        .and_then(|code| code.parse().ok())
        .map_or(Status::NotHttp, Status::Is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n"), Status::Is(200));
        assert_eq!(status(b"HTTP/1.0 503\r\n"), Status::Is(503));
        assert_eq!(status(b"HTTP/1.1 20"), Status::Incomplete);
        assert_eq!(status(b"SSH-2.0-x\r\n"), Status::NotHttp);
        assert_eq!(status(&[b'x'; 2000]), Status::NotHttp);
    }
}
