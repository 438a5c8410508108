//! `Connections`: how many clients are connected, in all and from each address, and never more than the policy says.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_guard::canon::ClientIp;

/// The connections of all workers.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: u32,
    /// By the address of the peer, IPv6 by /64: the connections of one subscriber.
    by_peer: HashMap<[u8; 17], u32>,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    peer: [u8; 17],
}

impl Connections {
    /// A place for one more, if both bounds leave one.
    pub(crate) fn enter(
        self: &Arc<Self>,
        peer: IpAddr,
        connections_max: u32,
        per_peer_max: u32,
    ) -> Option<Place> {
        let peer = ClientIp::of_peer(peer).bucket().to_bytes();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= connections_max {
            return None;
        }
        let here = open.by_peer.entry(peer).or_default();
        if *here >= per_peer_max {
            return None;
        }
        *here += 1;
        open.all += 1;
        Some(Place {
            connections: Arc::clone(self),
            peer,
        })
    }

    /// How many are open.
    pub(crate) fn count(&self) -> u32 {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let open = &self.connections.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(here) = open.by_peer.get_mut(&self.peer) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                open.by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold_and_places_are_given_back() {
        let connections = Arc::new(Connections::default());
        let peer = |text: &str| text.parse::<IpAddr>().unwrap();
        let enter = |text| connections.enter(peer(text), 3, 2);
        let (first, second) = (enter("192.0.2.1"), enter("192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(enter("192.0.2.1").is_none() && enter("::ffff:192.0.2.1").is_none());
        let third = enter("2001:db8::1");
        assert!(third.is_some() && enter("192.0.2.3").is_none());
        assert_eq!(connections.count(), 3);
        drop((first, second, third));
        assert_eq!(connections.count(), 0);
        assert!(connections.open.lock().unwrap().by_peer.is_empty());
    }
}
