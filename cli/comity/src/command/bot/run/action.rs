//! What a program may want, and doing it. Bad lines get a named error and do nothing.

use std::time::Duration;

use client::{Client, Level, Outgoing, RoomId, Sent};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::event::Event;
use crate::{
    device::{self, Word},
    error::CliError,
    output::line,
};

/// A `ref` is a name, not a load.
const REF_BYTES_MAX: usize = 256;
/// How long an action waits for `wait` if it does not say.
const PATIENCE_S: u64 = 30;
/// The longest that it may say: others wait behind it.
const PATIENCE_S_MAX: u64 = 300;

/// An action. The fields are those of `schema.json`, which a test compares.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    Send {
        to: String,
        text: String,
        reply_to: Option<String>,
        wait: Option<Level>,
        timeout: Option<u64>,
    },
    Edit {
        room: String,
        message: String,
        text: String,
    },
    Redact {
        room: String,
        message: String,
    },
    React {
        room: String,
        message: String,
        emoji: String,
        #[serde(default)]
        remove: bool,
    },
    Read {
        room: String,
        seq: u64,
    },
    Typing {
        room: String,
        active: bool,
    },
    Accept {
        room: String,
    },
    Decline {
        room: String,
    },
    Leave {
        room: String,
    },
}

/// What came of an action.
struct Outcome {
    room: RoomId,
    message: Option<String>,
    seq: Option<u64>,
    level: Option<Level>,
}

/// Why a line is no action, with its `ref` if it has one.
type Refused = (Option<Value>, CliError);

/// Does what a line says.
pub(super) async fn perform(client: &Client, text: &str) -> Event {
    let (reference, action) = match parse(text) {
        Ok(parsed) => parsed,
        Err(failure) => return refused(failure.0, &failure.1),
    };
    match act(client, action).await {
        Ok(Outcome { room, message, seq, level }) => {
            Event::Done { reference, room: room.to_string(), message, seq, level }
        }
        Err(error) => refused(Some(reference), &error),
    }
}

/// The event that says why something was not done.
pub(super) fn refused(reference: Option<Value>, error: &CliError) -> Event {
    let value = error.value();
    let text = |field: &str| value[field].as_str().map(str::to_owned);
    Event::Error {
        reference: reference.unwrap_or(Value::Null),
        name: text("name").unwrap_or_default(),
        number: value["number"].as_u64(),
        retryable: value["retryable"].as_bool().unwrap_or(false),
        message: text("message").unwrap_or_default(),
        hint: text("hint"),
    }
}

fn parse(text: &str) -> Result<(Value, Action), Box<Refused>> {
    let malformed = |why: String| {
        CliError::found_by_verb("the line is no action", client::ErrorCode::Malformed)
            .cause(why)
            .hint("comity bot run --schema")
    };
    let mut object: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| Box::new((None, malformed(line(&error.to_string())))))?;
    let reference = object.remove("ref").unwrap_or(Value::Null);
    if reference.is_object() || reference.is_array() || reference.to_string().len() > REF_BYTES_MAX {
        let why = format!("`ref` is a text or a number of at most {REF_BYTES_MAX} bytes");
        return Err(Box::new((None, malformed(why))));
    }
    match serde_json::from_value(Value::Object(object)) {
        Ok(action) => Ok((reference, action)),
        Err(error) => Err(Box::new((Some(reference), malformed(line(&error.to_string()))))),
    }
}

/// Whether a line is an action.
pub(super) fn is_one(text: &str) -> bool {
    parse(text).is_ok()
}

async fn act(client: &Client, action: Action) -> Result<Outcome, CliError> {
    match action {
        Action::Send { to, text, reply_to, wait, timeout } => {
            let sent = send(client, &to, text, reply_to).await?;
            waited(client, sent, wait, timeout).await
        }
        Action::Edit { room, message, text } => {
            about(client, &room, &message, |target| Outgoing::Edit { target, body: text }).await
        }
        Action::Redact { room, message } => {
            about(client, &room, &message, |target| Outgoing::Delete { target }).await
        }
        Action::React { room, message, emoji, remove } => {
            about(client, &room, &message, |target| Outgoing::React { target, emoji, remove }).await
        }
        Action::Read { room, seq } => {
            let room = find(client, &room).await?;
            done(room, client.mark_read(room, seq).await)
        }
        Action::Typing { room, active } => {
            let room = find(client, &room).await?;
            done(room, client.typing(room, active).await)
        }
        Action::Accept { room } => {
            let room = device::find(client, &word(&room)?).await?.id;
            done(room, client.answer(room, true).await)
        }
        Action::Decline { room } => {
            let room = device::find(client, &word(&room)?).await?.id;
            done(room, client.answer(room, false).await)
        }
        Action::Leave { room } => {
            let room = find(client, &room).await?;
            let leaving = timeout(Duration::from_secs(PATIENCE_S), client.leave(room)).await;
            done(room, leaving.unwrap_or(Ok(())))
        }
    }
}

fn word(text: &str) -> Result<Word, CliError> {
    device::word(text).map_err(CliError::usage)
}

async fn find(client: &Client, text: &str) -> Result<RoomId, CliError> {
    device::find_joined(client, &word(text)?).await.map(|room| room.id)
}

fn done(room: RoomId, result: Result<(), client::ClientError>) -> Result<Outcome, CliError> {
    result.map_err(|error| device::failed("it was not done", error))?;
    Ok(Outcome { room, message: None, seq: None, level: None })
}

async fn send(client: &Client, to: &str, text: String, reply_to: Option<String>) -> Result<Sent, CliError> {
    if text.trim().is_empty() {
        return Err(CliError::usage("the text is empty"));
    }
    let sent = match (word(to)?, reply_to) {
        (Word::Account(account), None) => client.send_to(&account, Outgoing::text(text)).await,
        (to, reply_to) => {
            let room = device::find_joined(client, &to).await?.id;
            let reply_to = match reply_to {
                Some(text) => Some(find_message(client, room, &text).await?),
                None => None,
            };
            client.send(room, Outgoing::Text { body: text, reply_to }).await
        }
    };
    sent.map_err(|error| device::failed("cannot send", error))
}

async fn find_message(client: &Client, room: RoomId, text: &str) -> Result<client::MessageId, CliError> {
    let word = device::message_word(text).map_err(CliError::usage)?;
    device::find_message(client, room, &word).await.map(|message| message.id)
}

async fn waited(
    client: &Client,
    sent: Sent,
    wait: Option<Level>,
    seconds: Option<u64>,
) -> Result<Outcome, CliError> {
    let Some(level) = wait else {
        return Ok(Outcome { room: sent.room, message: None, seq: None, level: Some(Level::Queued) });
    };
    let seconds = seconds.unwrap_or(PATIENCE_S).min(PATIENCE_S_MAX);
    match timeout(Duration::from_secs(seconds), client.wait(sent, level)).await {
        Ok(Ok(message)) => Ok(Outcome {
            room: sent.room,
            message: Some(message.id.to_string()),
            seq: Some(message.seq),
            level: message.level,
        }),
        Ok(Err(error)) => Err(device::failed("the message will not be sent", error)),
        Err(_) => Err(CliError::pending(format!("not that far after {}", crate::error::seconds(seconds)))
            .cause("it is kept and goes on by itself")),
    }
}

/// Something about a message that is there.
async fn about(
    client: &Client,
    room: &str,
    message: &str,
    what: impl FnOnce(client::MessageId) -> Outgoing,
) -> Result<Outcome, CliError> {
    let room = find(client, room).await?;
    let target = find_message(client, room, message).await?;
    let sent = client.send(room, what(target)).await;
    sent.map_err(|error| device::failed("it was not done", error))?;
    Ok(Outcome { room, message: Some(target.to_string()), seq: None, level: Some(Level::Queued) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_line_is_refused_by_name_and_its_ref_comes_back() {
        for (text, reference) in [
            ("", Value::Null),
            ("hello", Value::Null),
            ("[]", Value::Null),
            ("\"send\"", Value::Null),
            ("{}", Value::Null),
            ("{\"action\":1}", Value::Null),
            ("{\"action\":\"fly\",\"ref\":7}", 7.into()),
            ("{\"action\":\"send\",\"ref\":\"a\"}", "a".into()),
            ("{\"action\":\"send\",\"to\":\"#x\",\"text\":5,\"ref\":\"a\"}", "a".into()),
            ("{\"action\":\"send\",\"to\":\"#x\",\"text\":\"y\",\"colour\":1,\"ref\":\"a\"}", "a".into()),
            ("{\"action\":\"send\",\"to\":\"#x\",\"text\":\"y\",\"wait\":\"soon\"}", Value::Null),
            ("{\"action\":\"read\",\"room\":\"#x\",\"seq\":-1}", Value::Null),
            ("{\"action\":\"send\",\"ref\":{}}", Value::Null),
            (&format!("{{\"action\":\"send\",\"ref\":\"{}\"}}", "x".repeat(300)), Value::Null),
            (&"[".repeat(100_000), Value::Null),
            ("{\"action\":\"send\",\"to\":\"#x\"", Value::Null),
            ("{\"action\":\"\u{1b}[2J\"}", Value::Null),
        ] {
            let (given, error) = *parse(text).expect_err(text);
            assert_eq!(given.unwrap_or(Value::Null), reference, "{text:.60}");
            let Event::Error { name, number, message, .. } = refused(None, &error) else {
                panic!("{text:.60} is no error")
            };
            assert_eq!(
                (name.as_str(), number),
                ("Malformed", Some(client::ErrorCode::Malformed.code().into()))
            );
            assert!(!message.contains('\u{1b}'), "{message:?}");
        }
    }

    #[test]
    fn every_action_of_the_schema_is_one_and_its_required_fields_suffice() {
        let schema: Value = serde_json::from_str(super::super::SCHEMA).expect("JSON");
        let described = schema["$defs"]["action"]["oneOf"].as_array().expect("a list");
        assert_eq!(described.len(), 9);
        for action in described {
            let properties = action["properties"].as_object().expect("fields");
            let required: Vec<&str> =
                action["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
            for all in [false, true] {
                let mut object = Map::new();
                for (name, field) in properties {
                    if !all && !required.contains(&name.as_str()) {
                        continue;
                    }
                    let value = match (field.get("const"), field.get("enum"), field["type"].as_str()) {
                        (Some(value), _, _) => value.clone(),
                        (_, Some(values), _) => values[0].clone(),
                        (_, _, Some("boolean")) => true.into(),
                        (_, _, Some("integer")) => 1.into(),
                        _ => "x".into(),
                    };
                    object.insert(name.clone(), value);
                }
                let text = Value::Object(object).to_string();
                parse(&text).unwrap_or_else(|failure| panic!("{text}: {}", failure.1.value()));
            }
            let mut unknown: Map<String, Value> = Map::new();
            unknown.insert("action".into(), properties["action"]["const"].clone());
            parse(&Value::Object(unknown).to_string()).expect_err("fields are missing");
        }
    }
}
