//! `Round` and `Ratio`: what was measured, and what comes of it.

use std::fmt;

/// One side in one round.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Round {
    /// Which.
    pub(crate) side: &'static str,
    /// How many requests were answered.
    pub(crate) requests: u64,
    /// How many of the answers were not as expected.
    pub(crate) wrong: u64,
    /// The first of these.
    pub(crate) first_wrong: String,
    /// What all of the server's processes needed, in nanoseconds.
    pub(crate) cpu_ns: u64,
    /// How long it took, in nanoseconds.
    pub(crate) wall_ns: u64,
}

/// A case beside nginx, over all rounds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ratio {
    case: &'static str,
    microseconds: [f64; 2],
    ratios: Vec<f64>,
}

impl Round {
    /// Processor time of a request, in microseconds.
    pub(crate) fn microseconds(&self) -> f64 {
        as_f64(self.cpu_ns) / 1e3 / as_f64(self.requests.max(1))
    }

    /// A line.
    pub(crate) fn json(&self, round: u32) -> String {
        let wall = as_f64(self.wall_ns).max(1.0);
        format!(
            r#"{{"round":{round},"side":"{}","requests":{},"wrong":{},"us_per_request":{:.2},"requests_per_s":{:.0},"cores":{:.2}}}"#,
            self.side,
            self.requests,
            self.wrong,
            self.microseconds(),
            as_f64(self.requests) / wall * 1e9,
            as_f64(self.cpu_ns) / wall,
        )
    }
}

/// The case of this place beside the first side; nothing where there is no round.
pub(crate) fn ratios(rounds: &[Vec<Round>], place: usize) -> Option<Ratio> {
    let pairs: Vec<(&Round, &Round)> = rounds
        .iter()
        .filter_map(|round| Some((round.first()?, round.get(place)?)))
        .collect();
    let (_, first) = pairs.first()?;
    let of = |times: Vec<f64>| median(&times);
    Some(Ratio {
        case: first.side,
        microseconds: [
            of(pairs
                .iter()
                .map(|(nginx, _)| nginx.microseconds())
                .collect()),
            of(pairs.iter().map(|(_, case)| case.microseconds()).collect()),
        ],
        ratios: pairs
            .iter()
            .map(|(nginx, case)| case.microseconds() / nginx.microseconds())
            .collect(),
    })
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.ratios.iter().copied().fold(0.0, f64::max);
        let [nginx, case] = self.microseconds;
        write!(
            f,
            r#"{{"case":"{}","rounds":{},"ratio":{:.3},"least":{least:.3},"most":{most:.3},"us_per_request":{case:.2},"us_per_request_nginx_lua":{nginx:.2}}}"#,
            self.case,
            self.ratios.len(),
            median(&self.ratios),
        )
    }
}

/// The one in the middle; of two, the mean. Zero of none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 || sorted.is_empty() {
        at(middle)
    } else {
        f64::midpoint(at(middle - 1), at(middle))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what is measured has far fewer than 53 bits that mean something"
)]
const fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(side: &'static str, requests: u64, cpu_ns: u64) -> Round {
        Round {
            side,
            requests,
            wrong: 0,
            first_wrong: String::new(),
            cpu_ns,
            wall_ns: 1_000_000_000,
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in [
            (&[][..], 0.0),
            (&[3.0], 3.0),
            (&[3.0, 1.0], 2.0),
            (&[9.0, 1.0, 2.0], 2.0),
            (&[4.0, 1.0, 9.0, 2.0], 3.0),
        ] {
            assert!((median(values) - expected).abs() < 1e-9, "{values:?}");
        }
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let rounds = [
            vec![
                round("lua", 1_000, 20_000_000),
                round("a", 1_000, 10_000_000),
            ],
            vec![
                round("lua", 1_000, 40_000_000),
                round("a", 1_000, 30_000_000),
            ],
            vec![
                round("lua", 1_000, 10_000_000),
                round("a", 2_000, 20_000_000),
            ],
        ];
        let told = ratios(&rounds, 1).unwrap().to_string();
        assert_eq!(
            told,
            r#"{"case":"a","rounds":3,"ratio":0.750,"least":0.500,"most":1.000,"us_per_request":10.00,"us_per_request_nginx_lua":20.00}"#
        );
        assert_eq!(ratios(&rounds, 2), None);
        assert_eq!(ratios(&[], 1), None);
    }

    #[test]
    fn a_round_is_a_line() {
        assert_eq!(
            round("lua", 50_000, 900_000_000).json(2),
            r#"{"round":2,"side":"lua","requests":50000,"wrong":0,"us_per_request":18.00,"requests_per_s":50000,"cores":0.90}"#
        );
        // No answer at all is no division by zero.
        assert!(round("lua", 0, 5).json(1).contains("\"requests\":0"));
    }
}
