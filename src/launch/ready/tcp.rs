//! Connects to a server until it accepts.
//!
//! The kernel accepts on the server's behalf once it has called listen(2); whether the server
//! would answer is not asked.

use std::net::SocketAddr;
use std::time::Instant;

use super::Wait;
use super::door::Door;
use crate::launch::Failure;
use crate::launch::spawn::Child;

/// A connection to be made.
#[derive(Debug)]
pub struct Connection {
    pub door: Door,
    /// Where it was accepted.
    pub address: Option<SocketAddr>,
}

impl Connection {
    /// A connection to this port of the loopback interface.
    pub fn new(door: Door) -> Self {
        Self {
            door,
            address: None,
        }
    }

    /// The time of the next attempt.
    pub fn waits_for(&self) -> Wait<'_> {
        Wait::Until(self.door.next_attempt)
    }

    /// Tries, if it is time to.
    pub fn advance(&mut self, child: &Child) -> Option<Instant> {
        let (_, address) = self.door.knock(child.spawned)?;
        self.address = Some(address);
        self.door.accepted
    }

    /// Is it the launch that listens?
    ///
    /// # Errors
    /// [`Failure::ForeignListener`].
    pub fn confirm(&self, child: &Child) -> Result<(), Failure> {
        self.door.confirm(self.address, child)
    }
}
