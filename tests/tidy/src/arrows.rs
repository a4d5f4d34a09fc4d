//! Who may import whom. What is not written here is forbidden. `spec/architecture.md` draws it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::tree::{report, top};

const PROTOCOL: Arrows = &[
    ("machine", &[]),
    ("wire", &["machine"]),
    ("identity", &["machine", "wire"]),
    ("tls", &["identity"]),
    ("mls", &["machine", "identity", "wire"]),
    ("media", &["machine", "wire"]),
    ("room", &["machine", "wire"]),
    ("link", &["machine", "wire", "identity"]),
    ("engine", &["machine", "wire", "identity", "mls", "room", "link"]),
];

const NODE: Arrows = &[
    ("store", &["machine", "wire", "identity"]),
    ("sqlite", &["store", "wire"]),
    ("blobs", &["machine", "wire", "media"]),
    ("domain", &["store", "machine", "wire", "identity", "mls", "room", "link"]),
    ("net", &["store", "blobs", "domain", "link", "tls", "identity", "wire", "machine", "media"]),
    ("auth", &["domain", "wire"]),
    ("comityd", &["store", "sqlite", "blobs", "domain", "auth", "net", "machine", "wire", "identity"]),
];

const CLI: Arrows = &[
    ("client", &["engine", "link", "tls", "identity", "wire", "machine", "media"]),
    ("tui", &["client", "engine"]),
    ("comity", &["client", "tui", "engine", "identity", "wire"]),
];

/// Crates of one room, each with those that it may name.
type Arrows = &'static [(&'static str, &'static [&'static str])];

const ROOMS: [(&str, Arrows); 3] = [("protocol", PROTOCOL), ("node", NODE), ("cli", CLI)];

/// A foreign crate and the only crates of ours, outside `tests/`, that may name it.
const FOREIGN: &[(&str, &[&str])] = &[
    ("openmls", &["mls"]),
    ("openmls_traits", &["mls"]),
    ("openmls_rust_crypto", &["mls"]),
    ("rustls", &["tls", "net", "client"]),
    ("quinn", &["net", "client"]),
    ("sqlx", &["sqlite", "client"]),
    ("argon2", &["identity", "auth", "client"]),
    ("zbus", &["client", "tui"]),
    ("clap", &["comity", "comityd"]),
    ("anyhow", &["comity", "comityd"]),
    ("tokio", &["net", "comityd", "client", "tui", "comity"]),
    ("ratatui", &["tui"]),
];

#[test]
fn every_import_is_an_arrow_of_the_table() {
    let mut offences = Vec::new();
    for (room, table) in ROOMS {
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

/// What nobody imports is not written as if it might be.
#[test]
fn every_arrow_is_used() {
    let mut offences = Vec::new();
    for (room, table) in ROOMS {
        let crates = manifests(room);
        for (name, allowed) in table {
            let dependencies = crates.get(*name).map(Vec::as_slice).unwrap_or_default();
            let unused = allowed.iter().filter(|ours| !dependencies.iter().any(|named| named == *ours));
            offences.extend(unused.map(|ours| format!("{room}/{name} does not import {ours}")));
        }
    }
    let all: BTreeMap<String, Vec<String>> = ROOMS.iter().flat_map(|(room, _)| manifests(room)).collect();
    for (foreign, homes) in FOREIGN {
        let names =
            |home: &&&str| all.get(**home).is_some_and(|named| named.iter().any(|name| name == foreign));
        let without = homes.iter().filter(|home| !names(home));
        offences.extend(without.map(|home| format!("{home} does not name {foreign}")));
    }
    report("an arrow that is drawn is used", &offences);
}

/// The drawing of `spec/architecture.md` is this table.
#[test]
fn the_page_draws_the_same_arrows() {
    let page = fs::read_to_string(top().join("spec/architecture.md")).expect("a page");
    let drawing =
        page.split("\n## Arrows\n").nth(1).and_then(|rest| rest.split("```").nth(1)).expect("a drawing");
    let (mut drawn, mut room) = (BTreeMap::new(), String::new());
    for line in drawing.lines() {
        // What does not stand below the others is the name of a room.
        let crates = match line.split_once(' ') {
            Some((named, rest)) if !named.is_empty() => {
                room = named.to_owned();
                rest
            }
            _ => line,
        };
        for (name, allowed) in crates.split('·').filter_map(|one| one.split_once('▶')) {
            let allowed = allowed.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
            drawn.insert(format!("{room}/{}", name.trim()), allowed);
        }
    }
    let mut held = BTreeMap::new();
    for (room, table) in ROOMS {
        for (name, allowed) in table.iter().filter(|(_, allowed)| !allowed.is_empty()) {
            let allowed = allowed.iter().map(|&ours| ours.to_owned()).collect::<BTreeSet<_>>();
            held.insert(format!("{room}/{name}"), allowed);
        }
    }
    assert_eq!(drawn, held, "the page and the table");
}

#[test]
fn what_the_workspace_depends_on_is_used() {
    let text = fs::read_to_string(top().join("Cargo.toml")).expect("a manifest");
    let table: toml::Table = text.parse().expect("a manifest");
    let mut unused: BTreeSet<String> =
        table["workspace"]["dependencies"].as_table().expect("a table").keys().cloned().collect();
    for room in ["protocol", "node", "cli", "tests"] {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for name in named(room, kind).into_values().flatten() {
                unused.remove(&name);
            }
        }
    }
    let offences: Vec<String> = unused.into_iter().map(|name| format!("nobody names {name}")).collect();
    report("a dependency of the workspace is one of a crate", &offences);
}

#[test]
fn the_tables_name_crates_that_exist() {
    for (room, table) in ROOMS {
        let crates = manifests(room);
        for (name, _) in table {
            assert!(crates.contains_key(*name), "{room}/{name} is in the table and nowhere else");
        }
    }
}

fn is_ours(name: &str) -> bool {
    ROOMS.iter().any(|(_, table)| table.iter().any(|(ours, _)| *ours == name))
        || manifests("tests").contains_key(name)
}

/// The crates of a room with the names of all they depend on, tests and build scripts left out.
fn manifests(room: &str) -> BTreeMap<String, Vec<String>> {
    named(room, "dependencies")
}

/// The crates of a room with the names in one of their tables.
fn named(room: &str, kind: &str) -> BTreeMap<String, Vec<String>> {
    let mut crates = BTreeMap::new();
    for entry in fs::read_dir(top().join(room)).expect("a room") {
        let manifest = entry.expect("an entry").path().join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else { continue };
        let table: toml::Table = text.parse().expect("a manifest");
        let name = table["package"]["name"].as_str().expect("a name").to_owned();
        let dependencies = table.get(kind).and_then(|value| value.as_table()).cloned().unwrap_or_default();
        crates.insert(name, dependencies.keys().cloned().collect());
    }
    crates
}
