//! `Kept`: what comes of looking at one route, as data that can be written and read again.

use portcullis_code::body::{FunctionId, ModuleId};
use portcullis_policy::{Control, Method, RouteType};
use portcullis_report::{
    Answer, Auth, AuthWhere, Basis, Confidence, GuardRecord, Location, Ownership, Reason,
    RouteMethod, RouteRecord, Severity, UnknownRecord,
};

use super::codec::{Keep, Reader, Writer, keep_enum, keep_struct};
use crate::{
    judge::{Binding, Redeemed},
    library::{DbOp, EffectKind},
    passes::Proof,
    route::Site,
    rule::{Hit, Rule},
    rules::RULES,
    served::Page,
    summary::{Stored, Summary, Touch},
    whole::Question,
};

/// What came of looking at a route with every rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// What the rules about routes found.
    pub(crate) hits: Vec<(&'static Rule, Hit)>,
    /// What the rules about calls found.
    pub(crate) of_calls: Vec<(&'static Rule, Hit)>,
    /// The functions that deal with tokens that it entered.
    pub(crate) entered: Vec<(ModuleId, FunctionId)>,
    /// The route as rules about the whole see it, where it is one.
    pub(crate) summary: Option<Summary>,
    /// The route as a report lists it, where it is one.
    pub(crate) record: Option<RouteRecord>,
    /// The page, where it is one.
    pub(crate) page: Option<Page>,
    /// The modules that the run leads through.
    pub(crate) trace: Vec<ModuleId>,
}

impl Keep for &'static Rule {
    fn keep(&self, out: &mut Writer<'_>) {
        self.id.keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let id = String::read(from)?;
        RULES.iter().copied().find(|rule| rule.id == id)
    }
}

impl Keep for RouteMethod {
    fn keep(&self, out: &mut Writer<'_>) {
        match self {
            Self::Http(method) => {
                false.keep(out);
                method.keep(out);
            }
            Self::Operation(kind) => {
                true.keep(out);
                kind.keep(out);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(if bool::read(from)? {
            Self::Operation(Keep::read(from)?)
        } else {
            Self::Http(Keep::read(from)?)
        })
    }
}

impl Keep for Question {
    fn keep(&self, out: &mut Writer<'_>) {
        match self {
            Self::Demands(name) => (0_u8, *name).keep(out),
            Self::Compared(name, own) => (1_u8, (*name, *own)).keep(out),
            Self::Hashes(file) => (2_u8, *file).keep(out),
            Self::LooksAtSize => 3_u8.keep(out),
            Self::RunsAsOne => 4_u8.keep(out),
            Self::SignsCookies => 5_u8.keep(out),
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(match u8::read(from)? {
            0 => Self::Demands(Keep::read(from)?),
            1 => Self::Compared(Keep::read(from)?, Keep::read(from)?),
            2 => Self::Hashes(Keep::read(from)?),
            3 => Self::LooksAtSize,
            4 => Self::RunsAsOne,
            5 => Self::SignsCookies,
            _ => return None,
        })
    }
}

/// What has its words in a table is kept by them.
macro_rules! keep_word {
    ($($type:ty)+) => {
        $(impl Keep for $type {
            fn keep(&self, out: &mut Writer<'_>) {
                self.as_str().keep(out);
            }

            fn read(from: &mut Reader<'_>) -> Option<Self> {
                String::read(from)?.parse().ok()
            }
        })+
    };
}

keep_word!(Control Method RouteType);

keep_enum! {
    Severity { Low, Medium, High, Critical }
    Confidence { Low, Medium, High }
    Basis { Code, Matrix }
    Auth { Required, Optional, None, Unknown }
    AuthWhere { Resource, Middleware, Both }
    Answer { Yes, No, NotApplicable, Unknown }
    Ownership { Checked, Missing, NotApplicable, Unknown }
    Binding { Nothing, Own, Bound, Unbound, Open }
    EffectKind {
        Mail, Http, Queue, Storage, Upload, Token, Payment, Exec, FsRead, FsWrite, Ai, Cache, Accounts, Realtime,
    }
    DbOp { Read, ReadMany, Create, Update, Delete, Upsert, Raw, Count, Transaction }
    Proof {
        Authentication, Service, Signature, Authorization, Ownership, RateLimit, Csrf, CsrfCompare, Validation, Credential,
        Capability,
    }
}

keep_struct! {
    Kept { hits, of_calls, entered, summary, record, page, trace }
    Site { module, span }
    Hit { site, route, message, why, fix, severity, confidence, basis, found_by }
    Summary {
        name, method, path, framework, file, application, site, auth, auth_where, csrf, rate_limit, validated, ownership,
        route_type, code_type, bearer_only, asks_ambient, by_address, consumes_body, mega, procedure, no_door, touches, stored, redeemed, effects, gives_data,
        proofs, middleware, covered, gaps, middleware_site, conditions, unknowns,
    }
    Touch { op, table, site, binding, chosen, found_by, identified, authorized, owned, users }
    Stored { table, column, sent, site }
    Redeemed { table, sent, found, deed }
    RouteRecord {
        framework, method, path, location, auth, auth_where, csrf, rate_limit, validated, ownership, route_type, type_reason,
        conditions, guards, reasons, unknowns,
    }
    Page { record, site }
    Location { file, line, column, end_line, end_column, bytes }
    GuardRecord { what, on_fail, via, location, source }
    Reason { attribute, text, location }
    UnknownRecord { code, location, reason }
}
