//! A wire between guard and application that remembers what the guard says.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The wire. It ends with the test's process.
pub(super) struct Tap {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    pub(super) fn before(application: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            for guard in listener.incoming().flatten() {
                let application = TcpStream::connect(application).unwrap();
                let (one, other) = (guard.try_clone().unwrap(), application.try_clone().unwrap());
                let ear = Arc::clone(&ear);
                std::thread::spawn(move || carry(guard, application, Some(&ear)));
                std::thread::spawn(move || carry(other, one, None));
            }
        });
        Self { address, heard }
    }

    /// The head of the last request that begins so.
    pub(super) fn last(&self, line: &str) -> String {
        let heard = self.heard.lock().unwrap();
        let text = String::from_utf8_lossy(&heard).into_owned();
        let start = text
            .rfind(line)
            .unwrap_or_else(|| panic!("no `{line}` came"));
        let rest = text.get(start..).unwrap();
        rest.split("\r\n\r\n").next().unwrap().to_owned()
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, ear: Option<&Mutex<Vec<u8>>>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap();
        if let Some(ear) = ear {
            ear.lock().unwrap().extend_from_slice(bytes);
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    // The other side may have gone already.
    drop(to.shutdown(Shutdown::Write));
}
