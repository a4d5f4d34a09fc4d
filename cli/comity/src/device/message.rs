//! Finds a message of a room by what was typed.

use client::{Client, Cursor, Message, RoomId};

use super::{PREFIX_MIN, failed};
use crate::{error::CliError, output::line};

/// Digits of a message's id.
const ID_DIGITS: usize = 32;
/// So many digits are one message's alone: no other is looked for.
const DIGITS_ENOUGH: usize = 16;
/// Candidates that are named when several messages fit.
const CANDIDATES: u32 = 10;

/// What somebody typed for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MessageWord {
    /// The beginning of its id, or all of it.
    Id(String),
    /// `@120`: its place in the room.
    Seq(u64),
}

/// Reads a word for a message.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn message_word(text: &str) -> Result<MessageWord, String> {
    if let Some(seq) = text.strip_prefix('@') {
        return match seq.parse() {
            Ok(seq) if seq > 0 => Ok(MessageWord::Seq(seq)),
            _ => Err("a place in the room looks like @120".to_owned()),
        };
    }
    let id = text.to_ascii_lowercase();
    let digits = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits && (PREFIX_MIN..=ID_DIGITS).contains(&id.len()) {
        return Ok(MessageWord::Id(id));
    }
    Err(format!(
        "`{}` is no message: give at least {PREFIX_MIN} digits of its id, or @ and its seq, such as @120",
        line(text)
    ))
}

/// The message of a room that a word stands for, as it is now.
///
/// # Errors
/// `NotFound`, or usage with the candidates if there are several.
pub(crate) async fn find_message(
    client: &Client,
    room: RoomId,
    word: &MessageWord,
) -> Result<Message, CliError> {
    let broken = |error| failed("cannot read the room", error);
    let mut found = match word {
        MessageWord::Seq(seq) => {
            let cursor = Cursor { after: Some(seq - 1), before: seq.checked_add(1), limit: 1 };
            client.messages(room, cursor).await.map_err(broken)?.messages
        }
        MessageWord::Id(id) => {
            let limit = if id.len() >= DIGITS_ENOUGH { 1 } else { CANDIDATES };
            let cursor = Cursor { limit, ..Cursor::default() };
            let wanted = |message: &Message| message.id.to_string().starts_with(id.as_str());
            client.messages_that(room, cursor, wanted).await.map_err(broken)?.messages
        }
    };
    match (found.pop(), found.is_empty()) {
        (Some(message), true) => Ok(message),
        (None, _) => Err(CliError::not_found("there is no such message in this room")
            .cause("an edit, a reaction and a receipt have no place of their own")
            .hint("comity message list ROOM --json=seq,id,text")),
        (Some(last), false) => {
            found.push(last);
            let mut error = CliError::usage("several messages fit");
            for message in &found {
                error = error.cause(format!("{} @{}", message.id, message.seq));
            }
            Err(error.hint("give more digits of the id, or @SEQ"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_and_an_id_are_never_taken_for_each_other() {
        assert_eq!(message_word("@120"), Ok(MessageWord::Seq(120)));
        assert_eq!(message_word("1200"), Ok(MessageWord::Id("1200".into())));
        assert_eq!(message_word("ABcd"), Ok(MessageWord::Id("abcd".into())));
        for bad in ["", "@", "@0", "@-1", "@x", "120", "xyzw", "#ops", "\u{1b}[2J", &"a".repeat(33)] {
            let error = message_word(bad).expect_err(bad);
            assert!(!error.contains('\u{1b}'), "{error:?}");
        }
    }
}
