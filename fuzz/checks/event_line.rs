//! A line that is an event is written as the same event, in one spelling.

use portcullis_policy::event::SecurityEvent;

pub(crate) fn check(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else {
        return;
    };
    let event = match SecurityEvent::parse(line) {
        Ok(event) => event,
        Err(error) => {
            assert!(!error.message.is_empty() && !error.message.contains(['\n', '\r']));
            return;
        }
    };
    let written = event.to_line().unwrap();
    assert!(!written.contains(['\n', '\r']));
    let again = SecurityEvent::parse(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(again, event);
    assert_eq!(again.to_line().as_ref(), Ok(&written));
}
