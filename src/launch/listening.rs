//! Which sockets listen, asked of the kernel.
//!
//! By sock_diag(7), for which the kernel walks the listening sockets alone. /proc/net/tcp says the
//! same, and is asked where sock_diag is not to be had (a kernel without `tcp_diag`, a seccomp
//! filter); for that the kernel walks its whole table of connections, however few there are, which
//! takes it milliseconds.

use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use procfs::net::TcpState;

/// A TCP socket that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    pub port: u16,
    /// As in the links of /proc/PID/fd.
    pub inode: u64,
}

/// All listening sockets of this network namespace, in either family.
pub fn listeners() -> Vec<Listener> {
    by_sock_diag().unwrap_or_else(|_| by_proc())
}

fn by_sock_diag() -> io::Result<Vec<Listener>> {
    let socket = Socket::new(NETLINK_SOCK_DIAG)?;
    // Port 0 is the kernel itself (netlink(7)).
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut found = Vec::new();
    for (family, any) in [
        (AF_INET, SocketId::new_v4()),
        (AF_INET6, SocketId::new_v6()),
    ] {
        ask(&socket, family, any)?;
        take(&socket, &mut found)?;
    }
    Ok(found)
}

fn ask(socket: &Socket, family: u8, any: SocketId) -> io::Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::LISTEN,
        socket_id: any,
    });
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0).map(drop)
}

/// Takes what the kernel answers, up to the message that ends it.
fn take(socket: &Socket, found: &mut Vec<Listener>) -> io::Result<()> {
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            match message.payload {
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                    found.push(Listener {
                        port: response.header.socket_id.source_port,
                        inode: response.header.inode.into(),
                    });
                }
                NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
            // Messages begin at multiples of 4 (netlink(7)); one of no length would never end.
            let length = (message.header.length as usize).next_multiple_of(4).max(4);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

fn by_proc() -> Vec<Listener> {
    let four = procfs::net::tcp().unwrap_or_default();
    let six = procfs::net::tcp6().unwrap_or_default();
    four.into_iter()
        .chain(six)
        .filter(|entry| entry.state == TcpState::Listen)
        .map(|entry| Listener {
            port: entry.local_address.port(),
            inode: entry.inode,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    use super::*;

    fn inode(listener: &TcpListener) -> u64 {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        let link = link.to_str().unwrap();
        link["socket:[".len()..link.len() - 1].parse().unwrap()
    }

    /// Both ways, in both families, see a socket that listens and not one that is only connected.
    #[test]
    fn a_socket_that_listens_is_found_either_way() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // A machine may have no IPv6.
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let own = Listener {
                port: listener.local_addr().unwrap().port(),
                inode: inode(&listener),
            };
            let connection = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let port = connection.local_addr().unwrap().port();
            let mut ways = vec![by_proc()];
            // A kernel may have no sock_diag.
            ways.extend(by_sock_diag());
            for seen in ways {
                assert!(seen.contains(&own), "{own:?} is not in {seen:?}");
                assert!(seen.iter().all(|each| each.port != port), "{seen:?}");
            }
            drop(listener);
            assert!(!listeners().contains(&own));
        }
    }
}
