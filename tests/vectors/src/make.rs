//! Makes the content of every vector file. What is negative says by hand which error it must get;
//! keys come from seeds, so that the same bytes come out every time.

mod encryption;
mod federation;
mod files;
mod frames;
mod identity_of;
mod names;
mod peering;
mod people;
mod rooms;
mod statements;
mod sync;

use crate::Vectors;

/// Every file with its path below `spec/vectors`, without the ending.
#[must_use]
pub fn all() -> Vec<(String, Vectors)> {
    let chapters = [
        ("01-names", names::all()),
        ("02-frames", frames::all()),
        ("03-identity", [statements::all(), identity_of::all(), peering::all()].concat()),
        ("05-rooms", rooms::all()),
        ("06-federation", federation::all()),
        ("07-sync", sync::all()),
        ("08-encryption", encryption::all()),
        ("09-media", files::all()),
    ];
    chapters
        .into_iter()
        .flat_map(|(chapter, files)| {
            files.into_iter().map(move |(name, vectors)| (format!("{chapter}/{name}"), vectors))
        })
        .collect()
}

type File = (&'static str, Vectors);

fn file(name: &'static str, procedure: &str, about: &str, cases: Vec<crate::Case>) -> File {
    (name, Vectors { about: about.to_owned(), procedure: procedure.to_owned(), cases })
}
