//! `Upstream`: nginx that answers at once, and hands logins to the small application.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::processes::Processes;
use crate::{Fault, now};

/// The content with a word in its place.
macro_rules! content_of {
    ($signed:literal) => {
        concat!(
            r#"{"signed":""#,
            $signed,
            r#"","id":"itm_0001","name":"An item","price":1299,"currency":"EUR","tags":["a","b","c"],"text":""#,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            r#""}"#
        )
    };
}

/// What it answers to who is not told who is calling, and to who is.
const CONTENTS: [&str; 2] = [content_of!("no"), content_of!("yes")];

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(15);

const STEP: Duration = Duration::from_millis(20);

/// What it answers, which says whether it is told who is calling by a signature.
pub(crate) const fn content(is_signed: bool) -> &'static str {
    let [not_signed, signed] = CONTENTS;
    if is_signed { signed } else { not_signed }
}

/// The other side of all that is measured.
pub(crate) struct Upstream {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// It runs as long as this is there.
    _server: Processes,
}

impl Upstream {
    /// Starts it.
    pub(crate) fn start(folder: &Path, application: SocketAddr) -> Result<Self, Fault> {
        let address = free()?;
        let server = nginx(
            &folder.join("upstream"),
            "",
            1,
            &format!(
                "map $http_portcullis_identity $is_signed {{ default yes; \"\" no; }}
server {{ listen {address} backlog=4096; default_type application/json;
location / {{ return 200 '{}'; }}
location = /login {{ proxy_pass http://{application}; }} }}",
                content_of!("$is_signed")
            ),
            address,
        )?;
        Ok(Self {
            address,
            _server: server,
        })
    }
}

/// Starts an nginx of its own folder in the foreground, and waits until it listens.
pub(crate) fn nginx(
    folder: &Path,
    modules: &str,
    workers: u32,
    http: &str,
    address: SocketAddr,
) -> Result<Processes, Fault> {
    fs::create_dir_all(folder)?;
    let place = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {place}/{name};\n"))
        .concat();
    let configuration = format!(
        "{modules}worker_processes {workers}; pid {place}/pid; error_log {place}/errors crit; worker_rlimit_nofile 16384;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s;
{temporary}{http} }}
"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration)?;
    let said = folder.join("said");
    let mut server = Processes::start(
        Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .args(["-g", "daemon off;"]),
        fs::File::create(&said)?,
    )?;
    wait(&mut server, address, &said)?;
    Ok(server)
}

/// Waits until a server listens.
pub(crate) fn wait(server: &mut Processes, address: SocketAddr, said: &Path) -> Result<(), Fault> {
    let begun = now();
    while std::net::TcpStream::connect_timeout(&address, STEP).is_err() {
        if !server.is_running()? || begun.elapsed() > PATIENCE {
            let said = fs::read_to_string(said).unwrap_or_default();
            return Err(format!("a server does not start: {said}").into());
        }
        thread::sleep(STEP);
    }
    Ok(())
}

/// An address that is free now, and for its server in a moment: nobody else is told of it.
pub(crate) fn free() -> Result<SocketAddr, Fault> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
