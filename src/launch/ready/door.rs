//! A port on which nobody may listen yet.
//!
//! Connecting fails at once while nobody listens, so it is tried again and again, at intervals
//! that grow with the time passed: the port is found open late by a 128th of what is measured at
//! the most, or by 0.4 ms where that is more. Long before the same server is usually open it is
//! tried less often, as attempts take CPU time from the app.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use crate::launch::Failure;
use crate::launch::family::holds_socket;
use crate::launch::ports::{is_taken, listening_on, loopback};
use crate::launch::spawn::Child;

const SHORTEST_PAUSE: Duration = Duration::from_micros(400);
/// A pause's part of the time passed.
const PAUSES: u32 = 128;
const LONGEST_PAUSE: Duration = Duration::from_millis(5);
/// Where nobody asks when a server is open.
const UNTIMED_PAUSE: Duration = Duration::from_millis(20);
/// Where the server is not expected, one attempt of so many is made.
const SELDOM: u32 = 16;
/// A full backlog leaves a connection attempt unanswered; it is made again after this long.
const CONNECT_LIMIT: Duration = Duration::from_millis(5);

/// How closely a server that starts is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// As soon as it is open. There may have been others like it.
    Timed(Option<Precedent>),
    /// Nobody asks when.
    Untimed,
}

/// How a server was found before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precedent {
    /// Where the last one answered.
    address: IpAddr,
    accepted: Accepted,
}

/// The time from a spawn to the first accepted connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepted {
    /// Of the timed launches, the shortest and the second shortest.
    Timed {
        shortest: Duration,
        second: Option<Duration>,
    },
    /// Of a launch that was slowed down by what it was launched for, and not looked for closely.
    Untimed(Duration),
}

impl Accepted {
    fn after(self, before: Self) -> Self {
        match (before, self) {
            (
                Self::Timed { shortest, second },
                Self::Timed {
                    shortest: this,
                    second: _,
                },
            ) => {
                let longer = shortest.max(this);
                Self::Timed {
                    shortest: shortest.min(this),
                    second: Some(second.map_or(longer, |second| second.min(longer))),
                }
            }
            (Self::Timed { .. }, Self::Untimed(_)) => before,
            (Self::Untimed(_), _) => self,
        }
    }
}

impl Precedent {
    /// With what was known before it.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        let accepted = before.map_or(self.accepted, |before| self.accepted.after(before.accepted));
        Self { accepted, ..self }
    }

    /// So long after the spawn a server may well be open. A single launch that was much faster than
    /// all others, as after a change of the machine's frequency, is no rule.
    fn expected(&self) -> Duration {
        match self.accepted {
            Accepted::Timed { shortest, second } => second.unwrap_or(shortest) * 19 / 20,
            // A hook may double the time of a start.
            Accepted::Untimed(passed) => passed / 2,
        }
    }
}

/// A port of the loopback interface, in both families.
#[derive(Debug)]
pub struct Door {
    /// The first is where the app is expected.
    knockers: [Knocker; 2],
    /// How often it is tried to connect to each.
    turns: [u32; 2],
    /// So long after the spawn the app is expected; never, if nobody asks when.
    expected: Option<Duration>,
    attempts: u32,
    pub next_attempt: Instant,
    /// When a connection was first accepted.
    pub accepted: Option<Instant>,
}

impl Door {
    /// A port that is to be the launch's. The app is expected where and when servers were found
    /// before, and else looked for seldom.
    ///
    /// # Errors
    /// When somebody listens there already.
    pub fn new(port: u16, search: Search) -> Result<Self, Failure> {
        if is_taken(port) {
            return Err(Failure::PortTaken { port });
        }
        let (usual, expected) = match search {
            Search::Timed(Some(found)) => (Some(found.address), Some(found.expected())),
            Search::Timed(None) => (None, Some(Duration::ZERO)),
            Search::Untimed => (None, None),
        };
        let mut addresses = loopback(port);
        addresses.sort_by_key(|address| Some(address.ip()) != usual);
        Ok(Self {
            knockers: addresses.map(Knocker::new),
            turns: [1, usual.map_or(1, |_| SELDOM)],
            expected,
            attempts: 0,
            next_attempt: Instant::now(),
            accepted: None,
        })
    }

    /// For the next launch of the same server, now that one answered here.
    pub fn precedent(&self, address: SocketAddr, spawned: Instant) -> Option<Precedent> {
        let passed = self.accepted? - spawned;
        let accepted = match self.expected {
            Some(_) => Accepted::Timed {
                shortest: passed,
                second: None,
            },
            None => Accepted::Untimed(passed),
        };
        Some(Precedent {
            address: address.ip(),
            accepted,
        })
    }

    /// Its number.
    pub fn port(&self) -> u16 {
        self.knockers[0].address.port()
    }

    /// Connects if it is time to.
    pub fn knock(&mut self, spawned: Instant) -> Option<(TcpStream, SocketAddr)> {
        if Instant::now() < self.next_attempt {
            return None;
        }
        self.attempts = self.attempts.wrapping_add(1);
        let turns = self.knockers.iter_mut().zip(self.turns);
        let in_turn = turns.filter(|(_, turn)| self.attempts.is_multiple_of(*turn));
        for (knocker, _) in in_turn {
            if let Some(stream) = knocker.knock() {
                if is_own(&stream) {
                    continue;
                }
                self.accepted.get_or_insert_with(Instant::now);
                return Some((stream, knocker.address));
            }
        }
        self.next_attempt = Instant::now() + self.pause(spawned.elapsed());
        None
    }

    /// Between two attempts, so long after the spawn.
    fn pause(&self, passed: Duration) -> Duration {
        let Some(expected) = self.expected else {
            return UNTIMED_PAUSE;
        };
        match expected.checked_sub(passed) {
            // One that is open a little earlier than expected is found a little late.
            Some(left) => (left / 2).max(SHORTEST_PAUSE),
            None => (passed / PAUSES).clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
        }
    }

    /// Is it one of the launch's processes that listens where this connection went?
    ///
    /// # Errors
    /// [`Failure::ForeignListener`].
    pub fn confirm(&self, address: Option<SocketAddr>, child: &Child) -> Result<(), Failure> {
        match address {
            Some(address) if !holds_socket(child.pid, &listening_on(address.port())) => {
                Err(Failure::ForeignListener { address })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Attempts to connect to one address, hundreds of them for a slow server. A refused socket is kept for
/// the next attempt, which Linux allows: so an attempt is one system call, and not the seven of
/// [`TcpStream::connect_timeout`].
#[derive(Debug)]
struct Knocker {
    address: SocketAddr,
    socket: Option<OwnedFd>,
}

impl Knocker {
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            socket: None,
        }
    }

    fn knock(&mut self) -> Option<TcpStream> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => self.open().ok()?,
        };
        match connect(socket.as_raw_fd(), &SockaddrStorage::from(self.address)) {
            Ok(()) => Some(TcpStream::from(socket)),
            Err(Errno::ECONNREFUSED) => {
                self.socket = Some(socket);
                None
            }
            // The limit is over, and the attempt still goes on: this socket is of no more use.
            Err(_) => None,
        }
    }

    /// A socket whose connect(2) blocks no longer than the limit (socket(7), `SO_SNDTIMEO`).
    fn open(&self) -> nix::Result<OwnedFd> {
        let family = match self.address {
            SocketAddr::V4(_) => AddressFamily::Inet,
            SocketAddr::V6(_) => AddressFamily::Inet6,
        };
        let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        let limit = TimeVal::new(0, CONNECT_LIMIT.subsec_micros().into());
        setsockopt(&socket, sockopt::SendTimeout, &limit)?;
        Ok(socket)
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
    use std::net::{Ipv4Addr, TcpListener};

    use nix::sys::socket::{SockaddrIn, bind, getsockname};

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

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(!is_own(&stream));
    }

    /// An app that changes its address is found all the same, whatever it did before.
    #[test]
    fn a_server_is_found_where_it_is_not_expected() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let elsewhere = timed("::1", Duration::from_secs(1));
        let mut door = Door::new(address.port(), Search::Timed(Some(elsewhere))).unwrap();
        let spawned = Instant::now();
        assert!(door.knock(spawned).is_none());
        let listener = TcpListener::bind(address).unwrap();
        let found = (0..SELDOM).find_map(|_| {
            door.next_attempt = Instant::now();
            door.knock(spawned)
        });
        assert_eq!(found.unwrap().1, address);
        drop(listener);
    }

    fn timed(address: &str, passed: Duration) -> Precedent {
        Precedent {
            address: address.parse().unwrap(),
            accepted: Accepted::Timed {
                shortest: passed,
                second: None,
            },
        }
    }

    fn pick(search: Search) -> Door {
        Door::new(crate::launch::ports::pick().unwrap(), search).unwrap()
    }

    #[test]
    fn a_server_is_expected_as_early_as_all_but_one_were() {
        let ms = Duration::from_millis;
        let address = "127.0.0.1";
        let found = |all: &[u64]| {
            let launches = all.iter().map(|&after| timed(address, ms(after)));
            let last = launches.fold(None, |before, this| Some(this.after(before)));
            last.unwrap()
        };
        assert_eq!(found(&[100]).expected(), ms(95));
        assert_eq!(found(&[100, 120]).expected(), ms(114));
        assert_eq!(found(&[120, 60, 100, 110]).expected(), ms(95));
        assert_eq!(found(&[120, 60, 100, 80]).expected(), ms(76));
        // Without what slowed it down it may be open a good deal earlier.
        let untimed = Precedent {
            accepted: Accepted::Untimed(ms(100)),
            ..found(&[1])
        };
        assert_eq!(untimed.after(None).expected(), ms(50));
        assert_eq!(found(&[80]).after(Some(untimed)), found(&[80]));
        assert_eq!(untimed.after(Some(found(&[80, 90]))), found(&[80, 90]));
    }

    #[test]
    fn a_server_is_asked_for_often_from_when_it_may_be_open() {
        let ms = Duration::from_millis;
        let known = pick(Search::Timed(Some(timed("127.0.0.1", ms(100)))));
        assert_eq!(known.pause(ms(15)), ms(40));
        assert_eq!(known.pause(ms(55)), ms(20));
        assert_eq!(known.pause(ms(95)), SHORTEST_PAUSE);
        assert_eq!(known.pause(ms(128)), ms(1));
        assert_eq!(known.pause(ms(9_000)), LONGEST_PAUSE);
        assert_eq!(pick(Search::Timed(None)).pause(ms(10)), SHORTEST_PAUSE);
        assert_eq!(pick(Search::Untimed).pause(ms(9_000)), UNTIMED_PAUSE);
    }

    /// What a launch says of the next one knows whether it was timed.
    #[test]
    fn a_precedent_is_of_a_timed_launch_or_not() {
        let second = Duration::from_secs(1);
        let spawned = Instant::now();
        let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let expected = timed("127.0.0.1", second);
        let slowed = Precedent {
            accepted: Accepted::Untimed(second),
            ..expected
        };
        for (search, precedent) in [(Search::Timed(None), expected), (Search::Untimed, slowed)] {
            let mut door = pick(search);
            assert_eq!(door.precedent(address, spawned), None);
            door.accepted = Some(spawned + second);
            assert_eq!(door.precedent(address, spawned), Some(precedent));
        }
    }

    /// Refused, and refused again, a knocker still comes in once somebody listens.
    #[test]
    fn a_refused_socket_connects_later() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // A machine may have no IPv6.
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let address = listener.local_addr().unwrap();
            drop(listener);
            let mut knocker = Knocker::new(address);
            assert!(knocker.knock().is_none());
            assert!(knocker.socket.is_some(), "a refused socket is kept");
            assert!(knocker.knock().is_none());
            let listener = TcpListener::bind(address).unwrap();
            let stream = knocker.knock().expect("somebody listens");
            assert!(!is_own(&stream));
            assert_eq!(stream.peer_addr().unwrap(), address);
            drop(listener);
        }
    }

    /// A backlog that is full leaves attempts without an answer: they end at the limit, and the
    /// socket is not used again.
    #[test]
    fn an_attempt_without_an_answer_ends() {
        let listener = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
        .unwrap();
        let any = SockaddrIn::from(std::net::SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        bind(listener.as_raw_fd(), &any).unwrap();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
        let address: SockaddrIn = getsockname(listener.as_raw_fd()).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()));
        let mut knocker = Knocker::new(address);
        let mut accepted = Vec::new();
        while let Some(stream) = knocker.knock() {
            accepted.push(stream);
            assert!(accepted.len() < 100, "the backlog is never full");
        }
        assert!(knocker.socket.is_none(), "it is still connecting");
    }
}
