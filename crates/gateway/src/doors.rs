//! `Doors`: which worker serves a new connection: the one with the fewest.
//!
//! All workers accept from one listener, and who is awake first would take most. A worker with few connections then wakes up
//! for every single one of their events, and one with many keeps its clients waiting.

use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::connections::Place;

/// Connections on their way from one worker to another. Where there are more, who accepted one serves it.
const HANDED_MAX: usize = 256;

/// The workers, as those who accept see them.
#[derive(Debug)]
pub(crate) struct Doors {
    all: Vec<Door>,
}

#[derive(Debug)]
struct Door {
    connections: AtomicUsize,
    way: Sender<Handed>,
}

/// A connection that one worker accepted and another one serves.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) client: TcpStream,
    pub(crate) peer: IpAddr,
    pub(crate) place: Place,
    pub(crate) seat: Seat,
}

/// Counts a connection at its worker, as long as it lives.
#[derive(Debug)]
pub(crate) struct Seat {
    doors: Arc<Doors>,
    number: usize,
}

impl Doors {
    /// So many workers, and what each of them is handed.
    pub(crate) fn new(workers: usize) -> (Arc<Self>, Vec<Receiver<Handed>>) {
        let (all, handed) = (0..workers)
            .map(|_| {
                let (way, handed) = channel(HANDED_MAX);
                let connections = AtomicUsize::new(0);
                (Door { connections, way }, handed)
            })
            .unzip();
        (Arc::new(Self { all }), handed)
    }

    /// A seat at the worker that has the fewest connections; at `own`, where no other has fewer.
    pub(crate) fn seat(self: &Arc<Self>, own: usize) -> Seat {
        let count = |number: usize| {
            let door = self.all.get(number);
            door.map_or(usize::MAX, |door| door.connections.load(Ordering::Relaxed))
        };
        let fewest = (0..self.all.len()).min_by_key(|number| (count(*number), *number != own));
        self.seat_at(fewest.unwrap_or(own))
    }

    /// A seat at this worker, whoever has fewer.
    pub(crate) fn seat_at(self: &Arc<Self>, number: usize) -> Seat {
        if let Some(door) = self.all.get(number) {
            door.connections.fetch_add(1, Ordering::Relaxed);
        }
        Seat {
            doors: Arc::clone(self),
            number,
        }
    }

    /// Hands a connection to the worker at whom it has its seat.
    ///
    /// # Errors
    ///
    /// The connection, where that worker takes no more.
    pub(crate) fn hand(&self, handed: Handed) -> Result<(), Box<Handed>> {
        match self.all.get(handed.seat.number) {
            Some(door) => door
                .way
                .try_send(handed)
                .map_err(|refused| Box::new(refused.into_inner())),
            None => Err(Box::new(handed)),
        }
    }
}

impl Seat {
    /// At which worker.
    pub(crate) const fn number(&self) -> usize {
        self.number
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(door) = self.doors.all.get(self.number) {
            door.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_come_first_and_ones_own_before_others() {
        let (doors, _handed) = Doors::new(3);
        let seats: Vec<Seat> = (0..6).map(|_| doors.seat(1)).collect();
        let numbers: Vec<usize> = seats.iter().map(Seat::number).collect();
        assert_eq!(numbers, [1, 0, 2, 1, 0, 2]);
        drop(seats);
        assert_eq!(doors.seat(2).number(), 2);
        assert!(
            doors
                .all
                .iter()
                .all(|door| door.connections.load(Ordering::Relaxed) == 0)
        );
    }
}
