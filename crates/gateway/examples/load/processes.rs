//! `Processes`: a server with all its processes, in a group of its own, and the processor time that they have had.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Fault, now};

/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

const STEP: Duration = Duration::from_millis(10);

/// A server.
pub(crate) struct Processes {
    child: Child,
}

impl Processes {
    /// Starts it in a group of processes of its own. What it says on standard error goes into a file.
    pub(crate) fn start(command: &mut Command, errors: fs::File) -> io::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .process_group(0)
            .spawn()?;
        Ok(Self { child })
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// The processor time that all threads of all its processes have had, in nanoseconds.
    ///
    /// From `schedstat`, since `stat` counts in ticks of ten milliseconds. What a thread had that has ended is not in it: the
    /// servers here start theirs once.
    pub(crate) fn nanoseconds(&self) -> Result<u64, Fault> {
        let mut sum = 0;
        let mut threads = 0;
        for process in numbers("/proc")? {
            // A process may end between two looks.
            let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
                continue;
            };
            if group(&stat) != Some(self.child.id()) {
                continue;
            }
            for thread in numbers(&format!("/proc/{process}/task"))? {
                let path = format!("/proc/{process}/task/{thread}/schedstat");
                sum += first_number(&fs::read_to_string(path)?)?;
                threads += 1;
            }
        }
        if threads == 0 {
            return Err("the server has no thread any more".into());
        }
        Ok(sum)
    }

    /// To the whole group, which begins with this program's child.
    fn signal(&self, signal: &str) -> io::Result<()> {
        let group = format!("-{}", self.child.id());
        Command::new("kill")
            .args([signal, "--", &group])
            .stderr(Stdio::null())
            .status()
            .map(drop)
    }
}

impl Drop for Processes {
    /// Nothing is left running, however the program ends.
    fn drop(&mut self) {
        let begun = now();
        drop(self.signal("-TERM"));
        while matches!(self.child.try_wait(), Ok(None)) {
            if begun.elapsed() > PATIENCE {
                drop(self.signal("-KILL"));
                drop(self.child.wait());
            }
            thread::sleep(STEP);
        }
    }
}

/// The names in a folder that are numbers.
fn numbers(folder: &str) -> io::Result<Vec<u32>> {
    let names =
        fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// The group of a process, of its `stat` (proc_pid_stat(5)): the third word behind its name, which may have blanks and brackets.
fn group(stat: &str) -> Option<u32> {
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(2)?.parse().ok()
}

/// The time on a processor, which is the first of three numbers.
fn first_number(schedstat: &str) -> Result<u64, Fault> {
    let word = schedstat.split_whitespace().next();
    let word = word.ok_or("the kernel counts no time on processors")?;
    Ok(word.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        assert_eq!(group("7 (a) b) (c) S 1 42 42 0 -1"), Some(42));
        assert_eq!(group("7 (a S 1 42"), None);
        assert_eq!(group("7 (a) S 1"), None);
        assert_eq!(first_number("123 4 5\n").unwrap(), 123);
        assert!(first_number("").is_err() && first_number("x 1").is_err());
    }

    #[test]
    fn processor_time_of_a_server_that_works_grows() {
        let folder = tempfile::tempdir().unwrap();
        let errors = fs::File::create(folder.path().join("errors")).unwrap();
        let mut command = Command::new("sh");
        // It begins another process: both are of the group.
        command.args(["-c", "(while :; do :; done) & while :; do :; done"]);
        let server = Processes::start(&mut command, errors).unwrap();
        let mut before = server.nanoseconds().unwrap();
        for _ in 0..3 {
            let begun = now();
            let after = loop {
                let after = server.nanoseconds().unwrap();
                if after > before || begun.elapsed() > PATIENCE {
                    break after;
                }
            };
            assert!(after > before);
            before = after;
        }
    }
}
