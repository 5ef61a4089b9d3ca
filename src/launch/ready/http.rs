//! Asks a server until it answers with the expected status.
//!
//! Once connected, one request waits in the backlog and wakes at readiness: servers that fork
//! accept long before they answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::Wait;
use super::door::Door;
use crate::launch::Failure;
use crate::launch::spawn::Child;

/// An answer that isn't the expected one (503 while starting) is asked for again after this long.
const RETRY_PAUSE: Duration = Duration::from_millis(2);
/// No status line is longer.
const STATUS_LINE_LIMIT: usize = 1024;

/// The request and its state.
#[derive(Debug)]
pub struct Request {
    pub door: Door,
    text: Vec<u8>,
    expected: u16,
    connection: Option<Connection>,
    /// Who gave the expected answer.
    pub answered: Option<SocketAddr>,
    /// What was last seen.
    last: Option<String>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    answer: Vec<u8>,
}

impl Request {
    /// A request for `path` on this port of the loopback interface.
    pub fn new(door: Door, path: &str, expected: u16) -> Self {
        Self {
            text: get(door.port(), path),
            door,
            expected,
            connection: None,
            answered: None,
            last: None,
        }
    }

    /// The connection's answer, or the time of the next attempt.
    pub fn waits_for(&self) -> Wait<'_> {
        match &self.connection {
            Some(connection) => Wait::Readable(connection.stream.as_fd()),
            None => Wait::Until(self.door.next_attempt),
        }
    }

    /// Goes one step on: connects if it is time to, reads what has come.
    pub fn advance(&mut self, child: &Child) -> Option<Instant> {
        if self.connection.is_none()
            && let Some((mut stream, address)) = self.door.knock(child.spawned)
        {
            let sent = stream
                .set_nonblocking(true)
                .and_then(|()| stream.write_all(&self.text));
            if sent.is_ok() {
                self.connection = Some(Connection {
                    stream,
                    address,
                    answer: Vec::new(),
                });
            }
        }
        self.read()
    }

    fn read(&mut self) -> Option<Instant> {
        let connection = self.connection.as_mut()?;
        let mut buffer = [0; 512];
        let seen = match connection.stream.read(&mut buffer) {
            Ok(0) => "it closed the connection without an answer".to_owned(),
            Ok(count) => {
                let at = Instant::now();
                connection.answer.extend_from_slice(&buffer[..count]);
                match status(&connection.answer) {
                    Status::Incomplete => return None,
                    Status::Is(status) if status == self.expected => {
                        self.answered = Some(connection.address);
                        return Some(at);
                    }
                    Status::Is(status) => format!(
                        "it answered with status {status} instead of {}",
                        self.expected
                    ),
                    Status::NotHttp => "what it answered is not HTTP".to_owned(),
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return None;
            }
            Err(error) => format!("the connection broke: {error}"),
        };
        self.last = Some(seen);
        self.connection = None;
        self.door.next_attempt = Instant::now() + RETRY_PAUSE;
        None
    }

    /// Was it the launch that answered?
    pub fn confirm(&self, child: &Child) -> Result<(), Failure> {
        self.door.confirm(self.answered, child)
    }

    /// What was last seen of its answers.
    pub fn last(&self) -> Option<String> {
        self.last.clone().or_else(|| {
            self.door
                .accepted
                .map(|_| "it took the connection, but gave no answer".to_owned())
        })
    }
}

/// A request as it goes over the wire.
pub fn get(port: u16, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: coldsnake\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

/// What can be said of an answer so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Status {
    Incomplete,
    Is(u16),
    NotHttp,
}

/// The status of an answer's first line (RFC 9112, section 4).
pub fn status(answer: &[u8]) -> Status {
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
