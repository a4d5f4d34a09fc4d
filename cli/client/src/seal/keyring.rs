//! The system's keyring: the Secret Service of the user's session, over D-Bus. The secret crosses the
//! session's bus as it is (the protocol's plain session): the socket is the user's alone, and who may
//! listen on it may ask the keyring as well.

use std::{collections::BTreeMap, num::NonZeroUsize, pin::Pin, time::Duration};

use zbus::{
    Connection, DynamicType, MatchRule, MessageStream, ObjectPath, OwnedObjectPath, OwnedVariant, Variant,
    export::futures_core::Stream as _, message::Type, wire::DynamicDeserialize,
};
use zeroize::Zeroize as _;

use super::{Key, wrap::ID_BYTES};
use crate::ClientError;

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// The path that stands for none.
const NONE: &str = "/";

/// How long one answer may take; starting the service is part of the first one.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long the user may take to answer the keyring's own question.
const PROMPT_WITHIN: Duration = Duration::from_secs(60);

/// A secret as the protocol has it: session, parameters, value, content type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// Whether a keyring runs in this session and is open, so that a key can be kept in it without a
/// question.
pub async fn keyring_runs() -> bool {
    let open = async {
        let service = Service::connect().await?;
        let collection = service.collection().await?;
        service.is_locked(&collection).await
    };
    matches!(open.await, Ok(false))
}

/// The key that was kept under this id.
///
/// # Errors
/// `Keyring` with why it cannot be had.
pub(super) async fn get(id: &[u8; ID_BYTES]) -> Result<Key, ClientError> {
    let service = Service::connect().await?;
    let item = service.item(id).await?.ok_or(ClientError::Keyring("does not hold the key of this device"))?;
    let session = &service.session;
    let ((_, _, mut value, _),): (Secret,) =
        service.call(&item, ITEM, "GetSecret", &(session,)).await.map_err(|_| unwilling())?;
    let key = Key::from_bytes(&value);
    value.zeroize();
    key.ok_or(ClientError::Keyring("holds something else than the key of this device"))
}

/// Keeps a key under an id.
///
/// # Errors
/// As [`get`].
pub(super) async fn put(id: &[u8; ID_BYTES], label: &str, key: &Key) -> Result<(), ClientError> {
    let service = Service::connect().await?;
    let collection = service.collection().await?;
    if service.is_locked(&collection).await? {
        service.unlock(&collection).await?;
    }
    let id = digits(id);
    let properties = BTreeMap::from([
        ("org.freedesktop.Secret.Item.Label", Variant::from(label)),
        ("org.freedesktop.Secret.Item.Attributes", Variant::from(attributes(&id))),
    ]);
    let secret: Secret =
        (service.session.clone(), Vec::new(), key.bytes().to_vec(), "application/octet-stream".to_owned());
    let made: Result<(OwnedObjectPath, OwnedObjectPath), _> =
        service.call(&collection, COLLECTION, "CreateItem", &(properties, &secret, true)).await;
    let mut kept = secret.2;
    kept.zeroize();
    let (_, prompt) = made.map_err(|_| unwilling())?;
    service.prompt(&prompt).await
}

/// Forgets the key of an id, if it is there.
///
/// # Errors
/// As [`get`].
pub(super) async fn delete(id: &[u8; ID_BYTES]) -> Result<(), ClientError> {
    let service = Service::connect().await?;
    let Some(item) = service.item(id).await? else { return Ok(()) };
    let (prompt,): (OwnedObjectPath,) =
        service.call(&item, ITEM, "Delete", &()).await.map_err(|_| unwilling())?;
    service.prompt(&prompt).await
}

/// The Secret Service, with a session of ours.
struct Service {
    bus: Connection,
    session: OwnedObjectPath,
}

impl Service {
    async fn connect() -> Result<Self, ClientError> {
        let building = zbus::connection::Builder::session().method_timeout(ANSWER_WITHIN).build();
        let bus = tokio::time::timeout(ANSWER_WITHIN, building).await.ok().and_then(Result::ok);
        let bus = bus.ok_or(ClientError::Keyring("cannot be reached: this session has no D-Bus"))?;
        let mut service = Self { bus, session: OwnedObjectPath::default() };
        let opened: Result<(OwnedVariant, OwnedObjectPath), _> =
            service.call(&path(PATH)?, SERVICE, "OpenSession", &("plain", Variant::from(""))).await;
        let none = ClientError::Keyring("does not answer: no program of this session keeps secrets");
        service.session = opened.map_err(|_| none)?.1;
        Ok(service)
    }

    async fn call<R>(
        &self,
        path: &ObjectPath<'_>,
        interface: &'static str,
        method: &'static str,
        body: &(impl serde::Serialize + DynamicType),
    ) -> zbus::Result<R>
    where
        R: for<'d> DynamicDeserialize<'d>,
    {
        let reply = self.bus.call_method(Some(NAME), path, Some(interface), method, body).await?;
        reply.body().deserialize()
    }

    /// The collection that secrets are kept in unless one says otherwise.
    async fn collection(&self) -> Result<OwnedObjectPath, ClientError> {
        let (collection,): (OwnedObjectPath,) =
            self.call(&path(PATH)?, SERVICE, "ReadAlias", &("default",)).await.map_err(|_| unwilling())?;
        if collection.as_str() == NONE {
            return Err(ClientError::Keyring("has no place for secrets yet: make one in its own program"));
        }
        Ok(collection)
    }

    async fn is_locked(&self, collection: &ObjectPath<'_>) -> Result<bool, ClientError> {
        let (locked,): (OwnedVariant,) = self
            .call(collection, PROPERTIES, "Get", &(COLLECTION, "Locked"))
            .await
            .map_err(|_| unwilling())?;
        bool::try_from(locked).map_err(|_| unwilling())
    }

    /// The item of an id, unlocked.
    async fn item(&self, id: &[u8; ID_BYTES]) -> Result<Option<OwnedObjectPath>, ClientError> {
        let id = digits(id);
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = self
            .call(&path(PATH)?, SERVICE, "SearchItems", &(attributes(&id),))
            .await
            .map_err(|_| unwilling())?;
        if let Some(item) = open.into_iter().next() {
            return Ok(Some(item));
        }
        let Some(item) = locked.into_iter().next() else { return Ok(None) };
        self.unlock(&item).await?;
        Ok(Some(item))
    }

    /// Unlocks a collection or an item, for which the keyring may ask the user.
    async fn unlock(&self, what: &ObjectPath<'_>) -> Result<(), ClientError> {
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(&path(PATH)?, SERVICE, "Unlock", &([what],)).await.map_err(|_| unwilling())?;
        self.prompt(&prompt).await
    }

    /// Lets the keyring ask the user, if it wants to.
    async fn prompt(&self, prompt: &ObjectPath<'_>) -> Result<(), ClientError> {
        if prompt.as_str() == NONE {
            return Ok(());
        }
        let answered = async {
            let rule = MatchRule::builder()
                .msg_type(Type::Signal)
                .interface(PROMPT)
                .member("Completed")
                .path(prompt)
                .build()?;
            let mut answers = MessageStream::for_match_rule(rule, &self.bus, NonZeroUsize::new(4)).await?;
            self.call::<()>(prompt, PROMPT, "Prompt", &("",)).await?;
            match std::future::poll_fn(|context| Pin::new(&mut answers).poll_next(context)).await {
                Some(answer) => answer?.body().deserialize::<(bool, OwnedVariant)>().map(|(no, _)| !no),
                None => Ok(false),
            }
        };
        match tokio::time::timeout(PROMPT_WITHIN, answered).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(ClientError::Keyring("stays locked: its question was refused")),
            Ok(Err(_)) => Err(unwilling()),
            Err(_) => Err(ClientError::Keyring("stays locked: nobody answered its question")),
        }
    }
}

const fn unwilling() -> ClientError {
    ClientError::Keyring("refuses, or does not speak as it should")
}

fn path(path: &'static str) -> Result<ObjectPath<'static>, ClientError> {
    ObjectPath::try_from(path).map_err(|_| unwilling())
}

/// By what an item is found again.
fn attributes(id: &str) -> BTreeMap<&'static str, &str> {
    BTreeMap::from([("application", "comity"), ("device-directory", id)])
}

fn digits(id: &[u8; ID_BYTES]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
