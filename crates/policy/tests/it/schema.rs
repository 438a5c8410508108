//! The JSON Schema says what the reader says, as far as a schema can.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use portcullis_policy::{Policy, schema};
use serde_json::{Map, Value, json};
use toml_edit::{Document, Item};

const SHOP: &str = include_str!("shop.toml");
const GUIDE: &str = include_str!("../../../../docs/guide/policy.md");

/// A key that is like none, so that the reader lists those that it knows.
const UNKNOWN: &str = "qqqqqqq";

/// A way into the file.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(String),
    Item,
}

/// The text of a file that has a value at the end of a way, and nothing else.
fn file(way: &[Step], value: &str) -> String {
    let mut text = value.to_owned();
    for step in way.iter().skip(1).rev() {
        text = match step {
            Step::Key(key) => format!("{{ {key} = {text} }}"),
            Step::Item => format!("[{text}]"),
        };
    }
    match way.first() {
        Some(Step::Key(key)) => format!("version = 1\n{key} = {text}\n"),
        _ => format!("version = 1\n{}\n", value.trim_matches(['{', '}', ' '])),
    }
}

fn messages(text: &str) -> Vec<String> {
    let errors = Policy::parse(text).expect_err(text);
    errors.iter().map(|error| error.message.clone()).collect()
}

/// The words in backticks of a list.
fn listed(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Follows `$ref` into `$defs`.
fn at<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match schema["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix("#/$defs/"))
    {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

/// Calls back with every table of the schema and the way to it.
pub(crate) fn each_table(
    root: &Value,
    schema: &Value,
    way: &[Step],
    seen: &mut dyn FnMut(&[Step], &Value),
) {
    let schema = at(root, schema);
    let with = |step: Step| [way, &[step]].concat();
    if schema["properties"].is_object() {
        seen(way, schema);
        for (key, inner) in schema["properties"].as_object().expect("properties") {
            each_table(root, inner, &with(Step::Key(key.clone())), seen);
        }
    }
    if schema["additionalProperties"].is_object() {
        // A name that is also a role, a header and a fact.
        each_table(
            root,
            &schema["additionalProperties"],
            &with(Step::Key("a".to_owned())),
            seen,
        );
    }
    if schema["items"].is_object() {
        each_table(root, &schema["items"], &with(Step::Item), seen);
    }
    for inner in schema["anyOf"].as_array().into_iter().flatten() {
        each_table(root, inner, way, seen);
    }
}

/// Both ways: what the reader asks for is in the schema, and what is in the schema is asked for.
#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let root = schema();
    let mut count = 0;
    each_table(&root, &root, &[], &mut |way, table| {
        let told = messages(&file(way, &format!("{{ {UNKNOWN} = 1 }}")));
        let unknown = told
            .iter()
            .find_map(|message| message.strip_prefix(&format!("unknown key `{UNKNOWN}`")))
            .unwrap_or_else(|| panic!("{way:?}: {told:?}"));
        let (noun, keys) = unknown.split_once(": use ").expect("a list of keys");
        let properties = table["properties"].as_object().expect("properties");
        let properties: BTreeSet<String> = properties.keys().cloned().collect();
        assert_eq!(listed(keys), properties, "{way:?}");
        if let Some(noun) = noun.strip_prefix(" of ") {
            let needs = format!("{noun} needs `");
            let needed: BTreeSet<String> = told
                .iter()
                .filter_map(|message| message.strip_prefix(&needs)?.strip_suffix('`'))
                .map(str::to_owned)
                .collect();
            let required = table["required"].as_array().into_iter().flatten();
            let required: BTreeSet<String> = required
                .map(|key| key.as_str().expect("a key").to_owned())
                .collect();
            assert_eq!(needed, required, "{way:?}");
        }
        count += 1;
    });
    assert!(count >= 25, "only {count} tables");
}

/// Where one of several words is written, the schema has those that the reader lists.
#[test]
fn the_reader_and_the_schema_know_the_same_words() {
    let root = schema();
    let mut count = 0;
    each_table(&root, &root, &[], &mut |way, table| {
        for (key, property) in table["properties"].as_object().expect("properties") {
            let (words, value) = if property["enum"].is_array() {
                (&property["enum"], format!("\"{UNKNOWN}\""))
            } else if property["items"]["enum"].is_array() {
                (&property["items"]["enum"], format!("[\"{UNKNOWN}\"]"))
            } else if property["anyOf"][0]["enum"].is_array() {
                (&property["anyOf"][0]["enum"], format!("\"{UNKNOWN}\""))
            } else {
                continue;
            };
            let way = [way, &[Step::Key(key.clone())]].concat();
            let told = messages(&file(&way, &value));
            let known = told
                .iter()
                .find_map(|message| message.split_once(&format!("`{UNKNOWN}`: use ")))
                .unwrap_or_else(|| panic!("{way:?}: {told:?}"));
            let words = words.as_array().expect("words").iter();
            let words: BTreeSet<String> = words
                .map(|word| word.as_str().expect("a word").to_owned())
                .collect();
            assert_eq!(listed(known.1), words, "{way:?}");
            count += 1;
        }
    });
    assert!(count >= 18, "only {count} keys with words");
}

#[test]
fn every_key_is_described() {
    let root = schema();
    each_table(&root, &root, &[], &mut |way, table| {
        for (key, property) in table["properties"].as_object().expect("properties") {
            let says = property["description"].as_str().unwrap_or_default();
            assert!(
                says.ends_with(['.', ';']) && says.len() > 3,
                "{way:?} {key}: {says}"
            );
        }
    });
}

/// What editors are given is what this program says.
#[test]
fn the_schema_of_the_documents_is_this_one() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/portcullis.schema.json");
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "docs/portcullis.schema.json is not what the reader says now: run `cargo xtask docs`"
    );
}

fn validator() -> Validator {
    let schema = schema();
    jsonschema::draft202012::meta::validate(&schema).expect("a schema");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

/// The JSON that editors make of TOML: days are strings.
fn as_json(text: &str) -> Option<Value> {
    let document = Document::parse(text).ok()?;
    Some(table_json(document.as_table()))
}

fn table_json(table: &dyn toml_edit::TableLike) -> Value {
    let entries = table.iter().filter_map(|(key, item)| {
        let value = match item {
            Item::None => return None,
            Item::Value(value) => value_json(value),
            Item::Table(inner) => table_json(inner),
            Item::ArrayOfTables(tables) => tables.iter().map(|one| table_json(one)).collect(),
        };
        Some((key.to_owned(), value))
    });
    Value::Object(entries.collect::<Map<String, Value>>())
}

fn value_json(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => json!(text.value()),
        toml_edit::Value::Integer(number) => json!(number.value()),
        toml_edit::Value::Float(number) => json!(number.value()),
        toml_edit::Value::Boolean(truth) => json!(truth.value()),
        toml_edit::Value::Datetime(time) => json!(time.value().to_string()),
        toml_edit::Value::Array(values) => values.iter().map(value_json).collect(),
        toml_edit::Value::InlineTable(inner) => table_json(inner),
    }
}

fn faults(validator: &Validator, text: &str) -> Vec<String> {
    let value = as_json(text).expect("TOML");
    validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn policies_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            policies_under(&path, found);
        } else if path
            .file_name()
            .is_some_and(|name| name == "portcullis.toml")
        {
            found.push(path);
        }
    }
}

#[test]
fn every_example_fits() {
    let validator = validator();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    policies_under(&root.join("examples"), &mut files);
    policies_under(&root.join("fixtures"), &mut files);
    assert!(!files.is_empty(), "no examples are left");
    let mut texts = vec![SHOP.to_owned()];
    texts.extend(
        files
            .iter()
            .map(|path| fs::read_to_string(path).expect("readable")),
    );
    let guide = GUIDE.split("```toml\n").skip(1);
    texts.extend(guide.filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())));
    for text in texts {
        assert_eq!(faults(&validator, &text), Vec::<String>::new(), "{text}");
    }
}

/// What the reader takes, an editor must not underline. The fuzzer's corpus has what nobody would write.
#[test]
fn the_schema_refuses_nothing_that_the_reader_takes() {
    let validator = validator();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/policy_file");
    let mut taken = 0;
    for entry in fs::read_dir(corpus).expect("a corpus") {
        let Ok(text) = fs::read_to_string(entry.expect("an entry").path()) else {
            continue;
        };
        if Policy::parse(&text).is_ok() {
            assert_eq!(faults(&validator, &text), Vec::<String>::new(), "{text}");
            taken += 1;
        }
    }
    assert!(taken >= 20, "only {taken} policies in the corpus");
}

/// What a schema can know, this one refuses as the reader does.
#[test]
fn what_a_schema_can_know_is_refused_by_both() {
    let validator = validator();
    let route = "[[route]]\npath = \"/a\"\nmethods = [\"GET\"]\n";
    let issuer = "[[identity.issuer]]\nissuer = \"https://i\"\n";
    let guard = "[[guard]]\nsymbol = \"a#b\"\nmeans = \"csrf\"\n";
    let cases = [
        "colour = 1".to_owned(),
        "profile = \"lax\"".to_owned(),
        "max_nodes = 0".to_owned(),
        "public_url = \"shop.example.com\"".to_owned(),
        "upstream = \"https://127.0.0.1\"".to_owned(),
        "upstream = []".to_owned(),
        "static = [\"a\"]".to_owned(),
        "trusted_proxies = [\"proxy.example.com\"]".to_owned(),
        "[proxy]\nlisten = \"localhost:80\"".to_owned(),
        "[proxy]\nconnections_max = 0".to_owned(),
        "[proxy]\nhead_timeout = \"10\"".to_owned(),
        "[proxy]\nhealth = {}".to_owned(),
        "[events]\nkeep = 3".to_owned(),
        "[events]\nkey = \"hunter2\"".to_owned(),
        "[limits.a]\nrate = \"10/m\"".to_owned(),
        "[limits.a]\nrate = \"10 per 1m\"\nby = [\"IP\"]".to_owned(),
        "[limits.a]\nrate = \"10 per 1m\"\nalgorithm = \"exact\"\nburst = 2".to_owned(),
        "[limits.a]\nrate = \"10 per 1m\"\nlockout = \"15m\"".to_owned(),
        "[limits.a]\nrate = \"10 per 1m\"\nalgorithm = \"smooth\"\nlockout = \"15m\"".to_owned(),
        "[limits.\"a b\"]\nrate = \"10 per 1m\"".to_owned(),
        "[identity.api_keys]\nprefix = \"A\"".to_owned(),
        "[identity.api_keys]\nheader = \"X-API-Key\"".to_owned(),
        "[identity.api_keys]\nlifetime_max = 30".to_owned(),
        "[identity.tokens]\nsecret = \"env:S\"".to_owned(),
        "[identity.tokens]\nsecret = \"env:S\"\naudience = \"a\"\nalgorithm = \"HS256\"".to_owned(),
        "[identity.tokens]\nsecret = \"env:S\"\naudience = \"a\"\nkeys = \"/keys\"".to_owned(),
        "[identity.tokens]\nsecret = \"env:S\"\naudience = \"a\"\nclaims = { a = \"list\" }"
            .to_owned(),
        format!("{route}type = \"graphql\""),
        format!("{route}type = \"public_read\"\npermission = \"read\""),
        format!("{route}type = \"public_read\"\nscopes = [\"read\"]"),
        format!("{route}type = \"internal\"\nscopes = [\"read\"]"),
        format!("{route}type = \"public_read\"\nrequires = [\"crsf\"]"),
        format!("{route}type = \"public_read\"\nbody = {{ max = \"16KB\" }}"),
        format!(
            "{route}type = \"public_read\"\nservice = {{ scheme = \"hmac\", secret = \"env:A\" }}"
        ),
        format!(
            "{route}type = \"internal\"\nservice = {{ scheme = \"mtls\", secret = \"env:A\" }}"
        ),
        format!(
            "{route}type = \"webhook\"\nverify = {{ scheme = \"svix\", secret = \"whsec_x\" }}"
        ),
        format!("{route}type = \"webhook\"\nverify = {{ scheme = \"svix\", secret = [] }}"),
        format!("{route}type = \"public_read\"\nhosts = [\"A\"]"),
        "[[route]]\npath = \"/a\"\nmethods = []\ntype = \"public_read\"".to_owned(),
        "[[route]]\nmethods = [\"GET\"]\ntype = \"public_read\"".to_owned(),
        "[[function]]\nname = \"/api\"\ntype = \"public_read\"".to_owned(),
        "[[function]]\nname = \"a:b\"\ntype = \"public_read\"\nobject = \"item\"".to_owned(),
        guard.to_owned(),
        format!("{guard}passes = \"truthy\"\nfails_fields = [\"error\"]"),
        format!("{guard}passes = \"truthy\"\nhandler = 1"),
        "[[except]]\nroute = \"GET /a\"\nlacks = \"csrf\"\nbecause = \"x\"\nowner = \"y\""
            .to_owned(),
        "[audit]\nfail_on = \"hihg\"".to_owned(),
        "[store]\nurl = \"redis://cache\"".to_owned(),
        "[identity]\nsessions = {}".to_owned(),
        "[identity.csrf]\nlifetime = \"1h\"".to_owned(),
        format!("{issuer}algorithms = [\"RS256\"]"),
        format!("{issuer}audience = \"a\"\nalgorithms = [\"HS256\"]"),
        format!("{issuer}preset = \"clerk\"\nalgorithms = [\"RS256\"]"),
        format!("{issuer}preset = \"own\"\nalgorithms = [\"RS256\"]"),
        "[roles]\norder = []".to_owned(),
        "[facts.item]\nsql = \"delete from items where id = $1\"".to_owned(),
        "[cors]\norigins = [\"*\"]".to_owned(),
        "[headers]\nserver = {}".to_owned(),
        "[headers]\nServer = \"keep\"".to_owned(),
        "[csp]\npolicy = \"\"".to_owned(),
    ];
    for case in cases {
        let text = format!("version = 1\n{case}\n");
        assert!(Policy::parse(&text).is_err(), "the reader takes\n{text}");
        assert!(
            !faults(&validator, &text).is_empty(),
            "the schema takes\n{text}"
        );
    }
    assert!(!faults(&validator, "name = \"a\"").is_empty());
    assert!(!faults(&validator, "version = 2").is_empty());
}
