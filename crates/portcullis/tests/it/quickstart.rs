//! What the README promises of a real application from npm: json-server behind the guard.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::folder::Folder;
use crate::portcullis;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn json_server_is_guarded_as_the_readme_shows() {
    let Some(packages) = packages() else {
        return;
    };
    let folder = Folder::with(&[]);
    let (application, port) = start_application(&packages, &folder);
    let (guard, address) = start_guard(&folder, port);

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let paths = readme
        .split_once("for path in ")
        .and_then(|(_, rest)| rest.split_once("; do"))
        .map(|(paths, _)| paths)
        .unwrap();
    let shown: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("HTTP/1.1 "))
        .collect();
    let answered: Vec<String> = paths
        .split_ascii_whitespace()
        .map(|path| {
            ask(
                &address,
                &format!("GET {} HTTP/1.1", path.trim_matches('\'')),
                "",
            )
        })
        .map(|answer| answer.lines().next().unwrap().to_owned())
        .collect();
    assert_eq!(answered, shown);

    let post = |_| {
        let answer = ask(&address, "POST /posts HTTP/1.1", r#"{"title":"new"}"#);
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let posted: Vec<String> = (0..4).map(post).collect();
    assert_eq!(posted, ["201", "201", "201", "429"]);
    let deleted = ask(&address, "DELETE /posts/1 HTTP/1.1", "");
    assert!(deleted.starts_with("HTTP/1.1 405 "), "{deleted}");
    let all = ask(&address, "GET /posts HTTP/1.1", "");
    assert_eq!(
        all.matches("\"title\"").count(),
        4,
        "one, and three that were posted: {all}"
    );
    drop((guard, application));
}

/// Where the packages are; nothing where they are not and need not be.
fn packages() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is told by its runner where the packages are"
    )]
    let (packages, ci) = (std::env::var("PORTCULLIS_TEST_NPM"), std::env::var("CI"));
    if packages.is_err() {
        assert!(
            ci.is_err(),
            "PORTCULLIS_TEST_NPM is not set, and in CI nothing may be skipped"
        );
        let line = "skipped: quickstart: PORTCULLIS_TEST_NPM is not set";
        writeln!(std::io::stderr(), "{line}").unwrap();
    }
    packages.ok().map(PathBuf::from)
}

/// json-server with one post, on a port that was free a moment ago; started again where another took it.
fn start_application(packages: &Path, folder: &Folder) -> (Running, u16) {
    let data = folder.join("db.json");
    let program = packages.join("node_modules/json-server/lib/cli/bin.js");
    for _ in 0..5 {
        std::fs::write(&data, r#"{"posts":[{"id":1,"title":"hello"}]}"#).unwrap();
        let port = free_port();
        let mut application = Running(
            Command::new("node")
                .arg(&program)
                .args([
                    "--quiet",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &port.to_string(),
                ])
                .arg(&data)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        for _ in 0..200 {
            if application.0.try_wait().unwrap().is_some() {
                break;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (application, port);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    panic!("json-server does not start");
}

/// The guard with the policy of the example, which differs in its ports alone.
fn start_guard(folder: &Folder, upstream: u16) -> (Running, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let policy =
        std::fs::read_to_string(root.join("examples/json-server/portcullis.toml")).unwrap();
    let listen = free_port();
    let policy = policy
        .replace("127.0.0.1:3000", &format!("127.0.0.1:{upstream}"))
        .replace(":8080", &format!(":{listen}"))
        .replace("127.0.0.1:8081", "127.0.0.1:0");
    let file = folder.join("portcullis.toml");
    std::fs::write(&file, policy).unwrap();
    let mut guard = portcullis()
        .arg("guard")
        .arg("--policy")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(guard.stderr.take().unwrap()).lines();
    let said = lines.next().unwrap().unwrap();
    assert!(said.contains("guarding http://127.0.0.1"), "{said}");
    // Somebody has to read what it says, or it would wait for room.
    std::thread::spawn(move || lines.for_each(drop));
    (Running(guard), format!("127.0.0.1:{listen}"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// One request on a connection of its own.
fn ask(address: &str, line: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let content = match body {
        "" => String::new(),
        body => format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        ),
    };
    let request = format!("{line}\r\nHost: {address}\r\nConnection: close\r\n{content}\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
