//! What a terminal pastes for files that are dragged onto it: their paths, in quotes, with escapes, or
//! as `file://` addresses. Whether there are such files only the shell can say.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf};

/// A longer text is no drag of files.
const TEXT_MAX: usize = 16_384;
/// Files of one drag.
const FILES_MAX: usize = 16;

/// The files that a pasted text may mean, likeliest reading first; empty if it is just text.
pub(crate) fn readings(text: &str) -> Vec<Vec<PathBuf>> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_MAX {
        return Vec::new();
    }
    let whole = || Some(vec![path(text.as_bytes().to_vec())?]);
    let lines = || all(text.lines().map(|line| Some(line.trim().as_bytes().to_vec())));
    let words = || all(words(text)?.into_iter().map(Some));
    let mut readings = Vec::new();
    for reading in [words(), lines(), whole()].into_iter().flatten() {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

fn all(words: impl Iterator<Item = Option<Vec<u8>>>) -> Option<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for word in words {
        let word = word?;
        if word.is_empty() {
            continue;
        }
        if paths.len() == FILES_MAX {
            return None;
        }
        paths.push(path(word)?);
    }
    (!paths.is_empty()).then_some(paths)
}

/// The words of a text as a shell sees them: parted by space, unless quoted or escaped.
fn words(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(b'\''), byte) => word.get_or_insert_default().push(byte),
            (_, b'\\') => word.get_or_insert_default().push(bytes.next()?),
            (Some(_), byte) => word.get_or_insert_default().push(byte),
            (None, b'\'' | b'"') => {
                word.get_or_insert_default();
                quote = Some(byte);
            }
            (None, byte) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (None, byte) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A whole path; `None` if it is none, or has a control character that a name of somebody else's making
/// may have.
fn path(word: Vec<u8>) -> Option<PathBuf> {
    let bytes = match word.strip_prefix(b"file://") {
        Some(address) => unescaped(address.strip_prefix(b"localhost").unwrap_or(address))?,
        None => word,
    };
    let plain = bytes.first() == Some(&b'/') && !bytes.iter().any(u8::is_ascii_control);
    plain.then(|| PathBuf::from(OsString::from_vec(bytes)))
}

/// The bytes of an address, of which some are written as `%20`.
fn unescaped(address: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    let mut out = Vec::with_capacity(address.len());
    let mut bytes = address.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => out.push(u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?),
            // A query or a fragment is no part of a file's name.
            b'?' | b'#' => return None,
            byte => out.push(byte),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_terminals_write_them() {
        let rows: &[(&str, &[&str])] = &[
            ("/home/a/plan.pdf", &["/home/a/plan.pdf"]),
            ("  /home/a/plan.pdf \r\n", &["/home/a/plan.pdf"]),
            ("'/home/a/my plan.pdf'", &["/home/a/my plan.pdf"]),
            ("\"/home/a/my plan.pdf\"", &["/home/a/my plan.pdf"]),
            ("/home/a/my\\ plan.pdf", &["/home/a/my plan.pdf"]),
            ("'/home/it'\\''s.pdf'", &["/home/it's.pdf"]),
            ("\"/a/say \\\"x\\\".pdf\"", &["/a/say \"x\".pdf"]),
            ("'/a/back\\slash'", &["/a/back\\slash"]),
            ("file:///home/a/my%20plan.pdf", &["/home/a/my plan.pdf"]),
            ("file://localhost/a/%C3%A4.pdf", &["/a/ä.pdf"]),
            ("file:///a/100%25.pdf\r\nfile:///a/b.pdf\r\n", &["/a/100%.pdf", "/a/b.pdf"]),
            ("/a/1.pdf /a/2.pdf", &["/a/1.pdf", "/a/2.pdf"]),
            ("'/a/1 x.pdf' /a/2\\ x.pdf", &["/a/1 x.pdf", "/a/2 x.pdf"]),
            ("/a/ä ö.pdf", &["/a/ä ö.pdf"]),
        ];
        for (text, expected) in rows {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert!(readings(text).contains(&expected), "{text:?}: {:?}", readings(text));
        }
    }

    #[test]
    fn text_stays_text() {
        let long = format!("/{}", "x".repeat(TEXT_MAX));
        let many = "/a ".repeat(FILES_MAX + 1);
        for text in [
            "",
            "hello",
            "see /etc/hosts",
            "~/plan.pdf",
            "./plan.pdf",
            "http://example/x.pdf",
            "file://elsewhere/a.pdf",
            "file:///a/%zz",
            "file:///a/%2",
            "file:///a/%00b",
            "file:///a/%1bb",
            "file:///a?x",
            "/a/b\u{1b}[2J",
            "/a/b\u{7f}",
            &long,
        ] {
            assert_eq!(readings(text), Vec::<Vec<PathBuf>>::new(), "{text:?}");
        }
        // Every reading is of few files, of which none is there.
        assert!(readings(&many).iter().all(|files| files.len() == 1));
        assert!(readings("'/a/b").iter().all(|files| files == &[PathBuf::from("'/a/b")]), "not closed");
    }
}
