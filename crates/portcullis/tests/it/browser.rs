//! A real browser before a real application behind `guard dev`: Next.js from npm and Debian's Chromium, which believes the
//! local authority because it was told to. What a person does there is in `browser/pages.test.mjs`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::folder::Folder;
use crate::portcullis;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const CHROMIUM: &str = "/usr/bin/chromium";
const CERTUTIL: &str = "/usr/bin/certutil";

/// Shared by the guard, which would draw one, and the application.
const SECRET: &str = "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab";

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
fn a_person_with_a_browser_gets_on_with_the_guard() {
    let Some(packages) = packages() else {
        return;
    };
    let folder = Folder::with(&[]);
    let site = folder.join("site");
    lay_out(&site, &packages);
    let next = |words: &[&str]| {
        let mut next = Command::new("node");
        next.arg("node_modules/next/dist/bin/next")
            .args(words)
            .current_dir(&site)
            .env("NEXT_TELEMETRY_DISABLED", "1");
        next
    };
    succeed(&mut next(&["build"]));

    let (guarded, listen) = (free_port(), free_port());
    let origin = format!("https://localhost:{guarded}");
    let upstream = format!("http://127.0.0.1:{listen}");
    let log = folder.join("guard.log");
    let guard = Running(
        portcullis()
            .current_dir(&site)
            .args(["guard", "dev", "--listen", &format!("127.0.0.1:{guarded}")])
            .args(["--upstream", &upstream])
            // A browser looks at the certificate by the day that it is.
            .env_remove("PORTCULLIS_TODAY")
            .env("PORTCULLIS_APPLICATION_SECRET", SECRET)
            .stdout(fs::File::create(&log).unwrap())
            .stderr(fs::File::create(folder.join("guard.err")).unwrap())
            .spawn()
            .unwrap(),
    );
    let made = site.join(".portcullis/dev");
    wait_for(guarded, &folder.join("guard.err"));
    let application = Running(
        next(&["start", "--hostname", "127.0.0.1", "--port"])
            .arg(listen.to_string())
            .env("PORTCULLIS_GUARD", &origin)
            .env("PORTCULLIS_ISSUER", &origin)
            .env("PORTCULLIS_AUDIENCE", "notes")
            .env("PORTCULLIS_APPLICATION_SECRET", SECRET)
            .env("NODE_EXTRA_CA_CERTS", made.join("ca.pem"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("application.err")).unwrap())
            .spawn()
            .unwrap(),
    );
    wait_for(listen, &folder.join("application.err"));

    let home = folder.join("home");
    trust(&home, &made.join("ca.pem"));
    let output = Command::new("node")
        .args(["--test", "--test-reporter=tap"])
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/browser/pages.test.mjs"
        ))
        .env("HOME", &home)
        .env("ORIGIN", &origin)
        .env("CHROMIUM", CHROMIUM)
        .env("PORTCULLIS_TEST_NPM", &packages)
        .env("TLS_CERTIFICATE", made.join("localhost.pem"))
        .env("TLS_KEY", made.join("localhost-key.pem"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let told = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    // A runner that finds no test succeeds too.
    assert!(
        output.status.success() && said.contains("# pass 11\n") && said.contains("# skipped 0\n"),
        "{said}\n{}\n{}\n{}",
        told("guard.log"),
        told("guard.err"),
        told("application.err")
    );
    drop((guard, application));
}

/// Where the packages are; nothing where they, or a program, are not and need not be.
fn packages() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is told by its runner where the packages are"
    )]
    let (packages, ci) = (std::env::var("PORTCULLIS_TEST_NPM"), std::env::var("CI"));
    let missing = match &packages {
        Err(_) => "PORTCULLIS_TEST_NPM is not set".to_owned(),
        Ok(folder) => {
            let package = |name| Path::new(folder).join("node_modules").join(name);
            let needed = [
                package("next"),
                package("react-dom"),
                package("playwright-core"),
                CHROMIUM.into(),
                CERTUTIL.into(),
            ];
            match needed.iter().find(|path| !path.exists()) {
                None => return Some(PathBuf::from(folder)),
                Some(path) => format!("`{}` is not there", path.display()),
            }
        }
    };
    assert!(ci.is_err(), "{missing}, and in CI nothing may be skipped");
    writeln!(std::io::stderr(), "skipped: browser: {missing}").unwrap();
    None
}

/// The application, with the two files that every application copies, and the packages beside it.
fn lay_out(site: &Path, packages: &Path) {
    copy(Path::new(ROOT).join("examples/next-login").as_path(), site);
    for (from, to) in [
        ("browser/csrf.js", "public/csrf.js"),
        ("node/portcullis.mjs", "app/lib/portcullis.mjs"),
    ] {
        let to = site.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(Path::new(ROOT).join("examples/applications").join(from), to).unwrap();
    }
    std::os::unix::fs::symlink(packages.join("node_modules"), site.join("node_modules")).unwrap();
}

/// A folder with all that is in it, but what was installed or built there by hand.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if ["node_modules", ".next", ".portcullis", "public"].contains(&name.to_str().unwrap()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

/// Puts the authority into the store of a user, where Chromium looks for those that a person trusts.
fn trust(home: &Path, authority: &Path) {
    let store = home.join(".pki/nssdb");
    fs::create_dir_all(&store).unwrap();
    let store = format!("sql:{}", store.display());
    let certutil = || {
        let mut certutil = Command::new(CERTUTIL);
        certutil.args(["-d", &store]);
        certutil
    };
    succeed(certutil().args(["-N", "--empty-password"]));
    succeed(
        certutil()
            .args(["-A", "-t", "C,,", "-n", "portcullis", "-i"])
            .arg(authority),
    );
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Until somebody listens there. What it said instead is in a file.
fn wait_for(port: u16, said: &Path) {
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut text = String::new();
    fs::File::open(said)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    panic!("nobody listens at {port}: {text}");
}
