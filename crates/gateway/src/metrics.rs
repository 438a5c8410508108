//! `Metrics`: what happened, as numbers for the admin listener.
//!
//! Each worker counts for itself, so that counting is no traffic between cores; they are added up when somebody asks.

use std::sync::{Mutex, PoisonError};

use portcullis_guard::reason::Reason;

/// The numbers of one worker.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    numbers: Mutex<Numbers>,
}

/// Numbers, of one worker or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Requests that were permitted.
    pub(crate) admitted: u64,
    /// Requests that the guard answered itself without a refusal.
    pub(crate) own: u64,
    /// Requests that a control would have refused, did it not only watch.
    pub(crate) watched: u64,
    /// Refusals, by their code.
    pub(crate) refused: ByCode,
    /// Answers to clients of permitted requests, by the hundreds of their status.
    pub(crate) answered: [u64; 6],
    /// Exchanges that ended in the middle, by their code.
    pub(crate) broken: ByCode,
    /// Connections that were turned away.
    pub(crate) turned_away: u64,
    /// Connections that could not be accepted.
    pub(crate) accept_failed: u64,
    /// Handshakes of TLS that failed, or were not done in time.
    pub(crate) handshake_failed: u64,
    /// Connections to an upstream that could not be opened.
    pub(crate) connect_failed: u64,
}

/// Numbers by the code of a reason. There are some dozens of codes and mostly a few come: a short list that is looked through is
/// quicker than a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByCode(Vec<(&'static str, u64)>);

impl ByCode {
    fn add(&mut self, code: &'static str, more: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == code) {
            Some((_, number)) => *number += more,
            None => self.0.push((code, more)),
        }
    }

    fn sorted(&self) -> Vec<(&'static str, u64)> {
        let mut rows = self.0.clone();
        rows.sort_unstable();
        rows
    }
}

impl Metrics {
    /// Counts something.
    pub(crate) fn count(&self, what: impl FnOnce(&mut Numbers)) {
        what(&mut self.numbers.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The numbers so far.
    pub(crate) fn numbers(&self) -> Numbers {
        self.numbers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Numbers {
    /// Counts a refusal.
    pub(crate) fn refuse(&mut self, reason: Reason) {
        self.refused.add(reason.code, 1);
    }

    /// Counts an answer.
    pub(crate) fn answer(&mut self, status: u16) {
        let class = usize::from(status / 100);
        if let Some(count) = self.answered.get_mut(class) {
            *count += 1;
        }
    }

    /// Counts an exchange that ended in the middle.
    pub(crate) fn break_off(&mut self, reason: Reason) {
        self.broken.add(reason.code, 1);
    }

    /// Adds another worker's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.admitted += other.admitted;
        self.own += other.own;
        self.watched += other.watched;
        self.turned_away += other.turned_away;
        self.accept_failed += other.accept_failed;
        self.handshake_failed += other.handshake_failed;
        self.connect_failed += other.connect_failed;
        for (sum, more) in self.answered.iter_mut().zip(other.answered) {
            *sum += more;
        }
        for (sums, mores) in [
            (&mut self.refused, &other.refused),
            (&mut self.broken, &other.broken),
        ] {
            for (code, more) in &mores.0 {
                sums.add(code, *more);
            }
        }
    }

    /// The numbers in the text form of Prometheus (exposition format 0.0.4).
    pub(crate) fn to_text(&self, gauges: &[(&str, &str, u64)]) -> String {
        let mut text = String::new();
        let mut one = |kind: &str, name: &str, help: &str, rows: &[(String, u64)]| {
            text += &format!("# HELP portcullis_{name} {help}\n# TYPE portcullis_{name} {kind}\n");
            for (labels, number) in rows {
                text += &format!("portcullis_{name}{labels} {number}\n");
            }
        };
        let alone = |number: u64| [(String::new(), number)];
        let by = |label: &str, rows: &ByCode| -> Vec<(String, u64)> {
            rows.sorted()
                .into_iter()
                .map(|(code, number)| (format!("{{{label}=\"{code}\"}}"), number))
                .collect()
        };
        let classes: Vec<(String, u64)> = (1..=5_usize)
            .filter_map(|class| {
                Some((
                    format!("{{class=\"{class}xx\"}}"),
                    *self.answered.get(class)?,
                ))
            })
            .collect();
        let counter = "counter";
        one(
            counter,
            "admitted_total",
            "Requests that were permitted.",
            &alone(self.admitted),
        );
        one(
            counter,
            "own_total",
            "Requests that the guard answered itself.",
            &alone(self.own),
        );
        one(
            counter,
            "watched_total",
            "Requests that a watching control would have refused.",
            &alone(self.watched),
        );
        one(
            counter,
            "refused_total",
            "Requests that were refused.",
            &by("reason", &self.refused),
        );
        one(
            counter,
            "answered_total",
            "Answers to permitted requests.",
            &classes,
        );
        one(
            counter,
            "broken_total",
            "Exchanges that ended in the middle.",
            &by("reason", &self.broken),
        );
        one(
            counter,
            "turned_away_total",
            "Connections over the bound.",
            &alone(self.turned_away),
        );
        one(
            counter,
            "accept_failed_total",
            "Connections that could not be accepted.",
            &alone(self.accept_failed),
        );
        one(
            counter,
            "handshake_failed_total",
            "Handshakes of TLS that failed.",
            &alone(self.handshake_failed),
        );
        one(
            counter,
            "connect_failed_total",
            "Connections to an upstream that could not be opened.",
            &alone(self.connect_failed),
        );
        for (name, help, number) in gauges {
            one("gauge", name, help, &alone(*number));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_workers_add_up() {
        let (one, two) = (Metrics::default(), Metrics::default());
        for metrics in [&one, &two] {
            metrics.count(|numbers| {
                numbers.admitted += 1;
                numbers.refuse(Reason::RATE_LIMITED);
                numbers.answer(204);
                numbers.answer(999);
            });
        }
        let mut sum = one.numbers();
        sum.add(&two.numbers());
        let text = sum.to_text(&[("connections", "Open connections.", 3)]);
        for line in [
            "portcullis_admitted_total 2",
            "portcullis_refused_total{reason=\"rate_limited\"} 2",
            "portcullis_answered_total{class=\"2xx\"} 2",
            "portcullis_connections 3",
            "# TYPE portcullis_connections gauge",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }
}
