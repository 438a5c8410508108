//! What `guard dev` says when it serves: where it is, whether the application answers, what nobody here looks after, and how its
//! certificate is trusted.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use portcullis_policy::{Policy, Upstream};

use super::authority::{Authority, Greeting};

/// How long an application may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// Routes that are named one by one.
const SHOWN_MAX: usize = 8;

/// The lines, for an operator.
pub(crate) fn opening(
    path: &Path,
    policy: &Policy,
    port: u16,
    authority: &Authority,
) -> Vec<String> {
    let upstreams: Vec<String> = policy.upstreams().iter().map(ToString::to_string).collect();
    let port = if port == 443 {
        String::new()
    } else {
        format!(":{port}")
    };
    let mut lines = vec![format!(
        "https://localhost{port} guards {}, {} routes of {}; times are UTC",
        upstreams.join(", "),
        policy.all_routes().count(),
        path.display()
    )];
    lines.extend(policy.upstreams().iter().filter_map(unwell));
    lines.extend(left_out(path, policy));
    lines.extend(trusting(authority));
    lines
}

/// What to do about an application that takes no connection; nothing where it does.
fn unwell(upstream: &Upstream) -> Option<String> {
    let host = upstream.host.to_string();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = (name, upstream.port).to_socket_addrs();
    let tried = addresses.and_then(|mut addresses| {
        let connects = |address| TcpStream::connect_timeout(&address, PATIENCE);
        let none = || Err(std::io::ErrorKind::NotFound.into());
        addresses.next().map_or_else(none, connects)
    });
    let error = tried.err()?;
    Some(format!(
        "warning: nothing answers at {upstream} ({error}): start the application there, or name where it is with `--upstream URL`"
    ))
}

/// The routes whose controls an exception leaves to the application.
fn left_out(path: &Path, policy: &Policy) -> Vec<String> {
    let excepts = policy.excepts();
    let mut lines: Vec<String> = excepts
        .iter()
        .take(SHOWN_MAX)
        .map(|except| {
            format!(
                "  not checked here: {} of `{}` until {}  ({}:{})",
                except.lacks.as_str(),
                except.route,
                except.until,
                path.display(),
                except.place.line
            )
        })
        .collect();
    if excepts.len() > SHOWN_MAX {
        lines.push(format!(
            "  and {} more exceptions",
            excepts.len() - SHOWN_MAX
        ));
    }
    lines
}

/// How a certificate is trusted on this system. It is never done by this program.
fn trusting(authority: &Authority) -> Vec<String> {
    let file = authority.file.display();
    let first = match authority.greeting {
        Greeting::New => format!(
            "made an authority for localhost names alone, valid until {}: {file}",
            authority.until
        ),
        Greeting::Renewed => format!("renewed the certificate; its authority is the same: {file}"),
        Greeting::Kept => format!(
            "its certificate is by {file}, valid until {}",
            authority.until
        ),
    };
    let mut lines = vec![first];
    if authority.greeting == Greeting::New {
        lines.push("browsers warn until you trust it, in one of these ways:".to_owned());
        lines.extend(ways(cfg!(target_os = "macos"), &file.to_string()));
    }
    lines
}

/// The ways to trust a file, on a Mac or elsewhere.
fn ways(is_mac: bool, file: &str) -> Vec<String> {
    let system: &[(&str, &str)] = if is_mac {
        &[(
            "macOS",
            "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db FILE",
        )]
    } else {
        &[
            (
                "Debian, Ubuntu",
                "sudo cp FILE /usr/local/share/ca-certificates/portcullis-dev.crt && sudo update-ca-certificates",
            ),
            ("Fedora", "sudo trust anchor FILE"),
            (
                "Chrome on Linux",
                "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n portcullis-dev -i FILE",
            ),
        ]
    };
    let everywhere: &[(&str, &str)] = &[
        (
            "Firefox",
            "Settings, Certificates, Authorities, Import FILE",
        ),
        ("curl", "curl --cacert FILE ..."),
        ("Node.js", "NODE_EXTRA_CA_CERTS=FILE node ..."),
    ];
    system
        .iter()
        .chain(everywhere)
        .map(|(name, how)| format!("  {name}: {}", how.replace("FILE", file)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_way_and_all_have_the_file() {
        for is_mac in [true, false] {
            let ways = ways(is_mac, "dir/ca.pem");
            assert!(
                ways.iter()
                    .all(|way| way.contains("dir/ca.pem") && !way.contains("FILE"))
            );
            assert_eq!(
                ways.iter().any(|way| way.contains("security add-trusted")),
                is_mac
            );
        }
    }
}
