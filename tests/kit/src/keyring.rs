//! A session bus with a keyring on it, in this process: enough of both for a program that keeps a key
//! there, in several moods. The programs under test find it by `DBUS_SESSION_BUS_ADDRESS`.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use zbus::{
    Connection, Guid, Message, ObjectPath, OwnedObjectPath, OwnedVariant, Variant,
    export::futures_core::Stream as _,
};

const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
const SESSION: &str = "/org/freedesktop/secrets/session/1";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/1";
const NONE: &str = "/";

/// How the keyring behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It is open.
    Open,
    /// It asks the user, who answers.
    Asking,
    /// It asks the user, who says no.
    Refused,
    /// Nobody has made a collection in it.
    Empty,
    /// There is a bus, and no keyring on it.
    Absent,
    /// It gives other bytes than it was given.
    Lying,
}

/// The keyring; it ends with the test.
#[derive(Debug)]
pub struct Keyring {
    directory: TempDir,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    items: BTreeMap<String, Vec<u8>>,
}

type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

impl Keyring {
    /// An open keyring with nothing in it.
    ///
    /// # Errors
    /// If its socket cannot be made.
    pub fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let state = Arc::new(Mutex::new(State { mood: Mood::Open, items: BTreeMap::new() }));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (socket, shared) = (directory.path().join("bus"), state.clone());
        let listener = runtime.block_on(async { tokio::net::UnixListener::bind(&socket) })?;
        std::thread::spawn(move || runtime.block_on(listen(listener, shared)));
        Ok(Self { directory, state })
    }

    /// The value of `DBUS_SESSION_BUS_ADDRESS` for programs under test.
    #[must_use]
    pub fn address(&self) -> String {
        let socket: PathBuf = self.directory.path().join("bus");
        format!("unix:path={}", socket.display())
    }

    /// Behaves otherwise from now on.
    pub fn set(&self, mood: Mood) {
        lock(&self.state).mood = mood;
    }

    /// The secrets that are kept, by their names.
    #[must_use]
    pub fn items(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.state).items.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: tokio::net::UnixListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, state.clone()));
    }
}

async fn serve(stream: tokio::net::UnixStream, state: Arc<Mutex<State>>) -> Result<()> {
    let server = zbus::connection::Builder::unix_stream(stream.into_std()?).server(Guid::generate()).p2p();
    let mut calls = server.build_message_stream().await?;
    let bus = Connection::from(&calls);
    while let Some(call) = poll_fn(|context| Pin::new(&mut calls).poll_next(context)).await {
        answer(&bus, &call?, &state).await?;
    }
    Ok(())
}

async fn answer(bus: &Connection, call: &Message, state: &Mutex<State>) -> Result<()> {
    let header = call.header();
    let member = header.member().context("a call")?.as_str().to_owned();
    let mood = lock(state).mood;
    match member.as_str() {
        "Hello" => bus.reply(&header, &(":1.1",)).await?,
        "AddMatch" | "RemoveMatch" => bus.reply(&header, &()).await?,
        _ if mood == Mood::Absent => {
            bus.reply_error(&header, "org.freedesktop.DBus.Error.ServiceUnknown", &("nobody",)).await?;
        }
        "OpenSession" => bus.reply(&header, &(Variant::from(""), path(SESSION)?)).await?,
        "ReadAlias" => {
            let collection = if mood == Mood::Empty { NONE } else { COLLECTION };
            bus.reply(&header, &(path(collection)?,)).await?;
        }
        "Get" => {
            let locked = matches!(mood, Mood::Asking | Mood::Refused);
            bus.reply(&header, &(Variant::from(locked),)).await?;
        }
        "Unlock" => bus.reply(&header, &(Vec::<ObjectPath<'_>>::new(), path(PROMPT)?)).await?,
        "Prompt" => {
            bus.reply(&header, &()).await?;
            if mood == Mood::Asking {
                lock(state).mood = Mood::Open;
            }
            let interface = "org.freedesktop.Secret.Prompt";
            let said = (mood != Mood::Asking, Variant::from(""));
            bus.emit_signal(None::<&str>, path(PROMPT)?, interface, "Completed", &said).await?;
        }
        _ => keep(bus, call, &member, state).await?,
    }
    Ok(())
}

/// The calls that concern items.
async fn keep(bus: &Connection, call: &Message, member: &str, state: &Mutex<State>) -> Result<()> {
    let (header, body) = (call.header(), call.body());
    let mood = lock(state).mood;
    let of_path = header.path().context("a path")?.as_str().rsplit('/').next().map(str::to_owned);
    let name = of_path.context("a name")?;
    match member {
        "SearchItems" => {
            let (attributes,): (BTreeMap<String, String>,) = body.deserialize()?;
            let name = attributes.get("device-directory").cloned().unwrap_or_default();
            let mut found = Vec::new();
            if lock(state).items.contains_key(&name) {
                found.push(item(&name)?);
            }
            let none = Vec::new();
            let locked = matches!(mood, Mood::Asking | Mood::Refused);
            let answer = if locked { (none, found) } else { (found, none) };
            bus.reply(&header, &answer).await?;
        }
        "CreateItem" => {
            let (properties, secret, _): (BTreeMap<String, OwnedVariant>, Secret, bool) =
                body.deserialize()?;
            let attributes =
                properties.get("org.freedesktop.Secret.Item.Attributes").context("attributes")?;
            let attributes = BTreeMap::<String, String>::try_from(Variant::from(attributes.try_clone()?))?;
            let name = attributes.get("device-directory").context("a name")?.clone();
            lock(state).items.insert(name.clone(), secret.2);
            bus.reply(&header, &(item(&name)?, path(NONE)?)).await?;
        }
        "GetSecret" => {
            let mut value = lock(state).items.get(&name).context("an item")?.clone();
            if mood == Mood::Lying {
                value.iter_mut().for_each(|byte| *byte ^= 1);
            }
            let secret = (path(SESSION)?, Vec::<u8>::new(), value, "application/octet-stream");
            bus.reply(&header, &(secret,)).await?;
        }
        "Delete" => {
            lock(state).items.remove(&name);
            bus.reply(&header, &(path(NONE)?,)).await?;
        }
        other => {
            bus.reply_error(&header, "org.freedesktop.DBus.Error.UnknownMethod", &(other,)).await?;
        }
    }
    Ok(())
}

fn path(path: &'static str) -> Result<ObjectPath<'static>> {
    Ok(ObjectPath::try_from(path)?)
}

fn item(name: &str) -> Result<OwnedObjectPath> {
    Ok(OwnedObjectPath::try_from(format!("{COLLECTION}/{name}"))?)
}
