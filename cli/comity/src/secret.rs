//! Secrets that people give: from a file, from a pipe, or typed without being shown; never from the
//! command line, where every process of the machine can read them.

use std::{fs::File, io::Read as _, path::Path};

use zeroize::Zeroizing;

use crate::{context::Context, error::CliError};

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
        Some(path) if path.as_os_str() == "-" => text(&mut std::io::stdin().lock(), asked),
        Some(path) => {
            let mut file = File::open(path).map_err(|error| {
                CliError::usage(format!("cannot open {}", path.display())).cause(error.to_string())
            })?;
            text(&mut file, asked)
        }
        None if context.can_prompt() => prompt(asked.prompt, asked),
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
    let again = prompt("Once more: ", asked)?;
    if again.as_str() == first { Ok(()) } else { Err(CliError::usage("the two are not the same")) }
}

fn prompt(prompt: &str, asked: Asked) -> Result<Zeroizing<String>, CliError> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|error| CliError::usage(format!("cannot ask for {}", asked.what)).cause(error.to_string()))
}

/// The text without the end of its line. One byte more than is allowed shows that it is too long.
fn text(reader: &mut dyn std::io::Read, asked: Asked) -> Result<Zeroizing<String>, CliError> {
    // As large as it may become, so that no part stays behind when it grows.
    let most = asked.bytes_max + 3;
    let mut text = Zeroizing::new(String::with_capacity(most));
    reader
        .take(most as u64)
        .read_to_string(&mut text)
        .map_err(|error| CliError::usage(format!("{} is not text", asked.what)).cause(error.to_string()))?;
    let line =
        text.strip_suffix('\n').map_or(text.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
    text.truncate(line);
    Ok(text)
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
