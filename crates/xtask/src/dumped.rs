//! What `portcullis dump` prints: asked of the binary of this workspace, and the keys of it read.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::environment::Environment;

/// What `portcullis dump WHAT` prints.
pub(crate) fn ask(environment: &Environment, what: &str) -> Result<String> {
    printed(environment, &["dump", what])
}

/// What `portcullis` prints when it is told these words.
pub(crate) fn printed(environment: &Environment, words: &[&str]) -> Result<String> {
    let run = [
        "run",
        "--quiet",
        "--locked",
        "--package",
        "portcullis",
        "--",
    ];
    let output = Command::new(&environment.cargo)
        .args(run)
        .args(words)
        .current_dir(&environment.root)
        .output()
        .context("cannot run `cargo`")?;
    if !output.status.success() {
        bail!(
            "`portcullis {}` failed: {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).context("it printed something else than text")
}

/// The document, which is of this schema.
pub(crate) fn document(text: &str, must: &str) -> Result<Value> {
    let document: Value = serde_json::from_str(text).context("it is not JSON")?;
    let schema = word(&document, "schema")?;
    if schema != must {
        bail!("its schema is `{schema}`, not `{must}`");
    }
    Ok(document)
}

/// A key may hold null: the word is empty then.
pub(crate) fn word(value: &Value, key: &str) -> Result<String> {
    match value.get(key) {
        Some(Value::String(word)) => Ok(word.clone()),
        Some(Value::Null) => Ok(String::new()),
        Some(_) => bail!("`{key}` is not a string"),
        None => bail!("there is no `{key}`"),
    }
}

/// The entries of a list.
pub(crate) fn entries<'v>(value: &'v Value, key: &str) -> Result<&'v Vec<Value>> {
    let list = value.get(key).and_then(Value::as_array);
    list.with_context(|| format!("there is no list `{key}`"))
}

/// A list of words or numbers.
pub(crate) fn list(value: &Value, key: &str) -> Result<Vec<String>> {
    let words = entries(value, key)?.iter().map(|entry| match entry {
        Value::String(word) => Ok(word.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => bail!("`{key}` holds something else than words"),
    });
    words.collect()
}
