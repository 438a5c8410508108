//! `Memory`: what the guard holds, each second, and how that grows.

use std::fmt;
use std::fs;

use crate::Fault;

/// The guard's warming up is the first of so many equal parts of the samples.
const PARTS: usize = 4;

/// So few samples say nothing of growth.
const SAMPLES_MIN: usize = 40;

/// Resident memory in KiB and open files, once a second.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    resident: Vec<i64>,
    files_most: usize,
}

impl Memory {
    /// Looks at a process.
    pub(crate) fn sample(&mut self, id: u32) -> Result<(), Fault> {
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .ok_or("the system does not tell the guard's memory")?;
        self.resident.push(resident.parse()?);
        let files = fs::read_dir(format!("/proc/{id}/fd"))?.count();
        self.files_most = self.files_most.max(files);
        Ok(())
    }

    /// KiB a minute by least squares, after the guard is warm; nothing where there is too little to say it.
    pub(crate) fn slope(&self) -> Option<i64> {
        self.slope_without(1)
    }

    /// The same without the first parts of the samples. What warms up grows ever less, what leaks as before.
    fn slope_without(&self, parts: usize) -> Option<i64> {
        let from = self.resident.len() * parts / PARTS;
        let warm = self.resident.get(from..).unwrap_or_default();
        if warm.len() < SAMPLES_MIN {
            return None;
        }
        // Twice the distance from the middle, so that it is whole.
        let count = i64::try_from(warm.len()).ok()?;
        let places = (0..count).map(|place| 2 * place + 1 - count);
        let (mut above, mut below) = (0_i64, 0_i64);
        for (place, resident) in places.zip(warm) {
            above += place * resident;
            below += place * place;
        }
        // With doubled places the slope comes out halved, and a sample is a second.
        (above * 2 * 60).checked_div(below)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.resident.first().copied().unwrap_or_default();
        let last = self.resident.last().copied().unwrap_or_default();
        let most = self.resident.iter().max().copied().unwrap_or_default();
        write!(
            f,
            "memory: {first} KiB at first, {last} at last, {most} at most; "
        )?;
        for (parts, when) in [(1, "after the first quarter"), (PARTS - 1, "in the last")] {
            match self.slope_without(parts) {
                Some(slope) => write!(f, "{slope} KiB a minute {when}; ")?,
                None => write!(f, "too few samples for a slope {when}; ")?,
            }
        }
        write!(f, "{} open files at most", self.files_most)
    }
}
