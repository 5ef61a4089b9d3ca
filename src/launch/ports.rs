//! Free ports, and who listens on one.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use super::listening::listeners;

/// The loopback addresses a server on this machine may listen on, the usual one first.
pub fn loopback(port: u16) -> [SocketAddr; 2] {
    [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ]
}

/// A port that nobody listens on. Another program may take it before the app does; the launch
/// notices by looking at who answers.
///
/// # Errors
/// When the kernel has none to give.
pub fn pick() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Does somebody listen on this port already?
pub fn is_taken(port: u16) -> bool {
    !listening_on(port).is_empty()
}

/// The inodes of the sockets that listen on this port, in either family.
pub fn listening_on(port: u16) -> Vec<u64> {
    listeners()
        .into_iter()
        .filter(|listener| listener.port == port)
        .map(|listener| listener.inode)
        .collect()
}
