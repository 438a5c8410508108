//! The certificates of `guard dev`, made: an authority that can speak for this machine alone, and a certificate of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis_policy::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
    date_time_ymd,
};
use sha2::{Digest as _, Sha256};

/// The name that the certificate is for. `*.localhost` is not beside it: OpenSSL, Firefox and rustls want two labels behind a
/// star, and rustls refuses the whole certificate for it.
const NAME: &str = "localhost";

/// The days for which the authority is valid: what Apple's systems accept of one that somebody installed.
const AUTHORITY_DAYS: u64 = 825;

/// The days for which the certificate is valid.
const CERTIFICATE_DAYS: u64 = 90;

/// Something that was made, in PEM, with its last day.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) certificate: String,
    pub(super) until: Date,
}

/// Makes the authority of a key. Whoever trusts it trusts it for `localhost`, names below that, 127.0.0.0/8 and ::1, and for
/// servers only (RFC 5280 §4.2.1.10, §4.2.1.12): it cannot speak for any other site, even if its key is lost.
pub(super) fn authority(key: &KeyPair, today: Date) -> Result<Made, rcgen::Error> {
    let until = days_after(today, AUTHORITY_DAYS - 2);
    let mut params = authority_params(key);
    valid(&mut params, today, until);
    let certificate = params.self_signed(key)?.pem();
    Ok(Made { certificate, until })
}

/// Makes a certificate of this machine's, by an authority. With the authority's own behind it, in the order of a handshake.
pub(super) fn certificate(
    authority_key: KeyPair,
    key: &KeyPair,
    today: Date,
) -> Result<Made, rcgen::Error> {
    let until = days_after(today, CERTIFICATE_DAYS);
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, NAME);
    params
        .subject_alt_names
        .push(SanType::DnsName(NAME.try_into()?));
    for address in [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ] {
        params.subject_alt_names.push(SanType::IpAddress(address));
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    valid(&mut params, today, until);
    let issuer = Issuer::new(authority_params(&authority_key), authority_key);
    let certificate = params.signed_by(key, &issuer)?.pem();
    Ok(Made { certificate, until })
}

/// What an authority's certificate says, but for when. Its name follows from its key, so that two projects are told apart.
pub(super) fn authority_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let digest = Sha256::digest(key.public_key_raw());
    let which: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    params.distinguished_name.remove(DnType::CommonName);
    params
        .distinguished_name
        .push(DnType::CommonName, format!("portcullis guard dev {which}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName(NAME.to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
                IpAddr::V6(Ipv6Addr::LOCALHOST),
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    params
}

/// A day before another: clocks that are a little behind are no reason to refuse a certificate.
fn days_before(day: Date) -> Date {
    Date::of_unix_day(day.unix_day().saturating_sub(1)).unwrap_or(day)
}

fn days_after(day: Date, days: u64) -> Date {
    Date::of_unix_day(day.unix_day() + days).unwrap_or(day)
}

fn valid(params: &mut CertificateParams, today: Date, until: Date) {
    let midnight = |day: Date| date_time_ymd(i32::from(day.year()), day.month(), day.day());
    params.not_before = midnight(days_before(today));
    params.not_after = midnight(until);
}
