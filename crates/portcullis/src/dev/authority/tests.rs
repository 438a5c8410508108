//! The authority as clients see it: what it is accepted for, what it is not, and when it is made anew.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, Issuer};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn opened(folder: &tempfile::TempDir, today: &str) -> Authority {
    let folder = DevFolder::beside(&folder.path().join("portcullis.toml")).unwrap();
    Authority::open(&folder, day(today)).unwrap()
}

/// Whether a client who trusts the authority accepts a certificate for a name, on a day.
fn accepts(authority: &[u8], certificate: &[u8], name: &str, day: Date) -> bool {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority).unwrap())
        .unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    use rustls::client::danger::ServerCertVerifier as _;
    let noon = UnixTime::since_unix_epoch(Duration::from_secs(day.unix_day() * 86_400 + 43_200));
    verifier
        .verify_server_cert(
            &CertificateDer::from_pem_slice(certificate).unwrap(),
            &[],
            &ServerName::try_from(name.to_owned()).unwrap(),
            &[],
            noon,
        )
        .is_ok()
}

fn file(folder: &tempfile::TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(".portcullis/dev").join(name)).unwrap()
}

#[test]
fn it_is_accepted_for_this_machine_in_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let made = opened(&folder, "2027-03-01");
    assert_eq!(made.greeting, Greeting::New);
    let (authority, certificate) = (file(&folder, AUTHORITY), file(&folder, CERTIFICATE));
    for name in ["localhost", "127.0.0.1", "::1"] {
        assert!(
            accepts(&authority, &certificate, name, day("2027-03-01")),
            "{name}"
        );
    }
    for name in ["example.com", "127.0.0.2", "localhost.example.com"] {
        assert!(
            !accepts(&authority, &certificate, name, day("2027-03-01")),
            "{name}"
        );
    }
    assert!(accepts(
        &authority,
        &certificate,
        "localhost",
        day("2027-05-29")
    ));
    assert!(!accepts(
        &authority,
        &certificate,
        "localhost",
        day("2027-05-31")
    ));
    assert!(!accepts(
        &authority,
        &certificate,
        "localhost",
        day("2027-02-27")
    ));
    // 825 days with the first and the last.
    assert!(made.until.unix_day() - day("2027-02-28").unix_day() < 825);
}

#[test]
fn whoever_has_its_key_can_speak_for_no_other_site() {
    let folder = tempfile::tempdir().unwrap();
    drop(opened(&folder, "2027-03-01"));
    let authority = file(&folder, AUTHORITY);
    let forged = |name: &str| {
        let key = key_of(&file(&folder, AUTHORITY_KEY)).unwrap();
        let theirs = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let issuer = Issuer::new(made::authority_params(&key), key);
        let forged = params.signed_by(&theirs, &issuer).unwrap().pem();
        accepts(&authority, forged.as_bytes(), name, day("2027-03-02"))
    };
    assert!(forged("localhost") && forged("shop.localhost") && forged("127.0.0.9"));
    for name in [
        "example.com",
        "notlocalhost",
        "localhost.example.com",
        "192.0.2.1",
        "::2",
    ] {
        assert!(!forged(name), "{name}");
    }
}

#[test]
fn it_is_kept_and_renewed_near_its_end() {
    let folder = tempfile::tempdir().unwrap();
    drop(opened(&folder, "2027-03-01"));
    let (authority, certificate) = (file(&folder, AUTHORITY), file(&folder, CERTIFICATE));
    assert_eq!(opened(&folder, "2027-05-15").greeting, Greeting::Kept);
    assert_eq!(file(&folder, CERTIFICATE), certificate);
    assert_eq!(opened(&folder, "2027-05-16").greeting, Greeting::Renewed);
    assert_eq!(file(&folder, AUTHORITY), authority);
    let renewed = file(&folder, CERTIFICATE);
    assert_ne!(renewed, certificate);
    assert!(accepts(
        &authority,
        &renewed,
        "localhost",
        day("2027-08-13")
    ));
    // An authority that ends soon would take its certificates with it.
    assert_eq!(opened(&folder, "2029-05-10").greeting, Greeting::New);
    assert_ne!(file(&folder, AUTHORITY), authority);
}

#[test]
fn what_is_broken_is_made_anew_and_what_others_read_is_refused() {
    for name in [AUTHORITY, AUTHORITY_KEY, DAYS] {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(&folder, "2027-03-01"));
        let path = folder.path().join(".portcullis/dev").join(name);
        if name == AUTHORITY {
            fs::remove_file(&path).unwrap();
        } else {
            fs::write(&path, "nothing").unwrap();
        }
        assert_eq!(
            opened(&folder, "2027-03-01").greeting,
            Greeting::New,
            "{name}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    drop(opened(&folder, "2027-03-01"));
    let key = folder.path().join(".portcullis/dev").join(KEY);
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::write(&key, "nothing").unwrap();
    assert_eq!(opened(&folder, "2027-03-01").greeting, Greeting::Renewed);
    let authority_key = folder.path().join(".portcullis/dev").join(AUTHORITY_KEY);
    fs::set_permissions(&authority_key, fs::Permissions::from_mode(0o644)).unwrap();
    let dev = DevFolder::beside(&folder.path().join("portcullis.toml")).unwrap();
    let refused = Authority::open(&dev, day("2027-03-01")).unwrap_err();
    assert!(refused.message().contains("it is made anew"), "{refused:?}");
}

#[test]
fn the_folder_is_had_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("portcullis.toml");
    let first = DevFolder::beside(&policy).unwrap();
    let refused = DevFolder::beside(&policy).unwrap_err();
    assert!(
        refused
            .message()
            .contains("another `portcullis guard dev` runs")
    );
    drop(first);
    drop(DevFolder::beside(&policy).unwrap());
    assert_eq!(file(&folder, ".gitignore"), b"*\n");
}
