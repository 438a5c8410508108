//! The signing keys: made, changed while they are used, and refused where somebody else may have touched them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use portcullis_guard::clock::Now;
use portcullis_guard::token::{KeyStrength, verify};
use portcullis_policy::{JwtAlgorithm, SigningAlgorithm};
use portcullis_state::issuer::{
    IssuerFolder, IssuerKeyError, IssuerKeys, KeyState, LEAD_SECONDS, RETIRING_SECONDS, RsaBits,
};

const START: u64 = 1_800_000_000;

const ALL: [JwtAlgorithm; 3] = [
    JwtAlgorithm::EdDsa,
    JwtAlgorithm::Es256,
    JwtAlgorithm::Rs256,
];

fn at(seconds: u64) -> Now {
    Now {
        monotonic: 0,
        unix_millis: seconds * 1_000,
    }
}

fn made(algorithm: SigningAlgorithm) -> (tempfile::TempDir, IssuerFolder) {
    let room = tempfile::tempdir().unwrap();
    let folder = IssuerFolder::new(room.path().join("state/issuer"));
    folder
        .generate(algorithm, RsaBits::B2048, at(START))
        .unwrap();
    (room, folder)
}

fn open(folder: &IssuerFolder, now: u64) -> Result<IssuerKeys, IssuerKeyError> {
    IssuerKeys::open(folder.clone(), KeyStrength::Standard, at(now))
}

fn files(folder: &Path, ending: &str) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names.filter(|name| name.ends_with(ending)).collect()
}

#[test]
fn each_algorithm_signs_what_its_published_key_verifies() {
    for algorithm in SigningAlgorithm::ALL {
        let (_room, folder) = made(*algorithm);
        let keys = open(&folder, START).unwrap();
        let signer = keys.signer(at(START)).unwrap();
        assert_eq!(signer.algorithm(), *algorithm);
        let token = signer.sign("{\"sub\":\"u\"}").unwrap();
        let held = keys.held();
        let verified = verify(&token, &held.keys, &ALL).unwrap();
        assert_eq!(verified.payload(), b"{\"sub\":\"u\"}");
        assert_eq!(verified.header().key_id(), Some(signer.kid()));
        let others: Vec<JwtAlgorithm> = ALL
            .into_iter()
            .filter(|one| *one != algorithm.verified_as())
            .collect();
        assert!(verify(&token, &held.keys, &others).is_err());
        assert!(keys.signer(at(START - 1)).is_none(), "before the first key");
    }
}

/// A new key is published before it signs, the old one afterwards; a guard that runs hears of both.
#[test]
fn a_change_of_keys_refuses_no_token() {
    let (_room, folder) = made(SigningAlgorithm::EdDsa);
    let running = open(&folder, START).unwrap();
    let first = running.signer(at(START)).unwrap();
    let old = first.sign("{}").unwrap();
    let generation = running.held().generation;
    assert!(
        !running.refresh(at(START + 1)).unwrap(),
        "nothing has changed"
    );

    let begun = START + 100;
    let list = folder
        .rotate(
            SigningAlgorithm::Es256,
            RsaBits::B2048,
            LEAD_SECONDS,
            at(begun),
        )
        .unwrap();
    let states: Vec<KeyState> = list.states(begun).map(|(_, state)| state).collect();
    assert_eq!(states, [KeyState::Active, KeyState::Next]);
    assert!(running.refresh(at(begun + 1)).unwrap());
    assert_ne!(running.held().generation, generation);
    assert_eq!(
        running.held().keys.len(),
        2,
        "the next key is published already"
    );

    let signs = begun + LEAD_SECONDS;
    assert_eq!(running.signer(at(signs - 1)).unwrap().kid(), first.kid());
    let second = running.signer(at(signs)).unwrap();
    assert_ne!(second.kid(), first.kid());
    let young = second.sign("{}").unwrap();
    for token in [&old, &young] {
        assert!(verify(token, &running.held().keys, &ALL).is_ok());
    }

    let over = signs + RETIRING_SECONDS;
    assert!(!running.refresh(at(over - 1)).unwrap());
    assert!(verify(&old, &running.held().keys, &ALL).is_ok());
    assert!(
        running.refresh(at(over)).unwrap(),
        "the clock alone retires a key"
    );
    assert!(verify(&old, &running.held().keys, &ALL).is_err());
    assert!(verify(&young, &running.held().keys, &ALL).is_ok());
}

#[test]
fn one_key_waits_at_a_time_and_what_is_over_is_taken_away() {
    let (_room, folder) = made(SigningAlgorithm::EdDsa);
    let rotate = |now: u64| {
        folder.rotate(
            SigningAlgorithm::EdDsa,
            RsaBits::B2048,
            LEAD_SECONDS,
            at(now),
        )
    };
    rotate(START + 1).unwrap();
    let error = rotate(START + 2).unwrap_err();
    assert!(
        matches!(error, IssuerKeyError::Pending { seconds: 899, .. }),
        "{error}"
    );
    // The private half of the first signs no more, and its public half still verifies.
    rotate(START + 10_000).unwrap();
    assert_eq!(files(folder.path(), ".pk8").len(), 2);
    assert_eq!(files(folder.path(), ".spki").len(), 3);
    assert!(open(&folder, START + 10_000).is_ok());
    rotate(START + 20_000 + RETIRING_SECONDS).unwrap();
    assert_eq!(files(folder.path(), ".spki").len(), 2);
    let again = folder.generate(SigningAlgorithm::EdDsa, RsaBits::B2048, at(START));
    assert!(matches!(again, Err(IssuerKeyError::Some(_))));
}

/// Somebody knows a key: no token of it is believed from now on, and its files are gone.
#[test]
fn all_keys_can_be_replaced_at_once() {
    let (_room, folder) = made(SigningAlgorithm::EdDsa);
    let running = open(&folder, START).unwrap();
    let old = running.signer(at(START)).unwrap().sign("{}").unwrap();
    folder
        .replace(SigningAlgorithm::EdDsa, RsaBits::B2048, at(START + 5))
        .unwrap();
    assert!(running.refresh(at(START + 5)).unwrap());
    assert!(verify(&old, &running.held().keys, &ALL).is_err());
    let young = running.signer(at(START + 5)).unwrap().sign("{}").unwrap();
    assert!(verify(&young, &running.held().keys, &ALL).is_ok());
    assert_eq!(files(folder.path(), ".pk8").len(), 1);
    assert_eq!(files(folder.path(), ".spki").len(), 1);
}

#[cfg(unix)]
#[test]
fn what_others_can_use_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_room, folder) = made(SigningAlgorithm::EdDsa);
    let private = folder.path().join(&files(folder.path(), ".pk8")[0]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&private), 0o600);
    assert_eq!(mode(folder.path()), 0o700);
    let list = folder.path().join("keys.json");
    for (path, mode, good, refused) in [
        (private.as_path(), 0o640, 0o600, true),
        (private.as_path(), 0o604, 0o600, true),
        (list.as_path(), 0o664, 0o600, true),
        (list.as_path(), 0o644, 0o600, false),
        (folder.path(), 0o777, 0o700, true),
        (folder.path(), 0o755, 0o700, false),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let opened = open(&folder, START);
        assert_eq!(opened.is_err(), refused, "{} {mode:o}", path.display());
        if let Err(error) = opened {
            let text = error.to_string();
            assert!(
                matches!(error, IssuerKeyError::OpenToOthers { .. }),
                "{text}"
            );
            assert!(text.contains(&format!("chmod {good:o}")), "{text}");
        }
        fs::set_permissions(path, fs::Permissions::from_mode(good)).unwrap();
    }
}

#[test]
fn what_is_damaged_is_refused_and_changes_nothing_in_a_guard_that_runs() {
    let (_room, folder) = made(SigningAlgorithm::EdDsa);
    let running = open(&folder, START).unwrap();
    let private = folder.path().join(&files(folder.path(), ".pk8")[0]);
    let list = folder.path().join("keys.json");
    let good = [&private, &list].map(|path| fs::read(path).unwrap());
    let (_other_room, other) = made(SigningAlgorithm::EdDsa);
    let foreign = fs::read(other.path().join(&files(other.path(), ".pk8")[0])).unwrap();
    let damage: [(&Path, Vec<u8>); 6] = [
        (&private, Vec::new()),
        (&private, good[0][..good[0].len() - 1].to_vec()),
        (&private, foreign),
        (&private, vec![0x30; 10_000]),
        (&list, b"{}".to_vec()),
        (&list, vec![b' '; 70_000]),
    ];
    for (path, bytes) in damage {
        fs::write(path, &bytes).unwrap();
        let error = open(&folder, START).unwrap_err();
        assert!(matches!(error, IssuerKeyError::Damaged { .. }), "{error}");
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
        if path == list {
            assert!(running.refresh(at(START)).is_err());
        }
        assert!(running.signer(at(START)).is_some());
        fs::write(&private, &good[0]).unwrap();
        fs::write(&list, &good[1]).unwrap();
    }
    fs::remove_file(&private).unwrap();
    assert!(matches!(
        open(&folder, START),
        Err(IssuerKeyError::File { .. })
    ));
    fs::remove_file(&list).unwrap();
    let error = open(&folder, START).unwrap_err();
    assert!(
        error.to_string().contains("portcullis token keys generate"),
        "{error}"
    );
}

#[test]
fn the_strict_profile_signs_with_no_short_key() {
    let (_room, folder) = made(SigningAlgorithm::Rs256);
    assert!(open(&folder, START).is_ok());
    let strict = IssuerKeys::open(folder.clone(), KeyStrength::Strict, at(START));
    let error = strict.unwrap_err().to_string();
    assert!(
        error.contains("too weak") && error.contains("--at-once"),
        "{error}"
    );
    folder
        .replace(SigningAlgorithm::Rs256, RsaBits::B3072, at(START))
        .unwrap();
    assert!(IssuerKeys::open(folder, KeyStrength::Strict, at(START)).is_ok());
}

/// A write that was cut short leaves files that nobody lists. They are in nobody's way, and taken away.
#[test]
fn what_was_left_behind_is_taken_away() {
    let (_room, folder) = made(SigningAlgorithm::EdDsa);
    let left = folder.path().join(format!("{}.pk8", "A".repeat(43)));
    fs::write(&left, "x").unwrap();
    fs::write(folder.path().join("keys.json.new"), "x").unwrap();
    let kept = folder.path().join("notes.pk8");
    fs::write(&kept, "x").unwrap();
    assert!(open(&folder, START).is_ok());
    folder
        .rotate(
            SigningAlgorithm::EdDsa,
            RsaBits::B2048,
            LEAD_SECONDS,
            at(START + 1),
        )
        .unwrap();
    assert!(!left.exists() && kept.exists());
}

/// Of two that change the keys at a time, one is refused or waits behind the other: there is one list, and all its keys are there.
#[test]
fn two_changes_at_a_time_leave_a_whole_list() {
    let (_room, folder) = made(SigningAlgorithm::EdDsa);
    let folder = Arc::new(folder);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let folder = Arc::clone(&folder);
            std::thread::spawn(move || {
                folder
                    .rotate(
                        SigningAlgorithm::EdDsa,
                        RsaBits::B2048,
                        LEAD_SECONDS,
                        at(START + 1),
                    )
                    .is_ok()
            })
        })
        .collect();
    let done = threads.into_iter().map(|one| one.join().unwrap());
    assert_eq!(done.filter(|done| *done).count(), 1);
    let keys = open(&folder, START + 1).unwrap();
    assert_eq!(keys.list().states(START + 1).count(), 2);
}

/// Who changes keys as the administrator leaves none that the guard, which runs as the folder's owner, cannot read. Only the
/// administrator can try it: others cannot have made a file of somebody else.
#[cfg(unix)]
#[test]
fn keys_belong_to_the_owner_of_their_folder() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    const NOBODY: u32 = 65_534;
    let (room, folder) = made(SigningAlgorithm::EdDsa);
    if fs::metadata(room.path()).unwrap().uid() != 0 {
        println!("skipped: it takes the administrator to change keys of another user");
        return;
    }
    let every = || {
        fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    for path in every().chain([folder.path().to_owned()]) {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    folder
        .replace(SigningAlgorithm::EdDsa, RsaBits::B2048, at(START + 10))
        .unwrap();
    for path in every() {
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(
            (metadata.uid(), metadata.mode() & 0o777),
            (NOBODY, 0o600),
            "{}",
            path.display()
        );
    }
}
