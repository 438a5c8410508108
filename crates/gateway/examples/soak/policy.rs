//! `Policies`: two policies that decide alike, and one that is none.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use crate::Fault;

/// The host that is asked for.
pub(crate) const HOST: &str = "shop.example.com";

/// The largest body of an order, in bytes.
pub(crate) const ORDER_BYTES_MAX: usize = 4 * 1024;

/// Writes one policy after the other.
pub(crate) struct Policies {
    file: PathBuf,
    fresh: PathBuf,
    text: String,
    written: u64,
    listen: SocketAddr,
}

impl Policies {
    /// For a guard in front of this application.
    pub(crate) fn new(folder: &Path, application: SocketAddr) -> Result<Self, Fault> {
        // Free now, and free for the guard in a moment: nobody else is told of it.
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let events = folder.join("events.jsonl");
        // The folder of the policy is watched, and must not see every event.
        let policies = folder.join("policy");
        fs::create_dir_all(&policies)?;
        Ok(Self {
            file: policies.join("portcullis.toml"),
            fresh: policies.join("portcullis.toml.new"),
            text: format!(
                "version = 1\nhosts = [\"{HOST}\"]\nupstream = \"http://{application}\"\n\n[proxy]\nlisten = \"{listen}\"\n\n[events]\nto = \"{}\"\nrotate = \"1 MiB\"\nkeep = 2\n{ROUTES}",
                events.display()
            ),
            written: 0,
            listen,
        })
    }

    /// Where the guard will listen.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Puts the next policy in the place of the last, in one step as editors and deployments do.
    pub(crate) fn write_next(&mut self, valid: bool) -> Result<(), Fault> {
        self.written += 1;
        let number = self.written;
        let more = if !valid {
            // A key that does not exist.
            "\n[[route]]\npath = \"/broken\"\nmetods = [\"GET\"]\ntype = \"public_read\"\n"
                .to_owned()
        } else if number.is_multiple_of(2) {
            format!("\n# number {number}\n")
        } else {
            format!(
                "\n# number {number}\n[[route]]\npath = \"/api/extra-{number}/{{id}}\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n"
            )
        };
        fs::write(&self.fresh, format!("{}{more}", self.text))?;
        fs::rename(&self.fresh, &self.file)?;
        Ok(())
    }
}

const ROUTES: &str = r#"
[limits.wide]
rate = "100000000 per 1m"

[limits.day]
rate = "1000000000 per 1d"
by = ["ip", "route"]

[limits.mail]
rate = "100000000 per 1m"
by = ["ip", "body.email"]

[[route]]
path = "/api/items/{id}"
methods = ["GET"]
type = "public_read"
limits = ["wide", "day"]

[[route]]
path = "/pages/{rest...}"
methods = ["GET"]
type = "public_read"

[[route]]
path = "/api/orders"
methods = ["POST"]
type = "public_form"
limits = ["mail"]
body = { max = "4 KiB" }

[[route]]
path = "/api/notes"
methods = ["POST"]
type = "public_form"
limits = ["wide"]
content_types = ["text/plain"]
body = { max = "1 MiB" }

[[except]]
route = "POST /api/orders"
lacks = "csrf"
because = "the soak sends no cookie"
owner = "soak"
until = 2099-12-31

[[except]]
route = "POST /api/notes"
lacks = "csrf"
because = "the soak sends no cookie"
owner = "soak"
until = 2099-12-31
"#;
