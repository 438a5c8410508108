//! Measures what a signature costs to verify, by the library and by this crate, in turns:
//! `cargo run --release -p portcullis-rsa --example verify_cost`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement for people: it prints, and ends where something fails"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what is measured"
)]

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents,
};
use portcullis_rsa::{Hash, PublicKey};

const TIMES: u32 = 5_000;
const TURNS: usize = 9;

fn main() {
    // As long as what is signed of a token.
    let message = [0x5a; 600];
    for size in [KeySize::Rsa2048, KeySize::Rsa3072, KeySize::Rsa4096] {
        let pair = KeyPair::generate(size).unwrap();
        // RFC 8017 §A.1.1: the modulus, with a zero in front of it, and the exponent in five bytes.
        let public = pair.public_key().as_ref();
        let modulus = &public[9..public.len() - 5];
        let mut signature = vec![0; modulus.len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            &message,
            &mut signature,
        )
        .unwrap();
        let (n, e) = (modulus, [1, 0, 1].as_slice());
        let library = RsaPublicKeyComponents { n, e };
        let library = library
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .unwrap();
        let Some(ours) = PublicKey::new(n, e) else {
            println!("this processor has no AVX-512 IFMA");
            return;
        };
        let mut turns: Vec<(f64, f64)> = (0..TURNS)
            .map(|_| {
                let library = microseconds(|| library.verify_sig(&message, &signature).is_ok());
                let ours = microseconds(|| ours.verifies(&message, Hash::Sha256, &signature));
                (ours / library, ours)
            })
            .collect();
        turns.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, ours) = turns[TURNS / 2];
        let (least, most) = (turns[0].0, turns[TURNS - 1].0);
        let bits = modulus.len() * 8;
        println!("{bits} bits: {ratio:.2} of the library ({least:.2}-{most:.2}), {ours:.1} us");
    }
}

/// For each of many times.
fn microseconds(verify: impl Fn() -> bool) -> f64 {
    let begun = Instant::now();
    for _ in 0..TIMES {
        assert!(black_box(verify()));
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}
