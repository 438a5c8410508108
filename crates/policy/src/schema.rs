//! The JSON Schema of the policy file, for editors.

use serde_json::{Map, Value, json};

use crate::bounds::{ENTRIES_MAX, LIST_MAX, NAME_BYTES_MAX, STRING_BYTES_MAX};
use crate::form::{Form, Key, Kind};
use crate::policy_file::{TABLES, VERSION};
use crate::secret_keys;

/// The JSON Schema (draft 2020-12) of the policy file.
///
/// It knows keys, words, kinds and the forms of values. What the reader alone knows (that a limit exists, that two routes
/// do not overlap) it lets pass.
#[must_use]
pub fn schema() -> Value {
    let version = crate::form::need(
        "version",
        Kind::Count(VERSION, VERSION),
        "The version of the file's format.",
    );
    let keys: Vec<&Key> = std::iter::once(&version)
        .chain(TABLES.iter().map(|(key, _)| key))
        .collect();
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:portcullis:policy:{VERSION}"),
        "title": "portcullis.toml",
        "description": "What the routes of a web service are, and what each of them must have.",
    });
    extend(&mut root, object(&keys));
    extend(&mut root, json!({ "$defs": definitions() }));
    root
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(map), Value::Object(more)) = (value, more) {
        map.extend(more);
    }
}

/// A table of known keys and no others.
fn object(keys: &[&Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let needed: Vec<&str> = keys
        .iter()
        .filter(|key| key.is_needed)
        .map(|key| key.name)
        .collect();
    let mut object = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if !needed.is_empty() {
        extend(&mut object, json!({ "required": needed }));
    }
    object
}

fn form(form: &Form) -> Value {
    let keys: Vec<&Key> = form.keys.iter().collect();
    let mut table = json!({ "description": form.says });
    extend(&mut table, object(&keys));
    let rules: Vec<Value> = form
        .rules
        .iter()
        .filter_map(|rule| serde_json::from_str(rule).ok())
        .collect();
    if !rules.is_empty() {
        extend(&mut table, json!({ "allOf": rules }));
    }
    table
}

fn property(key: &Key) -> Value {
    let mut property = json!({ "description": key.says });
    let mut described = kind(&key.kind);
    // The key's own sentence says more than that of the table.
    if let Value::Object(map) = &mut described {
        map.remove("description");
    }
    extend(&mut property, described);
    if let Some(default) = key
        .default
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
    {
        extend(&mut property, json!({ "default": default }));
    }
    property
}

fn kind(one: &Kind) -> Value {
    match one {
        Kind::Prose => json!({ "type": "string", "minLength": 1, "maxLength": STRING_BYTES_MAX }),
        Kind::Name => definition("name"),
        Kind::Secret => definition("secret"),
        Kind::Secrets => definition("secrets"),
        Kind::Duration => definition("duration"),
        Kind::Size => definition("size"),
        Kind::Pattern(pattern) => {
            json!({ "type": "string", "pattern": pattern, "maxLength": STRING_BYTES_MAX })
        }
        Kind::Words(words) => json!({ "enum": words }),
        Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Truth => json!({ "type": "boolean" }),
        Kind::Date => {
            json!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
        }
        Kind::List(each) => list(each, 0),
        Kind::Some(each) => list(each, 1),
        Kind::OneOrSome(each) => json!({ "anyOf": [kind(each), list(each, 1)] }),
        Kind::Table(table) => form(table),
        Kind::Tables(table, most) => {
            json!({ "type": "array", "maxItems": most, "items": form(table) })
        }
        Kind::Map(each) => json!({
            "type": "object",
            "maxProperties": ENTRIES_MAX,
            "propertyNames": definition("name"),
            "additionalProperties": kind(each),
        }),
        Kind::Headers(each) => json!({
            "type": "object",
            "maxProperties": LIST_MAX,
            "propertyNames": { "pattern": "^[a-z0-9-]+$" },
            "additionalProperties": kind(each),
        }),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(kind).collect::<Vec<Value>>() }),
    }
}

fn list(each: &Kind, least: usize) -> Value {
    json!({
        "type": "array",
        "minItems": least,
        "maxItems": LIST_MAX,
        "uniqueItems": true,
        "items": kind(each),
    })
}

fn definition(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn definitions() -> Value {
    json!({
        "name": {
            "description": "Letters, digits and `_ - . : / @`.",
            "type": "string",
            "pattern": "^[A-Za-z0-9_.:/@-]+$",
            "maxLength": NAME_BYTES_MAX,
        },
        "secret": {
            "description": "Where a secret is kept, which is never here: `env:NAME` or `file:PATH`.",
            "type": "string",
            "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$",
        },
        "secrets": {
            "description": "Where a secret is kept, or a list of its keys: the first signs, all of them verify.",
            "anyOf": [
                definition("secret"),
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": secret_keys::KEYS_MAX,
                    "items": form(&secret_keys::FORM),
                },
            ],
        },
        "duration": {
            "description": "A whole number that is not zero, and `ms`, `s`, `m`, `h` or `d`.",
            "type": "string",
            "pattern": "^0*[1-9][0-9]*(ms|s|m|h|d)$",
        },
        "size": {
            "description": "A whole number that is not zero, a space, and `B`, `KiB`, `MiB` or `GiB`; at most `1 GiB`.",
            "type": "string",
            "pattern": "^0*[1-9][0-9]* (B|KiB|MiB|GiB)$",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_form(kind: &Kind, look: &mut dyn FnMut(&Form)) {
        match kind {
            Kind::Table(form) | Kind::Tables(form, _) => {
                look(form);
                for key in form.keys {
                    each_form(&key.kind, look);
                }
            }
            Kind::List(each)
            | Kind::Some(each)
            | Kind::OneOrSome(each)
            | Kind::Map(each)
            | Kind::Headers(each) => each_form(each, look),
            Kind::Either(kinds) => kinds.iter().for_each(|one| each_form(one, look)),
            _ => {}
        }
    }

    /// A rule or a default that is no JSON would be left out in silence.
    #[test]
    fn every_rule_and_default_is_json() {
        let mut rules = 0;
        for (key, _) in &TABLES {
            each_form(&key.kind, &mut |form| {
                for rule in form.rules {
                    assert!(serde_json::from_str::<Value>(rule).is_ok(), "{rule}");
                    rules += 1;
                }
                for default in form.keys.iter().filter_map(|key| key.default) {
                    assert!(serde_json::from_str::<Value>(default).is_ok(), "{default}");
                }
            });
        }
        assert!(rules >= 10, "only {rules} rules");
    }
}
