//! The form of a vector file.

use std::path::PathBuf;
use std::{fs, io};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::ErrorCode;

/// One file: cases for one procedure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectors {
    /// What the cases show, for a reader.
    pub about: String,
    /// Which procedure to run (`spec/vectors/README.md`).
    pub procedure: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case: an input, and either the output or the name of the error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// What the procedure is given.
    pub input: Value,
    /// What it must give back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The error it must give instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Case {
    /// A case that must succeed.
    #[must_use]
    pub fn good(name: impl Into<String>, input: Value, output: Value) -> Self {
        Self { name: name.into(), input, output: Some(output), error: None }
    }

    /// A case that must fail in this way.
    #[must_use]
    pub fn bad(name: impl Into<String>, input: Value, error: ErrorCode) -> Self {
        Self { name: name.into(), input, output: None, error: Some(error.name().to_owned()) }
    }
}

/// `spec/vectors`.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors")
}

/// Every file below `spec/vectors`, as `chapter/name`, with its content.
///
/// # Errors
/// If a file cannot be read.
pub fn files() -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for chapter in fs::read_dir(folder())? {
        let chapter = chapter?.path();
        if !chapter.is_dir() {
            continue;
        }
        for file in fs::read_dir(&chapter)? {
            let path = file?.path();
            let name = [&chapter, &path].map(|part| part.file_stem().unwrap_or_default().to_string_lossy());
            found.push((name.join("/"), fs::read_to_string(&path)?));
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file: two blanks of indentation and a line feed at the end.
///
/// # Errors
/// None that a value of this kind can cause.
pub fn text(vectors: &Vectors) -> serde_json::Result<String> {
    serde_json::to_string_pretty(vectors).map(|text| text + "\n")
}
