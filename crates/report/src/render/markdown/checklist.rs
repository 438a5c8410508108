//! What a reviewer asks of an endpoint: the review template of seed 001, with CSRF and signatures beside it.

use crate::Class;

/// What answers a question besides findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The record's word on authentication.
    Authentication,
    /// The guards that authenticate, and what they do to others.
    Refusal,
    /// The guards that verify a signature.
    Signature,
    /// The record's word on ownership.
    Ownership,
    /// The guards that ask for a role or a permission.
    Role,
    /// The record's word on validation.
    Validation,
    /// The record's word on CSRF.
    Csrf,
    /// The record's word on rate limits.
    RateLimit,
    /// Only findings: with the classes' rules run and nothing left unknown, none is an answer.
    Findings,
    /// The same, for routes that know their caller.
    FindingsOfCaller,
    /// The same, for routes that have a rate limit.
    FindingsOfLimit,
    /// The same, for routes that take files.
    FindingsOfUpload,
    /// Nothing: the code does not say it.
    Nobody,
}

/// One question.
#[derive(Debug)]
pub(super) struct Item {
    /// What should be so.
    pub(super) text: &'static str,
    /// What answers it.
    pub(super) known: Known,
    /// A finding of one of these says that it is not so.
    pub(super) classes: &'static [Class],
}

/// Questions that belong together.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) items: &'static [Item],
}

const fn item(text: &'static str, known: Known, classes: &'static [Class]) -> Item {
    Item {
        text,
        known,
        classes,
    }
}

/// In the order of the template.
pub(super) const CHECKLIST: &[Section] = &[
    Section {
        heading: "Authentication",
        items: &[
            item(
                "The caller is known before anything is done",
                Known::Authentication,
                &[Class::AuthMissing, Class::AuthUnused, Class::FailOpen],
            ),
            item("Others are turned away", Known::Refusal, &[]),
            item(
                "Tokens are verified: signature, algorithm, audience, issuer, expiry",
                Known::FindingsOfCaller,
                &[
                    Class::JwtNoVerify,
                    Class::JwtAlgNone,
                    Class::JwtHs256,
                    Class::JwtMissingAudIss,
                    Class::JwtMissingJti,
                    Class::JwtLifetime,
                ],
            ),
            item(
                "A message of another service is signed, and the signature is checked",
                Known::Signature,
                &[Class::WebhookSignatureMissing],
            ),
            item(
                "An answer does not tell whether an account exists",
                Known::Findings,
                &[Class::UserEnumeration],
            ),
        ],
    },
    Section {
        heading: "Authorization",
        items: &[
            item(
                "The object belongs to the caller",
                Known::Ownership,
                &[Class::Bola],
            ),
            item(
                "The caller's role or permission is checked",
                Known::Role,
                &[
                    Class::AuthzMissing,
                    Class::AuthzWeak,
                    Class::ClientSideAuthz,
                ],
            ),
            item(
                "Tenants do not see each other",
                Known::FindingsOfCaller,
                &[Class::TenantMissing],
            ),
        ],
    },
    Section {
        heading: "Input validation",
        items: &[
            item(
                "All input has a schema",
                Known::Validation,
                &[Class::ValidationMissing],
            ),
            item(
                "Only named fields are written",
                Known::Findings,
                &[Class::MassAssignment],
            ),
            item(
                "Files have a largest size and known types",
                Known::FindingsOfUpload,
                &[Class::UploadLimit],
            ),
            item(
                "Input is never part of a query",
                Known::Findings,
                &[Class::Sqli, Class::Nosqli],
            ),
            item(
                "Input is never part of a command, code, template, path or address",
                Known::Findings,
                &[
                    Class::CommandInjection,
                    Class::CodeInjection,
                    Class::Ssti,
                    Class::PathTraversal,
                    Class::Ssrf,
                    Class::OpenRedirect,
                    Class::InsecureDeserialization,
                    Class::PrototypePollution,
                ],
            ),
            item(
                "Input is never part of a page as it is",
                Known::Findings,
                &[Class::Xss],
            ),
        ],
    },
    Section {
        heading: "CSRF",
        items: &[item(
            "A change shows that it comes from the application's own pages",
            Known::Csrf,
            &[Class::CsrfMissing],
        )],
    },
    Section {
        heading: "Output safety",
        items: &[
            item(
                "Sensitive fields are left out",
                Known::Findings,
                &[Class::DataExposure, Class::SecretExposure],
            ),
            item(
                "Personal data and secrets are masked in logs",
                Known::Findings,
                &[Class::PiiLog, Class::SecretLog, Class::LogInjection],
            ),
            item(
                "Errors tell nothing of the inside",
                Known::Findings,
                &[Class::ErrorLeak],
            ),
        ],
    },
    Section {
        heading: "Rate limiting",
        items: &[
            item(
                "Requests are counted and capped",
                Known::RateLimit,
                &[Class::RatelimitMissing],
            ),
            item(
                "The caller cannot choose what is counted",
                Known::FindingsOfLimit,
                &[Class::RatelimitSpoofableKey],
            ),
            item(
                "Something before the application absorbs a flood",
                Known::Nobody,
                &[],
            ),
        ],
    },
    Section {
        heading: "Logging",
        items: &[
            item("Failed logins are logged", Known::Nobody, &[]),
            item("Refusals are logged", Known::Nobody, &[]),
            item("A request can be found again by its id", Known::Nobody, &[]),
        ],
    },
];
