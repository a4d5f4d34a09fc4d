//! What stands on a node's disk, as somebody would see it who stole the machine: the bytes of its
//! files, read without asking the node.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A PrivateMessage begins with its version and wire format (RFC 9420, section 6), and the length
/// of the group's id, which is the room's.
const PRIVATE_MESSAGE: [u8; 5] = [0x00, 0x01, 0x00, 0x02, 0x20];
/// How far behind its beginning a message may name its id.
const ID_WITHIN: usize = 160;
/// Bytes of a message that are shown.
const SHOWN: usize = 256;

/// A message as a file holds it.
pub(super) struct Found {
    /// Which file.
    pub(super) file: PathBuf,
    /// Where in it.
    pub(super) offset: usize,
    /// The bytes from the encrypted part on.
    pub(super) bytes: Vec<u8>,
}

/// Finds the encrypted message with this id in the files below a directory.
pub(super) fn find_message(dir: &Path, room: &[u8; 32], id: &[u8; 16]) -> io::Result<Option<Found>> {
    let start = [&PRIVATE_MESSAGE[..], room].concat();
    for file in files(dir)? {
        let bytes = read(&file)?;
        for at in places(&bytes, &start) {
            let near = bytes.get(at..(at + start.len() + ID_WITHIN).min(bytes.len())).unwrap_or_default();
            let Some(place) = places(near, id).next() else { continue };
            let encrypted = at + place + id.len();
            let shown = bytes.get(encrypted..(encrypted + SHOWN).min(bytes.len())).unwrap_or_default();
            return Ok(Some(Found { file, offset: encrypted, bytes: shown.to_vec() }));
        }
    }
    Ok(None)
}

/// The bytes of a file; none if it went away meanwhile, as a database's side files do.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// How many files below a directory were read, and those that hold the text.
pub(super) fn scan(dir: &Path, text: &[u8]) -> io::Result<(usize, Vec<PathBuf>)> {
    let files = files(dir)?;
    let mut holding = Vec::new();
    for file in &files {
        if places(&read(file)?, text).next().is_some() {
            holding.push(file.clone());
        }
    }
    Ok((files.len(), holding))
}

/// Bytes as hexadecimal and as text, sixteen to a line.
pub(super) fn dump(bytes: &[u8]) -> Vec<String> {
    let line = |chunk: &[u8]| {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = chunk
            .iter()
            .map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' })
            .collect();
        format!("{:<47}  {text}", hex.join(" "))
    };
    bytes.chunks(16).map(line).collect()
}

fn places<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = wanted.first().copied();
    bytes
        .windows(wanted.len().max(1))
        .enumerate()
        .filter(move |(_, window)| window.first().copied() == first && *window == wanted)
        .map(|(at, _)| at)
}

fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let (room, id) = ([7; 32], [9; 16]);
        let message = [&[1, 2, 3][..], &PRIVATE_MESSAGE, &room, &[0; 20], &id, b"encrypted"].concat();
        fs::create_dir(dir.path().join("inner")).expect("made");
        fs::write(dir.path().join("inner/db"), &message).expect("written");
        let found = find_message(dir.path(), &room, &id).expect("read").expect("found");
        assert_eq!(found.bytes, b"encrypted");
        assert!(find_message(dir.path(), &room, &[8; 16]).expect("read").is_none());
        assert_eq!(scan(dir.path(), b"crypt").expect("read").1.len(), 1);
        assert_eq!(scan(dir.path(), b"plain").expect("read").1.len(), 0);
    }

    #[test]
    fn a_dump_is_printable() {
        let lines = dump(b"\x1b[2Jabc");
        assert_eq!(lines, ["1b 5b 32 4a 61 62 63                             .[2Jabc"]);
    }
}
