//! A port on which nobody may listen yet.
//!
//! Connecting fails at once while nobody listens, so it is tried again and again, at intervals
//! that grow with the time passed: the port is found open late by a 512th of what is measured at
//! the most, or by 0.2 ms where that is more.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use crate::launch::Failure;
use crate::launch::family::holds_socket;
use crate::launch::ports::{is_taken, listeners, loopback};
use crate::launch::spawn::Child;

const SHORTEST_PAUSE: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);
/// A full backlog leaves a connection attempt unanswered; it is made again after this long.
const CONNECT_LIMIT: Duration = Duration::from_millis(5);

/// A port of the loopback interface, in both families.
#[derive(Debug)]
pub struct Door {
    addresses: [SocketAddr; 2],
    pub next_attempt: Instant,
    /// When a connection was first accepted.
    pub accepted: Option<Instant>,
}

impl Door {
    /// A port that is to be the launch's.
    ///
    /// # Errors
    /// When somebody listens there already.
    pub fn new(port: u16) -> Result<Self, Failure> {
        if is_taken(port) {
            return Err(Failure::PortTaken { port });
        }
        Ok(Self {
            addresses: loopback(port),
            next_attempt: Instant::now(),
            accepted: None,
        })
    }

    /// Connects if it is time to.
    pub fn knock(&mut self, spawned: Instant) -> Option<(TcpStream, SocketAddr)> {
        if Instant::now() < self.next_attempt {
            return None;
        }
        for address in self.addresses {
            if let Ok(stream) = TcpStream::connect_timeout(&address, CONNECT_LIMIT) {
                if is_own(&stream) {
                    continue;
                }
                self.accepted.get_or_insert_with(Instant::now);
                return Some((stream, address));
            }
        }
        let passed = spawned.elapsed();
        self.next_attempt = Instant::now() + (passed / 512).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        None
    }

    /// Is it one of the launch's processes that listens where this connection went?
    ///
    /// # Errors
    /// [`Failure::ForeignListener`].
    pub fn confirm(&self, address: Option<SocketAddr>, child: &Child) -> Result<(), Failure> {
        match address {
            Some(address) if !holds_socket(child.pid, &listeners(address.port())) => {
                Err(Failure::ForeignListener { address })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A connection whose port the kernel chose to be the one that it goes to is connected with itself
/// (RFC 9293, simultaneous open), and nobody listens. It is reset, so that the port is free at
/// once.
fn is_own(stream: &TcpStream) -> bool {
    let own = match (stream.local_addr(), stream.peer_addr()) {
        (Ok(local), Ok(peer)) => local == peer,
        _ => false,
    };
    if own {
        let at_once = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        // Without it the port would stay taken for a minute for apps without SO_REUSEADDR.
        let _ = setsockopt(stream, sockopt::Linger, &at_once);
    }
    own
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, getsockname, socket,
    };

    use super::*;

    #[test]
    fn a_connection_with_itself_is_not_the_apps() {
        let (family, flags) = (AddressFamily::Inet, SockFlag::SOCK_CLOEXEC);
        let socket = socket(family, SockType::Stream, flags, None).unwrap();
        let any = SockaddrIn::from(std::net::SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        bind(socket.as_raw_fd(), &any).unwrap();
        let own: SockaddrIn = getsockname(socket.as_raw_fd()).unwrap();
        connect(socket.as_raw_fd(), &own).unwrap();
        assert!(is_own(&TcpStream::from(socket)));

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(!is_own(&stream));
    }
}
