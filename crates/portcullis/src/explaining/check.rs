//! `Checked`: all that is wrong, lacking or to be known of a policy file, with its places.

use std::fmt;
use std::path::Path;

use portcullis_guard::identity_plan::IdentityKeys;
use portcullis_guard::plan::Plan;
use portcullis_policy::{Date, Lack, Place, Policy, PolicyErrors, bounds};
use serde_json::{Value, json};

use super::text_file::read_text;
use crate::args::Purpose;
use crate::failure::Failure;
use crate::guarding::enforced;
use crate::policy_source::digest_of;

/// One thing that is told of the file.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Line and column; nothing where it is about the file as a whole.
    pub(crate) place: Option<(usize, usize)>,
    /// What.
    pub(crate) message: String,
    /// What was probably meant.
    pub(crate) suggestion: Option<String>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, " (did you mean `{suggestion}`?)"),
            None => Ok(()),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// How the file was named.
    pub(crate) file: String,
    /// What names its exact text.
    pub(crate) digest: String,
    /// What is in it: routes, paths of `static`, limits, exceptions; nothing of a file that is no policy.
    pub(crate) counts: Option<[usize; 4]>,
    /// Why it is no policy.
    pub(crate) errors: Vec<Told>,
    /// How many more there are.
    pub(crate) left_out: usize,
    /// What has to be able to work with it.
    pub(crate) purpose: Option<Purpose>,
    /// What that lacks in it; nothing where it was not asked.
    pub(crate) lacks: Option<Vec<Told>>,
    /// What its author may not have meant.
    pub(crate) notices: Vec<Told>,
}

impl Checked {
    /// Reads the file. `purpose` asks as well whether that could work with it today.
    pub(crate) fn read(
        path: &Path,
        today: Date,
        purpose: Option<Purpose>,
    ) -> Result<Self, Failure> {
        let text = read_text(path, bounds::FILE_BYTES_MAX)?;
        let mut checked = Self {
            file: path.display().to_string(),
            digest: digest_of(&text),
            purpose,
            ..Self::default()
        };
        match Policy::parse(&text) {
            Ok(policy) => checked.look_at(&policy, today),
            Err(errors) => checked.note_errors(&errors),
        }
        Ok(checked)
    }

    /// Whether nothing is wrong, and nothing is lacking of what was asked for.
    pub(crate) fn is_good(&self) -> bool {
        self.errors.is_empty() && self.lacks.as_ref().is_none_or(Vec::is_empty)
    }

    fn note_errors(&mut self, errors: &PolicyErrors) {
        self.left_out = errors.left_out();
        self.errors = errors
            .iter()
            .map(|error| Told {
                place: Some((error.line, error.column)),
                message: error.message.clone(),
                suggestion: error.suggestion.clone(),
            })
            .collect();
    }

    fn look_at(&mut self, policy: &Policy, today: Date) {
        self.counts = Some([
            policy.routes().len(),
            policy.statics().len(),
            policy.limits().len(),
            policy.excepts().len(),
        ]);
        if let Err(error) = Plan::keyed(policy, &self.digest, IdentityKeys::of_seed(&[0; 32])) {
            self.errors.push(Told {
                place: None,
                message: error.to_string(),
                suggestion: None,
            });
        }
        self.note_notices(policy, today);
        self.lacks = self.purpose.map(|purpose| {
            let told = match purpose {
                Purpose::Audit => policy.for_audit(),
                Purpose::Guard => policy.for_guard(today, &enforced(policy)),
                Purpose::Probe => policy.for_probe(),
            };
            let lacks = told.err().unwrap_or_default();
            lacks.into_iter().map(lack).collect()
        });
    }

    fn note_notices(&mut self, policy: &Policy, today: Date) {
        let notices = policy
            .notices()
            .iter()
            .map(|notice| told(&notice.place, notice.message.clone()));
        let over = policy.expired(today).map(|except| {
            let (route, lacks, until) = (&except.route, except.lacks, except.until);
            let message = format!("the exception of `{route}` from `{lacks}` ended on {until}");
            told(&except.place, message)
        });
        self.notices = notices.chain(over).collect();
        self.notices.sort_by_key(|notice| notice.place);
    }

    /// For other programs.
    pub(crate) fn to_json(&self) -> Value {
        let list = |told: &[Told]| told.iter().map(wire).collect::<Vec<Value>>();
        let count = |place: usize| self.counts.and_then(|counts| counts.get(place).copied());
        json!({
            "schema": "portcullis.policy-check/1",
            "tool": super::render_json::tool(),
            "file": self.file,
            "policy_digest": self.digest,
            "valid": self.errors.is_empty(),
            "for": self.purpose.map(Purpose::word),
            "ready": self.purpose.map(|_| self.is_good()),
            "for_guard": self.purpose.filter(|one| *one == Purpose::Guard).map(|_| self.is_good()),
            "routes": count(0),
            "static": count(1),
            "limits": count(2),
            "exceptions": count(3),
            "errors": list(&self.errors),
            "errors_left_out": self.left_out,
            "lacks": list(self.lacks.as_deref().unwrap_or_default()),
            "notices": list(&self.notices),
        })
    }
}

fn told(place: &Place, message: String) -> Told {
    Told {
        place: (place.line > 0).then_some((place.line, place.column)),
        message,
        suggestion: None,
    }
}

fn lack(lack: Lack) -> Told {
    told(&lack.place, lack.message)
}

fn wire(told: &Told) -> Value {
    json!({
        "line": told.place.map(|(line, _)| line),
        "column": told.place.map(|(_, column)| column),
        "message": told.message,
        "suggestion": told.suggestion,
    })
}
