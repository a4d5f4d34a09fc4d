//! The device that a verb acts as: opened, brought up to date, and its words found: rooms by
//! `#name`, by the beginning of an id or by account, messages by the beginning of an id or `@SEQ`.

mod message;
pub(crate) mod reach;

pub(crate) use message::{MessageWord, find_message, message_word};

use std::{path::PathBuf, time::Duration};

use client::{Account, Client, ClientError, Protection, Room, Standing};
use tokio::time::{Instant, timeout};

use crate::{
    context::Context,
    error::{self, CliError},
    output::{line, room_label, short},
    passphrase,
};

/// How long a verb that shows waits for a session with the node.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it waits for what the node has, once there is a session.
const CATCH_UP: Duration = Duration::from_secs(30);
/// How often to look for what no happening tells.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long closing may take.
const CLOSE: Duration = Duration::from_secs(2);
/// Digits of an id that may stand for it.
const PREFIX_MIN: usize = 4;

/// Opens the device, does something with it, and closes it whatever came of it.
///
/// # Errors
/// Those of opening and of `verb`.
pub(crate) async fn with<T>(
    context: &Context,
    verb: impl AsyncFnOnce(&Client) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let client = open(context).await?;
    let outcome = tokio::select! {
        outcome = verb(&client) => outcome,
        _ = tokio::signal::ctrl_c() => Err(CliError::interrupted()),
    };
    // What was decided is on disk; a node that does not take the rest gets it next time.
    let _ = timeout(CLOSE, client.close()).await;
    outcome
}

/// Opens the device, and asks for its passphrase if it is locked.
///
/// # Errors
/// Those of opening; `Locked` if nobody can be asked.
pub(crate) async fn open(context: &Context) -> Result<Client, CliError> {
    let dir = sealed(context).await?;
    match Client::open(&dir).await {
        Err(ClientError::Locked) => {}
        opened => return opened.map_err(|error| failed("cannot open the device", error)),
    }
    passphrase::unlock(context, async |unlock| Client::open_with(&dir, unlock).await).await
}

/// The directory of the device. What a version kept in it that sealed nothing is sealed, and that is
/// told.
///
/// # Errors
/// Usage if it is not known whose, or if a passphrase is given for a device that none protects; storage.
pub(crate) async fn sealed(context: &Context) -> Result<PathBuf, CliError> {
    let dir = context.profile()?;
    let outcome = client::seal_plain(&dir).await;
    if outcome.map_err(|error| failed("cannot seal what the device keeps", error))? {
        context.status(
            "An older version kept keys and messages of this device in the clear. They are sealed now, by a \
             key file beside them, and what stood there is overwritten.",
        );
        context.hint("against somebody who has the disk: comity account protect passphrase");
    }
    // To go on would be to trust whoever made it open without.
    if context.passphrase_file().is_some()
        && let Ok(protection) = client::protection(&dir)
        && protection != Protection::Passphrase
    {
        let what = "a passphrase is given, and this device opens without one";
        return Err(CliError::usage(what)
            .cause(format!("its protection is: {}", protection.name()))
            .hint("leave out --passphrase-file; if a passphrase should protect it, somebody changed that"));
    }
    Ok(dir)
}

/// Waits until everything that the node has is here; says so if it cannot be.
///
/// # Errors
/// Those of asking the device.
pub(crate) async fn catch_up(context: &Context, client: &Client) -> Result<bool, CliError> {
    let began = Instant::now();
    let mut happenings = client.watch();
    let status = loop {
        let status = client.status().await.map_err(|error| failed("cannot ask the device", error))?;
        if status.caught_up {
            return Ok(true);
        }
        if status.shut_out.is_some() {
            context.warn("your account is suspended: ask your administrator; shown is what this device has");
            return Ok(false);
        }
        let patience = if status.connected { CATCH_UP } else { CONNECT };
        if began.elapsed() > patience {
            break status;
        }
        // Most progress is told; what is not is looked for.
        let _ = timeout(LOOK_AGAIN, happenings.next()).await;
    };
    if status.connected {
        context.warn("a room is still being fetched; shown is what this device has");
        return Ok(false);
    }
    let why = status.problem.unwrap_or_else(|| "it has not answered yet".to_owned());
    context.warn(&format!(
        "shown is what this device has: no session with {} ({})",
        line(&status.endpoint),
        line(&why)
    ));
    Ok(false)
}

/// What somebody typed for a room or an account.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    /// `alice@acme.test`.
    Account(Account),
    /// `#name`.
    Name(String),
    /// The beginning of an id, or all of it.
    Id(String),
}

/// Reads a word: never guesses which kind of thing was meant.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn word(text: &str) -> Result<Word, String> {
    if let Some(name) = text.strip_prefix('#') {
        return if name.is_empty() {
            Err("a name is missing after `#`".to_owned())
        } else {
            Ok(Word::Name(name.to_owned()))
        };
    }
    if text.contains('@') {
        return account(text).map(Word::Account);
    }
    let id = text.to_ascii_lowercase();
    if id.len() >= PREFIX_MIN && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Word::Id(id));
    }
    Err(format!(
        "say `#{0}` for a room by its name, `{0}@DOMAIN` for an account, or at least {PREFIX_MIN} digits of a room's id",
        line(text)
    ))
}

/// Reads an account; upper case is forgiven.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn account(text: &str) -> Result<Account, String> {
    Account::from_input(text).map_err(|_| "an account looks like alice@acme.example".to_owned())
}

/// The room that a word stands for.
///
/// # Errors
/// `NotFound`, or usage with the candidates if there are several.
pub(crate) async fn find(client: &Client, word: &Word) -> Result<Room, CliError> {
    let rooms = client.rooms().await.map_err(|error| failed("cannot list the rooms", error))?;
    choose(rooms, word)
}

fn choose(rooms: Vec<Room>, word: &Word) -> Result<Room, CliError> {
    let matches = |room: &Room| match word {
        Word::Account(account) => {
            room.kind == client::RoomKind::Direct
                && (room.peer.as_ref() == Some(account) || room.inviter.as_ref() == Some(account))
        }
        Word::Name(name) => room.kind == client::RoomKind::Group && room.name == *name,
        Word::Id(id) => room.id.to_string().starts_with(id.as_str()),
    };
    let mut found: Vec<Room> = rooms.into_iter().filter(matches).collect();
    if found.len() > 1 {
        let live: Vec<Room> = found.iter().filter(|room| room.standing != Standing::Left).cloned().collect();
        if !live.is_empty() {
            found = live;
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(room), true) => Ok(room),
        (None, _) => Err(CliError::not_found(match word {
            Word::Account(account) => format!("there is no direct room with {account}"),
            Word::Name(name) => format!("there is no room #{}", line(name)),
            Word::Id(id) => format!("there is no room {id}"),
        })
        .hint("comity room list")),
        (Some(last), false) => {
            found.push(last);
            let mut error = CliError::usage("several rooms fit");
            for room in &found {
                error = error.cause(format!("{} {}", short(&room.id), room_label(room)));
            }
            Err(error.hint("name the room by its id"))
        }
    }
}

/// The room that a word stands for, which must not be an invitation only.
///
/// # Errors
/// As [`find`]; policy if the invitation waits for an answer.
pub(crate) async fn find_joined(client: &Client, word: &Word) -> Result<Room, CliError> {
    let room = find(client, word).await?;
    if room.standing == Standing::Invited {
        return Err(CliError::found_by_verb(
            "the invitation waits for your answer",
            client::ErrorCode::Forbidden,
        )
        .hint(format!("comity room accept {}", short(&room.id))));
    }
    Ok(room)
}

/// Runs something that needs the node, for as long as the user is ready to wait.
///
/// # Errors
/// `Pending` when the time is over: what was asked for is on disk and goes on by itself. `Blocked` as
/// soon as the node says that the account is suspended.
pub(crate) async fn within<T>(
    client: &Client,
    what: &str,
    seconds: u64,
    doing: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, CliError> {
    match unless_suspended(client, what, timeout(Duration::from_secs(seconds), doing)).await? {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(_)) if is_suspended(client).await => Err(CliError::suspended(what)),
        Ok(Err(error)) => Err(failed(what, error)),
        Err(_) => Err(CliError::pending(format!("{what}: not done after {}", error::seconds(seconds)))
            .cause("it is stored on this device and goes on by itself while `comity watch` runs")
            .hint("comity status")),
    }
}

/// Runs something that waits for the node, unless there is nothing to wait for.
///
/// # Errors
/// `Blocked` as soon as the node says that the account is suspended.
pub(crate) async fn unless_suspended<T>(
    client: &Client,
    what: &str,
    doing: impl Future<Output = T>,
) -> Result<T, CliError> {
    let suspended = async {
        while !is_suspended(client).await {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::select! {
        biased;
        done = doing => Ok(done),
        () = suspended => Err(CliError::suspended(what)
            .cause("what was asked for may be stored on this device: then it is done once you are back")),
    }
}

/// Whether the node has said that the account is suspended.
pub(crate) async fn is_suspended(client: &Client) -> bool {
    client.status().await.is_ok_and(|status| status.shut_out == Some(client::ErrorCode::Blocked))
}

/// A failure of the client, for a person.
pub(crate) fn failed(what: &str, error: ClientError) -> CliError {
    match error {
        // The program ends here, and with it what it would try again.
        ClientError::Refused(error) if error.code == client::ErrorCode::Unavailable => {
            CliError::wire(what, error).hint("comity status says what is waited for; repeat the command then")
        }
        ClientError::Refused(error) => CliError::wire(what, error),
        ClientError::OtherFingerprint { .. } => {
            let other = error.to_string();
            CliError::wire(what, client::ErrorCode::KeyUnverified.into())
                .means(other)
                .hint("ask your administrator which is right; trust neither before")
        }
        ClientError::Unreachable { .. } => CliError::unreachable(what)
            .cause(line(&error.to_string()))
            .hint("is the node running, and is this machine online?"),
        ClientError::NoDevice(dir) => {
            CliError::log_in(format!("{what}: nobody is logged in in {}", dir.display()))
                .hint("ask your administrator for an invitation, then: comity login ACCOUNT")
        }
        ClientError::AlreadyDevice(account) => CliError::found_by_verb(
            format!("{account} is logged in here already"),
            client::ErrorCode::Conflict,
        )
        .hint(format!("comity --as {account} status")),
        ClientError::BegunOtherwise { ref dir, protection } => {
            CliError::usage(what).cause(line(&error.to_string())).hint(format!(
                "go on with it: --protect {protection}; or make an end of it, also if you did not begin it: rm -r {}",
                line(&dir.display().to_string())
            ))
        }
        ClientError::Crowded => CliError::unreachable(what)
            .cause(error.to_string())
            .hint("end one of the programs that use this device, or try again"),
        ClientError::Invitation(_) => {
            CliError::usage(error.to_string()).hint("give the whole ticket that `comity user invite` printed")
        }
        ClientError::Locked => CliError::locked(what)
            .cause(error.to_string())
            .hint("comity account unlock, or add --passphrase-file FILE"),
        ClientError::WrongPassphrase => CliError::wrong_passphrase(what)
            .cause(error.to_string())
            .hint("try again; without the passphrase nothing on this machine opens it: log in anew"),
        ClientError::Keyring(_) => CliError::keyring(what)
            .cause(error.to_string())
            .hint("log in to your desktop's session, or take another way: comity account protect --help"),
        ClientError::Passphrase(_) => CliError::usage(error.to_string()),
        ClientError::Storage { .. } | ClientError::NewerSchema { .. } => {
            CliError::storage(what).cause(line(&error.to_string()))
        }
        _ => CliError::failed(what).cause(line(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_guessed() {
        assert!(matches!(word("#general"), Ok(Word::Name(name)) if name == "general"));
        assert!(matches!(word("Alice@ACME.test"), Ok(Word::Account(_))));
        assert!(matches!(word("AbCd"), Ok(Word::Id(id)) if id == "abcd"));
        for bad in ["general", "abc", "#", "alice@", "@acme.test", "", "alice@acme", "xyzw", "\u{1b}[2J"] {
            let error = word(bad).expect_err(bad);
            assert!(!error.contains('\u{1b}'), "{error:?}");
        }
    }
}
