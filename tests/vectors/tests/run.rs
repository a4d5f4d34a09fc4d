//! Every vector holds, and the files are what the code writes.

use std::collections::BTreeSet;

use vectors::{Vectors, case, make, procedure};

#[cfg(test)]
fn stored() -> Vec<(String, Vectors)> {
    let files = case::files().expect("spec/vectors can be read");
    files
        .into_iter()
        .map(|(name, text)| {
            let vectors = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, vectors)
        })
        .collect()
}

#[test]
fn every_vector_holds() {
    let mut failures = Vec::new();
    for (file, vectors) in stored() {
        for case in &vectors.cases {
            let outcome = procedure::run(&vectors.procedure, &case.input);
            let expected = match (&case.output, &case.error) {
                (Some(output), None) => Ok(output.clone()),
                (None, Some(error)) => Err(error.clone()),
                _ => panic!("{file}: {:?} needs an output or an error", case.name),
            };
            match outcome {
                Ok(outcome) if outcome == expected => {}
                other => failures.push(format!("{file}: {:?}: {other:?}, not {expected:?}", case.name)),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_files_are_what_the_code_writes() {
    let written: Vec<(String, String)> = make::all()
        .into_iter()
        .map(|(name, vectors)| (name, case::text(&vectors).expect("a text")))
        .collect();
    let stored = case::files().expect("spec/vectors can be read");
    let names =
        |files: &[(String, String)]| files.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
    assert_eq!(names(&stored), names(&written));
    for (name, text) in written {
        let same = stored.iter().any(|(stored, found)| *stored == name && *found == text);
        assert!(same, "{name}: run `cargo xtask vectors`, and read what changed");
    }
}

#[test]
fn no_two_cases_of_a_file_have_one_name_and_every_file_has_both_signs() {
    for (file, vectors) in stored() {
        let names: BTreeSet<&str> = vectors.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), vectors.cases.len(), "{file}");
        assert!(vectors.cases.iter().any(|case| case.output.is_some()), "{file}");
        let has_errors = vectors.cases.iter().any(|case| case.error.is_some());
        assert!(has_errors || vectors.procedure == "direct-room", "{file}");
    }
}

#[test]
fn every_procedure_has_cases() {
    let used: BTreeSet<String> = stored().into_iter().map(|(_, vectors)| vectors.procedure).collect();
    let known: BTreeSet<String> = procedure::names().map(str::to_owned).collect();
    assert_eq!(used, known);
}
