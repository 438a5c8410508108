//! `Lexicon`: what the names of tables and columns say, read from `lexicon.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::name::{table_words, words};
use super::{Kind, Sensitivity};

/// The embedded lexicon. A test holds that it is read whole.
pub(crate) static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(include_str!("lexicon.toml")).unwrap_or_default());

/// Every list of names, as data.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lexicon {
    trailing: Vec<String>,
    pub(crate) tables: TableNames,
    pub(crate) owner: OwnerNames,
    column: Vec<ColumnRow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableNames {
    pub(crate) user: Phrases,
    pub(crate) maybe_user: Phrases,
    pub(crate) tenant: Phrases,
    pub(crate) tenant_of_users: Phrases,
    pub(crate) membership: Phrases,
    billing: Phrases,
    access: Phrases,
    conversation: Phrases,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnerNames {
    pub(crate) user: Phrases,
    pub(crate) tenant: Phrases,
    pub(crate) maybe_tenant: Phrases,
    actor: Phrases,
    actor_nouns: Phrases,
    pub(crate) external: Phrases,
    pub(crate) login: Phrases,
    pub(crate) password: Phrases,
    pub(crate) remote: Phrases,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnRow {
    sensitivity: RowSensitivity,
    #[serde(default)]
    ends: Phrases,
    #[serde(default)]
    is: Phrases,
    #[serde(default)]
    kinds: Vec<Kind>,
    tables: Option<OnlyIn>,
    not_tables: Option<NotIn>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RowSensitivity {
    None,
    Secret,
    Personal,
    Privilege,
}

/// A row may speak only of users, only of whoever holds an account (users, tenants, memberships, subscriptions), or
/// only of tables that say who may do what.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnlyIn {
    User,
    Account,
    Access,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NotIn {
    Conversation,
}

/// What is already known of the table a column stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) table: &'a str,
    pub(crate) is_user: bool,
    pub(crate) is_account: bool,
    pub(crate) is_owned: bool,
}

impl Lexicon {
    fn parse(text: &str) -> Result<Self, toml_edit::de::Error> {
        toml_edit::de::from_str(text)
    }

    /// What a column of this name and kind holds.
    pub(crate) fn sensitivity(
        &self,
        column: &str,
        kind: Kind,
        standing: Standing<'_>,
    ) -> Option<Sensitivity> {
        // Of a path into a document, `profile.role`, the last part says what it is.
        let name = words(column.rsplit('.').next().unwrap_or(column));
        let mut stem = name.as_slice();
        while let [rest @ .., last] = stem
            && !rest.is_empty()
            && self.trailing.iter().any(|word| word == last)
        {
            stem = rest;
        }
        let table = table_words(standing.table);
        let row = self.column.iter().find(|row| {
            row.stands(kind, standing, &table, &self.tables)
                && (row.names(&name) || (stem.len() < name.len() && row.names_secret(stem)))
        })?;
        match row.sensitivity {
            RowSensitivity::None => None,
            RowSensitivity::Secret => Some(Sensitivity::Secret),
            RowSensitivity::Personal => Some(Sensitivity::Personal),
            RowSensitivity::Privilege => Some(Sensitivity::Privilege),
        }
    }

    /// Whether a table of this name keeps subscriptions.
    pub(crate) fn is_billing(&self, table: &str) -> bool {
        let name = table_words(table);
        self.tables.billing.end(&name)
    }

    /// Whether a key of this name says who acted on the row: `bannedBy`, `reviewerId`.
    pub(crate) fn is_actor(&self, column: &str) -> bool {
        let mut name = words(column);
        if matches!(name.last().map(String::as_str), Some("id" | "uuid")) {
            name.pop();
        }
        if let Some(by) = name.iter().position(|word| word == "by") {
            name.truncate(by);
            return self.owner.actor.end(&name);
        }
        self.owner.actor_nouns.end(&name)
    }
}

/// What a name says of a value wherever it stands: that of a member, a setting, a header.
pub(crate) fn sensitivity_of_name(name: &str) -> Option<Sensitivity> {
    let nowhere = Standing {
        table: "",
        is_user: false,
        is_account: false,
        is_owned: false,
    };
    LEXICON.sensitivity(name, Kind::Other, nowhere)
}

/// Whether a name is that of a password, whatever stands before that word.
pub(crate) fn words_are_password(name: &str) -> bool {
    let words = words(name);
    let is_said = !words
        .first()
        .is_some_and(|word| matches!(word.as_str(), "has" | "no" | "is" | "require"));
    is_said && LEXICON.owner.password.end(&words)
}

impl ColumnRow {
    fn stands(&self, kind: Kind, at: Standing<'_>, table: &[String], names: &TableNames) -> bool {
        let kind_fits = self.kinds.is_empty() || self.kinds.contains(&kind);
        let only = match self.tables {
            None => true,
            Some(OnlyIn::User) => at.is_user,
            Some(OnlyIn::Account) => at.is_account,
            Some(OnlyIn::Access) => at.is_account || at.is_owned || names.access.any_word(table),
        };
        let not = match self.not_tables {
            None => false,
            Some(NotIn::Conversation) => !at.is_account && names.conversation.any_word(table),
        };
        kind_fits && only && !not
    }

    fn names(&self, name: &[String]) -> bool {
        self.ends.end(name) || self.is.are(name)
    }

    fn names_secret(&self, stem: &[String]) -> bool {
        matches!(self.sensitivity, RowSensitivity::Secret) && self.names(stem)
    }
}

/// Phrases of words; a name written without separators (`apikey`) is the phrase too.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Phrases(Vec<String>);

impl From<Vec<String>> for Phrases {
    fn from(phrases: Vec<String>) -> Self {
        Self(
            phrases
                .into_iter()
                .map(|phrase| phrase.replace(' ', ""))
                .collect(),
        )
    }
}

impl Phrases {
    /// The whole name is one of these.
    pub(crate) fn are(&self, name: &[String]) -> bool {
        let joined = name.concat();
        self.0.contains(&joined)
    }

    /// The last words of the name are one of these.
    pub(crate) fn end(&self, name: &[String]) -> bool {
        let mut rest = name;
        while let [_, tail @ ..] = rest {
            if self.are(rest) {
                return true;
            }
            rest = tail;
        }
        false
    }

    /// One word of the name is one of these.
    pub(crate) fn any_word(&self, name: &[String]) -> bool {
        name.iter().any(|word| self.0.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_lexicon_is_read() {
        let lexicon = Lexicon::parse(include_str!("lexicon.toml"));
        assert!(lexicon.is_ok_and(|l| l.column.len() > 8 && !l.tables.user.0.is_empty()));
    }

    #[test]
    fn columns_are_as_sensitive_as_their_names() {
        use Kind::{Boolean, Enum, Number, Other, Text, Time};
        use Sensitivity::{Personal, Privilege, Secret};
        let user = Standing {
            table: "users",
            is_user: true,
            is_account: true,
            is_owned: true,
        };
        let post = Standing {
            table: "posts",
            is_user: false,
            is_account: false,
            is_owned: false,
        };
        let chat = Standing {
            table: "ChatMessage",
            is_user: false,
            is_account: false,
            is_owned: false,
        };
        for (standing, name, kind, expected) in [
            (user, "password", Text, Some(Secret)),
            (user, "passwordHash", Text, Some(Secret)),
            (user, "hashed_password", Text, Some(Secret)),
            (user, "hash", Text, Some(Secret)),
            (post, "hash", Text, None),
            (post, "contentHash", Text, None),
            (post, "access_token", Text, Some(Secret)),
            (post, "refreshToken", Other, Some(Secret)),
            (post, "resetPasswordToken", Text, Some(Secret)),
            (post, "token_hash", Text, Some(Secret)),
            (post, "apikey", Text, Some(Secret)),
            (post, "api_key_encrypted", Text, Some(Secret)),
            (post, "hashedKey", Text, Some(Secret)),
            (user, "twoFactorSecret", Text, Some(Secret)),
            (user, "reset_password_expires", Time, None),
            (post, "tokenCount", Number, None),
            (post, "token_type", Text, None),
            (post, "inputTokens", Number, None),
            (post, "nextPageToken", Text, None),
            (post, "passwordProtected", Boolean, None),
            (post, "password", Boolean, None),
            (post, "isPublic", Boolean, None),
            (post, "publicKey", Text, None),
            (user, "emailVerified", Time, Some(Privilege)),
            (user, "role", Enum, Some(Privilege)),
            (chat, "role", Text, None),
            (post, "role", Text, None),
            (user, "is_admin", Boolean, Some(Privilege)),
            (user, "credits", Number, Some(Privilege)),
            (user, "linksLimit", Number, Some(Privilege)),
            (post, "characterLimit", Number, None),
            (user, "surveyRole", Text, None),
            (user, "email", Text, Some(Personal)),
            (user, "sendEmail", Boolean, None),
            (post, "ipAddress", Text, Some(Personal)),
            (post, "zip", Text, None),
            (user, "clerkId", Text, Some(Personal)),
            (post, "contractAddress", Text, None),
            (post, "", Text, None),
        ] {
            assert_eq!(
                LEXICON.sensitivity(name, kind, standing),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn who_acted_is_not_who_owns() {
        for (name, expected) in [
            ("banned_by_id", true),
            ("reviewedBy", true),
            ("reviewerId", true),
            ("lastEditedById", true),
            ("createdBy", false),
            ("userId", false),
            ("byline", false),
        ] {
            assert_eq!(LEXICON.is_actor(name), expected, "{name}");
        }
    }
}
