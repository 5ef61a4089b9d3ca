//! Which coldsnakes are running on this machine.
//!
//! Each binds a socket in the kernel's abstract namespace (unix(7)) whose name holds its process
//! id. That needs no folder that every user may write, and no clean-up: the name is gone with the
//! process, however it ends. Whoever wants to know reads `/proc/net/unix`. Two that start at once
//! see each other, as both bind before they look. What runs in another network namespace, such as
//! most containers, is not seen.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use super::Machine;

/// Begins the names; they stand behind an `@` in `/proc/net/unix`.
const NAME_PREFIX: &str = "coldsnake-run-";

/// While it exists, other coldsnakes see that this one is running.
#[derive(Debug)]
pub struct Presence {
    /// `None` where it could not be had: a measurement does not fail for that.
    _socket: Option<UnixDatagram>,
}

impl Presence {
    /// Lets others see that this process measures.
    pub fn announce() -> Self {
        let name = format!("{NAME_PREFIX}{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name);
        Self {
            _socket: address
                .and_then(|address| UnixDatagram::bind_addr(&address))
                .ok(),
        }
    }
}

impl Machine {
    /// The ids of the other coldsnakes that are running, from the lowest.
    pub fn other_runs(&self) -> Vec<u32> {
        let sockets = self.read("proc/net/unix").unwrap_or_default();
        let mut others: Vec<u32> = sockets
            .lines()
            .filter_map(|line| {
                let name = line.rsplit(' ').next()?.strip_prefix('@')?;
                name.strip_prefix(NAME_PREFIX)?.parse().ok()
            })
            .filter(|pid| *pid != std::process::id())
            .collect();
        others.sort_unstable();
        others.dedup();
        others
    }
}
