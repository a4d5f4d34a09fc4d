//! Generates `proto`, `ErrorCode` and `limits` from `spec/`, so that the wire and its
//! specification cannot drift apart.

#[path = "build/shape.rs"]
mod shape;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let spec = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../spec");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed={}", spec.join("proto").display());
    println!("cargo:rerun-if-changed={}", spec.join("errors.toml").display());
    println!("cargo:rerun-if-changed={}", spec.join("limits.toml").display());
    messages(&spec.join("proto"), &out)?;
    fs::write(out.join("errors.rs"), errors(&spec.join("errors.toml"))?)?;
    fs::write(out.join("limits.rs"), limits(&spec.join("limits.toml"))?)?;
    Ok(())
}

fn messages(proto: &Path, out: &Path) -> Outcome<()> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(proto)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ext| ext == "proto"));
    files.sort();
    let descriptors = protox::compile(&files, [proto])?;
    fs::write(out.join("shapes.rs"), shape::shapes(&descriptors)?)?;
    prost_build::Config::new().bytes(["."]).btree_map(["."]).compile_fds(descriptors)?;
    Ok(())
}

#[derive(serde::Deserialize)]
struct Row {
    name: String,
    code: u32,
    http: u16,
    exit: u8,
    retryable: bool,
    meaning: String,
    hint: String,
}

fn errors(path: &Path) -> Outcome<String> {
    #[derive(serde::Deserialize)]
    struct List {
        error: Vec<Row>,
    }
    let rows = toml::from_str::<List>(&fs::read_to_string(path)?)?.error;
    let mut code = String::from(
        "/// The closed list of errors (`spec/errors.toml`).\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n\
         pub enum ErrorCode {\n",
    );
    for row in &rows {
        writeln!(code, "    /// {} ({:#x}).\n    {} = {:#x},", row.meaning, row.code, row.name, row.code)?;
    }
    code.push_str("}\n\nimpl ErrorCode {\n    /// Every error, ascending by number.\n    pub const ALL: &'static [Self] = &[");
    for row in &rows {
        write!(code, "Self::{}, ", row.name)?;
    }
    code.push_str("];\n");
    lookup(&mut code, &rows, "The name in the list.", "name", "&'static str", |row| {
        format!("{:?}", row.name)
    })?;
    lookup(&mut code, &rows, "The HTTP status that stands for it.", "http", "u16", |row| {
        row.http.to_string()
    })?;
    lookup(&mut code, &rows, "The exit code of `comity`.", "exit", "u8", |row| row.exit.to_string())?;
    lookup(&mut code, &rows, "Whether the same request may succeed later.", "retryable", "bool", |row| {
        row.retryable.to_string()
    })?;
    lookup(&mut code, &rows, "What it means, in one sentence.", "meaning", "&'static str", |row| {
        format!("{:?}", row.meaning)
    })?;
    lookup(&mut code, &rows, "What a person can do next.", "hint", "&'static str", |row| {
        format!("{:?}", row.hint)
    })?;
    code.push_str("}\n");
    Ok(code)
}

fn lookup(
    code: &mut String,
    rows: &[Row],
    doc: &str,
    name: &str,
    kind: &str,
    value: impl Fn(&Row) -> String,
) -> Outcome<()> {
    writeln!(
        code,
        "\n    /// {doc}\n    #[must_use]\n    pub const fn {name}(self) -> {kind} {{\n        match self {{"
    )?;
    for row in rows {
        writeln!(code, "            Self::{} => {},", row.name, value(row))?;
    }
    code.push_str("        }\n    }\n");
    Ok(())
}

fn limits(path: &Path) -> Outcome<String> {
    let table: toml::Table = toml::from_str(&fs::read_to_string(path)?)?;
    let mut code = String::new();
    for (section, values) in &table {
        for (name, value) in values.as_table().ok_or("a section is a table")? {
            let value = value.as_integer().ok_or("a limit is a whole number")?;
            let wide = name.ends_with("_MS") || name.ends_with("_S") || value > i64::from(u32::MAX);
            let kind = if wide { "u64" } else { "usize" };
            writeln!(code, "/// `{section}` in `spec/limits.toml`.\npub const {name}: {kind} = {value};")?;
        }
    }
    Ok(code)
}
