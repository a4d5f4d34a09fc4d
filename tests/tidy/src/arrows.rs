//! Who may import whom. What is not written here is forbidden. `spec/architecture.md` draws it.

use std::{collections::BTreeMap, fs};

use crate::tree::{report, top};

const PROTOCOL: &[(&str, &[&str])] = &[
    ("machine", &[]),
    ("wire", &["machine"]),
    ("identity", &["machine", "wire"]),
    ("tls", &["identity", "wire"]),
    ("mls", &["machine", "identity", "wire"]),
    ("media", &["machine", "wire"]),
    ("room", &["machine", "wire", "identity", "mls"]),
    ("link", &["machine", "wire", "identity"]),
    ("engine", &["machine", "wire", "identity", "mls", "room", "link"]),
];

const NODE: &[(&str, &[&str])] = &[
    ("store", &["machine", "wire", "identity"]),
    ("sqlite", &["store", "wire"]),
    ("blobs", &["machine", "wire", "media"]),
    ("domain", &["store", "machine", "wire", "identity", "mls", "room", "link"]),
    ("net", &["store", "blobs", "domain", "link", "tls", "identity", "wire", "machine", "media"]),
    ("auth", &["domain", "wire"]),
    ("comityd", &["store", "sqlite", "blobs", "domain", "auth", "net", "tls", "machine", "wire", "identity"]),
];

const CLI: &[(&str, &[&str])] = &[
    ("client", &["engine", "link", "tls", "identity", "wire", "machine", "media"]),
    ("tui", &["client", "engine"]),
    ("comity", &["client", "tui", "engine", "identity", "wire"]),
];

/// A foreign crate and the only crates of ours, outside `tests/`, that may name it.
const FOREIGN: &[(&str, &[&str])] = &[
    ("openmls", &["mls"]),
    ("openmls_traits", &["mls"]),
    ("openmls_rust_crypto", &["mls"]),
    ("openmls_memory_storage", &["mls"]),
    ("rustls", &["tls", "net", "client", "comityd"]),
    ("quinn", &["net", "client", "comityd"]),
    ("sqlx", &["sqlite", "client"]),
    ("argon2", &["identity", "auth", "client"]),
    ("zbus", &["client", "tui"]),
    ("clap", &["comity", "comityd"]),
    ("anyhow", &["comity", "comityd"]),
    ("tokio", &["sqlite", "net", "comityd", "client", "tui", "comity"]),
    ("ratatui", &["tui"]),
];

#[test]
fn every_import_is_an_arrow_of_the_table() {
    let mut offences = Vec::new();
    for (room, table) in [("protocol", PROTOCOL), ("node", NODE), ("cli", CLI)] {
        let crates = manifests(room);
        for (name, dependencies) in &crates {
            let Some((_, allowed)) = table.iter().find(|(known, _)| known == name) else {
                offences.push(format!("{room}/{name} is not in the table"));
                continue;
            };
            let ours = dependencies.iter().filter(|dependency| is_ours(dependency));
            offences.extend(
                ours.filter(|dependency| !allowed.contains(&dependency.as_str()))
                    .map(|dependency| format!("{room}/{name} may not import {dependency}")),
            );
        }
    }
    report("arrows go only downwards", &offences);
}

#[test]
fn foreign_crates_stay_where_they_belong() {
    let mut offences = Vec::new();
    for room in ["protocol", "node", "cli"] {
        for (name, dependencies) in manifests(room) {
            offences.extend(
                FOREIGN
                    .iter()
                    .filter(|(foreign, homes)| {
                        dependencies.iter().any(|dependency| dependency == foreign)
                            && !homes.contains(&name.as_str())
                    })
                    .map(|(foreign, homes)| {
                        format!("{room}/{name} names {foreign}, which belongs to {homes:?}")
                    }),
            );
        }
    }
    report("a foreign crate has one home", &offences);
}

#[test]
fn the_tables_name_crates_that_exist() {
    for (room, table) in [("protocol", PROTOCOL), ("node", NODE), ("cli", CLI)] {
        let crates = manifests(room);
        for (name, _) in table {
            assert!(crates.contains_key(*name), "{room}/{name} is in the table and nowhere else");
        }
    }
}

fn is_ours(name: &str) -> bool {
    [PROTOCOL, NODE, CLI].iter().any(|table| table.iter().any(|(ours, _)| *ours == name))
        || manifests("tests").contains_key(name)
}

/// The crates of a room with the names of all they depend on, tests and build scripts left out.
fn manifests(room: &str) -> BTreeMap<String, Vec<String>> {
    let mut crates = BTreeMap::new();
    for entry in fs::read_dir(top().join(room)).expect("a room") {
        let manifest = entry.expect("an entry").path().join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else { continue };
        let table: toml::Table = text.parse().expect("a manifest");
        let name = table["package"]["name"].as_str().expect("a name").to_owned();
        let dependencies =
            table.get("dependencies").and_then(|value| value.as_table()).cloned().unwrap_or_default();
        crates.insert(name, dependencies.keys().cloned().collect());
    }
    crates
}
