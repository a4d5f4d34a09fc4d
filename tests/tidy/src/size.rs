//! How large a room may grow. Functions are held by clippy (`too_many_lines`).

use crate::tree::{File, report, rust};

const FILE_LINES_MAX: usize = 600;
const CONTENTS_LINES_MAX: usize = 150;

#[test]
fn a_file_holds_one_subject() {
    let offences: Vec<String> = rust()
        .iter()
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(file, lines)| format!("{} has {lines} lines", file.path))
        .collect();
    report("at most 600 lines to a file", &offences);
}

#[test]
fn a_table_of_contents_is_only_that() {
    let mut offences = Vec::new();
    for file in rust().iter().filter(|file| is_contents(file)) {
        if file.text.lines().count() > CONTENTS_LINES_MAX {
            offences.push(format!("{} is longer than {CONTENTS_LINES_MAX} lines", file.path));
        }
        offences.extend(
            file.product_lines()
                .filter(|(_, line)| {
                    let line = line.trim_start();
                    (line.starts_with("fn ") || line.contains(" fn "))
                        && line.ends_with('{')
                        && !line.starts_with("//")
                })
                .map(|(n, _)| format!("{}:{n} holds a function", file.path)),
        );
    }
    report("lib.rs and mod.rs are tables of contents", &offences);
}

fn is_contents(file: &File) -> bool {
    !file.is_test() && (file.name() == "mod.rs" || file.path.ends_with("/src/lib.rs"))
}
