//! What a run that lasts tells its operator: lines on standard error, from a thread of its own.
//!
//! Nobody who serves waits for standard error: where it is a pipe that nobody reads, a write never ends.

use std::io::{Write as _, stderr};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that wait to be written. What comes when they are full is dropped: it would say the same as those before.
const WAITING_MAX: usize = 256;

/// How long the end waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(1);

enum Word {
    Line(String),
    /// Everything before it has been written.
    Done(SyncSender<()>),
}

static VOICE: OnceLock<SyncSender<Word>> = OnceLock::new();

/// Says a line, and waits for nothing.
pub(crate) fn say(words: &str) {
    let line = portcullis_report::harmless(words);
    // A queue that is full has enough to say.
    drop(voice().try_send(Word::Line(format!("portcullis: {line}\n"))));
}

/// Waits until all lines are written, but not for long.
pub(crate) fn finish() {
    let (done, is_done) = sync_channel(1);
    if voice().try_send(Word::Done(done)).is_err() {
        return;
    }
    match is_done.recv_timeout(PATIENCE) {
        // Who reads nothing has read enough.
        Ok(()) | Err(_) => {}
    }
}

fn voice() -> &'static SyncSender<Word> {
    VOICE.get_or_init(|| {
        let (voice, words) = sync_channel(WAITING_MAX);
        let speaking = std::thread::Builder::new()
            .name("portcullis-says".to_owned())
            .spawn(move || speak(&words));
        // Without the thread every line is dropped, and the guard works all the same.
        drop(speaking);
        voice
    })
}

fn speak(words: &Receiver<Word>) {
    for word in words {
        match word {
            Word::Line(line) => {
                // With standard error closed nobody listens.
                drop(stderr().write_all(line.as_bytes()));
            }
            Word::Done(done) => drop(done.try_send(())),
        }
    }
}
