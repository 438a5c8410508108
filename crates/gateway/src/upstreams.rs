//! `Upstreams`: where the application listens, which of its instances are well, and whose turn it is.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use tokio::net::TcpStream;

use portcullis_policy::{Host, Upstream};

/// All instances of the application.
#[derive(Debug)]
pub struct Upstreams {
    all: Vec<Instance>,
    turn: AtomicUsize,
}

/// One instance.
#[derive(Debug)]
pub struct Instance {
    /// Where it listens.
    pub address: Upstream,
    is_well: AtomicBool,
    /// Checks in a row that ended otherwise than what `is_well` says.
    streak: AtomicU32,
}

impl Upstreams {
    /// Instances that are taken to be well until something else is seen.
    #[must_use]
    pub fn new(addresses: &[Upstream]) -> Self {
        let instance = |address: &Upstream| Instance {
            address: address.clone(),
            is_well: AtomicBool::new(true),
            streak: AtomicU32::new(0),
        };
        Self {
            all: addresses.iter().map(instance).collect(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The instances, in the order of the policy.
    #[must_use]
    pub fn all(&self) -> &[Instance] {
        &self.all
    }

    /// The instances to try for one request, each once: those that are well, beginning with the one whose turn it is,
    /// then the others. One that is down is still tried where nothing else is left: that it is down is a guess, and a
    /// connection that fails costs what a refusal costs.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = (usize, &Instance)> {
        let count = self.all.len();
        let first = match count {
            0 | 1 => 0,
            _ => self.turn.fetch_add(1, Ordering::Relaxed) % count,
        };
        let turn = move |step: usize| (first + step) % count.max(1);
        let of = move |well: bool| {
            (0..count)
                .map(turn)
                .filter_map(|number| Some((number, self.all.get(number)?)))
                .filter(move |(_, instance)| instance.is_well() == well)
        };
        of(true).chain(of(false))
    }

    /// How many are well.
    #[must_use]
    pub fn well(&self) -> usize {
        self.all
            .iter()
            .filter(|instance| instance.is_well())
            .count()
    }
}

impl Instance {
    /// Opens a connection to it. A name is looked up each time: it may lead elsewhere after a deploy.
    pub(crate) async fn open(&self) -> io::Result<TcpStream> {
        let port = self.address.port;
        let stream = match &self.address.host {
            Host::Ip(address) => TcpStream::connect((*address, port)).await?,
            Host::Name(name) => TcpStream::connect((name.as_str(), port)).await?,
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Whether it is well, as far as is known.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.is_well.load(Ordering::Relaxed)
    }

    /// Notes how a check or a connection ended. It changes sides after so many in a row. Returns whether it did.
    pub fn saw(&self, passed: bool, fails: u32, passes: u32) -> bool {
        if self.is_well() == passed {
            self.streak.store(0, Ordering::Relaxed);
            return false;
        }
        let streak = self.streak.fetch_add(1, Ordering::Relaxed) + 1;
        let needed = if passed { passes } else { fails };
        if streak < needed {
            return false;
        }
        self.streak.store(0, Ordering::Relaxed);
        self.is_well.swap(passed, Ordering::Relaxed) != passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Upstreams {
        let address = |port| format!("http://127.0.0.1:{port}").parse().unwrap();
        Upstreams::new(&[address(1), address(2), address(3)])
    }

    #[test]
    fn each_has_its_turn_and_the_ill_come_last() {
        let upstreams = three();
        let order = || -> Vec<usize> { upstreams.candidates().map(|(number, _)| number).collect() };
        assert_eq!(order(), [0, 1, 2]);
        assert_eq!(order(), [1, 2, 0]);
        assert!(upstreams.all()[2].saw(false, 1, 1));
        assert_eq!(order(), [0, 1, 2]);
        assert_eq!(order(), [0, 1, 2]);
        assert_eq!(order(), [1, 0, 2]);
    }

    #[test]
    fn one_bad_check_is_no_illness() {
        let upstreams = three();
        let instance = &upstreams.all()[0];
        assert!(!instance.saw(false, 3, 2) && !instance.saw(false, 3, 2));
        assert!(!instance.saw(true, 3, 2) && !instance.saw(false, 3, 2));
        assert!(!instance.saw(false, 3, 2) && instance.saw(false, 3, 2));
        assert!(!instance.is_well());
        assert!(!instance.saw(true, 3, 2) && instance.saw(true, 3, 2));
        assert_eq!(upstreams.well(), 3);
    }

    #[test]
    fn no_instance_is_nothing_to_try() {
        assert_eq!(Upstreams::new(&[]).candidates().count(), 0);
    }
}
