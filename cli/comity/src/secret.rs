//! Secrets that people give: from a file, from a pipe, or typed without being shown; never from the
//! command line, where every process of the machine can read them.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use zeroize::Zeroizing;

use crate::{context::Context, error::CliError, hidden};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// In a sentence: `the invitation`.
    pub(crate) what: &'static str,
    /// What stands before the cursor.
    pub(crate) prompt: &'static str,
    /// The option that names a file.
    pub(crate) option: &'static str,
    /// More is not read.
    pub(crate) bytes_max: usize,
}

/// Reads it: from the file, `-` for stdin; else asks, if a person is there; else reads stdin.
///
/// # Errors
/// Usage, if it is missing, no text, or its file cannot be opened.
pub(crate) fn read(
    context: &Context,
    file: Option<&Path>,
    asked: Asked,
) -> Result<Zeroizing<String>, CliError> {
    match file {
        Some(path) => with_file(path, |_| Ok(()), |reader| text(reader, asked)),
        None if context.can_prompt() => typed(asked.prompt, asked.what),
        None if !context.stdin_terminal() => text(&mut std::io::stdin().lock(), asked),
        None => Err(CliError::usage(format!("{} is missing", asked.what))
            .hint(format!("put it into a file and add {0} FILE, or pipe it in with {0} -", asked.option))),
    }
}

/// Asks for it once more, if a person typed it: nobody sees what is typed.
///
/// # Errors
/// Usage, if it is another this time.
pub(crate) fn confirm(
    context: &Context,
    file: Option<&Path>,
    asked: Asked,
    first: &str,
) -> Result<(), CliError> {
    if file.is_some() || !context.can_prompt() {
        return Ok(());
    }
    let again = typed("Once more: ", asked.what)?;
    if again.as_str() == first { Ok(()) } else { Err(CliError::usage("the two are not the same")) }
}

/// Reads the first line of a file, `-` for stdin; more than `bytes_max` of it is not read. A file that
/// everybody may read is refused.
///
/// # Errors
/// Usage, if it cannot be read, or is no text.
pub(crate) fn first_line(path: &Path, what: &str, bytes_max: usize) -> Result<Zeroizing<String>, CliError> {
    let private = |file: &File| {
        let found = file.metadata().map_err(|error| unreadable(path, &error))?;
        if found.is_file() && found.mode() & 0o007 != 0 {
            return Err(CliError::usage(format!("everybody may read {}", path.display()))
                .hint(format!("chmod 600 {}: whoever could read it may know {what}", path.display())));
        }
        Ok(())
    };
    with_file(path, private, |reader| {
        let mut line = roomy(bytes_max);
        let mut reader = BufReader::with_capacity(1, reader.take(bytes_max as u64));
        reader.read_line(&mut line).map_err(|error| no_text(what, &error))?;
        let kept = line.trim_end_matches(['\n', '\r']).len();
        line.truncate(kept);
        Ok(line)
    })
}

/// Asks for it on the terminal; nobody sees what is typed.
///
/// # Errors
/// Usage, if nobody can be asked.
pub(crate) fn typed(prompt: &str, what: &str) -> Result<Zeroizing<String>, CliError> {
    hidden::read(prompt).map_err(|error| match error.kind() {
        std::io::ErrorKind::Interrupted => CliError::interrupted(),
        _ => CliError::usage(format!("cannot ask for {what}")).cause(error.to_string()),
    })
}

/// Reads a file that has passed the check, or stdin, which passes always.
fn with_file(
    path: &Path,
    check: impl FnOnce(&File) -> Result<(), CliError>,
    read: impl FnOnce(&mut dyn Read) -> Result<Zeroizing<String>, CliError>,
) -> Result<Zeroizing<String>, CliError> {
    if path.as_os_str() == "-" {
        return read(&mut std::io::stdin().lock());
    }
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    check(&file)?;
    read(&mut file)
}

/// The text without the end of its line. One byte more than is allowed shows that it is too long.
fn text(reader: &mut dyn Read, asked: Asked) -> Result<Zeroizing<String>, CliError> {
    let most = asked.bytes_max + 3;
    let mut text = roomy(most);
    reader.take(most as u64).read_to_string(&mut text).map_err(|error| no_text(asked.what, &error))?;
    let line =
        text.strip_suffix('\n').map_or(text.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
    text.truncate(line);
    Ok(text)
}

/// As large as it may become, so that no part stays behind when it grows.
fn roomy(bytes_max: usize) -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(bytes_max))
}

fn unreadable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::usage(format!("cannot open {}", path.display())).cause(error.to_string())
}

fn no_text(what: &str, error: &std::io::Error) -> CliError {
    CliError::usage(format!("{what} is not text")).cause(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked = Asked { what: "the word", prompt: "", option: "--word-file", bytes_max: 4 };

    #[test]
    fn one_end_of_line_goes_and_nothing_else() {
        for (given, expected) in [
            ("word\n", "word"),
            ("word\r\n", "word"),
            ("word", "word"),
            ("wor \n", "wor "),
            (" or\n\n", " or\n"),
            ("", ""),
            ("\n", ""),
        ] {
            let read = text(&mut given.as_bytes(), ASKED).expect("text");
            assert_eq!(*read, expected, "{given:?}");
        }
        assert!(text(&mut "longer".as_bytes(), ASKED).expect("text").len() > ASKED.bytes_max);
        assert!(text(&mut &[0xff, 0xfe][..], ASKED).is_err());
    }
}
