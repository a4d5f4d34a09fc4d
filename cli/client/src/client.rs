//! The handle that programs hold.

mod files;

use std::path::Path;

use identity::Ticket;
use machine::Entropy as _;
use tokio::sync::{broadcast, mpsc, oneshot};
use wire::{Account, DomainName, ErrorCode, MessageId, RoomId};

use crate::{
    ClientError,
    clock::SystemEntropy,
    device::DeviceDir,
    home::Introduction,
    login,
    request::{Ask, Reply, Request, To},
    seal::{Protect, Unlock},
    share::{self, Opening},
    view::{
        Changed, Contact, ContactState, Cursor, Happening, Level, Message, Notify, Outgoing, Page, PeerView,
        Person, Receipt, Room, Sent, Status,
    },
};

/// Questions that wait for the device.
const ASKS_WAITING_MAX: usize = 256;
/// Happenings that a slow watcher may be behind before it misses some.
const HAPPENINGS_KEPT: usize = 4_096;

/// A device of an account. Handles are cheap to clone; the device goes on working until the last
/// one is dropped or [`Client::close`] is called.
#[derive(Clone)]
pub struct Client {
    asks: mpsc::Sender<Ask>,
    happenings: broadcast::Sender<Happening>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// Makes this directory the first device of the ticket's account, then opens it. The keys are
    /// made here and stay here. Repeating it after an interruption goes on with the same keys.
    ///
    /// What the device keeps is protected by a key file in the directory; see [`Self::login_with`].
    ///
    /// # Errors
    /// `AlreadyDevice`, `OtherFingerprint`, `Unreachable`, `Refused` with what the
    /// node said, `Storage`.
    pub async fn login(dir: &Path, ticket: &Ticket) -> Result<Self, ClientError> {
        Self::login_with(dir, ticket, &Protect::File).await
    }

    /// As [`Self::login`], with what the device keeps protected as the caller says.
    ///
    /// # Errors
    /// As [`Self::login`]; `BegunOtherwise` or `WrongPassphrase` if a login that was begun in this
    /// directory is protected otherwise, or by another passphrase.
    pub async fn login_with(dir: &Path, ticket: &Ticket, protect: &Protect) -> Result<Self, ClientError> {
        let opened = login::login(dir, ticket, protect).await?;
        Self::begin(dir, Opening::Open(opened)).await
    }

    /// As [`Self::login_with`], with a password that the administrator has set. It is sent only to a node
    /// that proved a key of the domain with this fingerprint.
    ///
    /// # Errors
    /// `AlreadyDevice`, `Unreachable`, `Storage`; `Refused` with `AuthFailed` (no such account, or
    /// another password), `RateLimited`, `Policy` (passwords are off), `Conflict` (the password is
    /// right, and the account has a device).
    pub async fn login_with_password(
        dir: &Path,
        account: &Account,
        introduction: &Introduction,
        password: &str,
        protect: &Protect,
    ) -> Result<Self, ClientError> {
        let opened = login::login_with_password(dir, account, introduction, password, protect).await?;
        Self::begin(dir, Opening::Open(opened)).await
    }

    /// Opens the device in a directory. Its session with the home node is made in the background
    /// and kept; everything works offline and is sent later.
    ///
    /// # Errors
    /// `NoDevice`, `Storage`, `NewerSchema`, `Owner` if the program that owns the directory cannot
    /// be used; `Locked` if a passphrase protects it and no program that has unlocked it serves the
    /// others: then see [`Self::open_with`]; `Keyring` if the system's keyring protects it and cannot
    /// be used.
    pub async fn open(dir: &Path) -> Result<Self, ClientError> {
        Self::open_with(dir, Unlock::Stored).await
    }

    /// As [`Self::open`], with what unlocks the device. It is used if this program owns the device,
    /// now or later, and forgotten when the device is locked.
    ///
    /// # Errors
    /// As [`Self::open`]; `WrongPassphrase`.
    pub async fn open_with(dir: &Path, unlock: Unlock) -> Result<Self, ClientError> {
        Self::begin(dir, Opening::Unlock(unlock)).await
    }

    async fn begin(dir: &Path, opening: Opening) -> Result<Self, ClientError> {
        let (asks, receiver) = mpsc::channel(ASKS_WAITING_MAX);
        let (happenings, _) = broadcast::channel(HAPPENINGS_KEPT);
        let (begun, begins) = oneshot::channel();
        let own_asks = (asks.downgrade(), receiver);
        let handle = share::Handle::new(DeviceDir::new(dir), opening, own_asks, happenings.clone());
        tokio::spawn(share::serve(handle, begun));
        begins.await.map_err(|_| ClientError::Closed)??;
        Ok(Self { asks, happenings })
    }

    /// Locks the device: whichever program owns it forgets its keys and ends its session. Until it
    /// is unlocked again, all programs of the device are told `Locked`.
    ///
    /// # Errors
    /// `Refused(Unsupported)` unless it is protected by a passphrase; else as [`Self::status`].
    pub async fn lock(&self) -> Result<(), ClientError> {
        self.done(Request::Lock).await
    }

    /// Unlocks a device that was locked while this handle was open.
    ///
    /// # Errors
    /// `Locked`, `WrongPassphrase`, `Storage`.
    pub async fn unlock(&self, unlock: Unlock) -> Result<(), ClientError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Unlock(unlock, answer)).await.map_err(|_| ClientError::Closed)?;
        answered.await.map_err(|_| ClientError::Closed)?.map(drop)
    }

    /// Ends in good order: what was decided is on disk already, what is on its way to the node is
    /// written. Other handles fail from now on.
    pub async fn close(self) {
        let (done, is_done) = oneshot::channel();
        if self.asks.send(Ask::Close(done)).await.is_ok() {
            // Dropped without an answer means closed as well.
            let _ = is_done.await;
        }
    }

    /// Follows what happens from now on.
    #[must_use]
    pub fn watch(&self) -> Happenings {
        Happenings { receiver: self.happenings.subscribe() }
    }

    /// The device and what waits.
    ///
    /// # Errors
    /// `Storage`, `Owner`, `Closed`, `Locked`.
    pub async fn status(&self) -> Result<Status, ClientError> {
        match self.ask(Request::Status).await? {
            Reply::Status(status) => Ok(status),
            _ => Err(unexpected()),
        }
    }

    /// Rooms and invitations, the newest first.
    ///
    /// # Errors
    /// As [`Self::status`].
    pub async fn rooms(&self) -> Result<Vec<Room>, ClientError> {
        match self.ask(Request::Rooms).await? {
            Reply::Rooms(rooms) => Ok(rooms),
            _ => Err(unexpected()),
        }
    }

    /// A page of a room's messages with edits, deletions and reactions applied.
    ///
    /// # Errors
    /// `Refused(NotFound)` if the room is not known; else as [`Self::status`].
    pub async fn messages(&self, room: RoomId, cursor: Cursor) -> Result<Page, ClientError> {
        match self.ask(Request::Page { room, cursor }).await? {
            Reply::Page(page) => Ok(page),
            _ => Err(unexpected()),
        }
    }

    /// Links of the home node to other domains that have something waiting, as the node says now.
    ///
    /// # Errors
    /// `Refused`; waits as long as there is no session.
    pub async fn peers(&self) -> Result<Vec<PeerView>, ClientError> {
        match self.ask(Request::Peers).await? {
            Reply::Peers(peers) => Ok(peers),
            _ => Err(unexpected()),
        }
    }

    /// How the node stands with these domains, at most `ADDS_PER_COMMIT_MAX` of them. One that is missing
    /// in the answer is no peer of the node: nothing reaches it.
    ///
    /// # Errors
    /// As [`Self::peers`]; `TooLarge`, or `Malformed` for none.
    pub async fn peers_of(&self, domains: &[DomainName]) -> Result<Vec<PeerView>, ClientError> {
        match self.ask(Request::PeersOf { domains: domains.to_vec() }).await? {
            Reply::Peers(peers) => Ok(peers),
            _ => Err(unexpected()),
        }
    }

    /// Who of other domains may start a conversation at present.
    ///
    /// # Errors
    /// As [`Self::peers`]; `Unsupported` if the node is too old to say.
    pub async fn contact_policy(&self) -> Result<ContactState, ClientError> {
        match self.ask(Request::ContactPolicy).await? {
            Reply::ContactPolicy(state) => Ok(state),
            _ => Err(unexpected()),
        }
    }

    /// Sends to a room. Returns as soon as the message is on this device's disk; from then on it
    /// is sent over restarts and outages. [`Happening::Delivery`] tells how far it comes.
    ///
    /// # Errors
    /// `Refused`: `NotFound` for an unknown room, `Forbidden` for one that the account is out of,
    /// `TooLarge`; else as [`Self::status`].
    pub async fn send(&self, room: RoomId, what: Outgoing) -> Result<Sent, ClientError> {
        self.say(To::Room(room), what, None).await
    }

    /// As [`Self::send`], under an id of the caller's making: 128 random bits, kept where the caller
    /// does not lose them. Whoever does not know whether it has sent a message repeats this with the
    /// same id, also after a restart, and the message is sent once: of what was sent, the newest 512
    /// items of the room are looked through.
    ///
    /// # Errors
    /// As [`Self::send`]; `Refused(Conflict)` if the id stands for another message that waits.
    pub async fn send_once(&self, id: MessageId, room: RoomId, what: Outgoing) -> Result<Sent, ClientError> {
        self.say(To::Room(room), what, Some(id)).await
    }

    /// Sends to an account: into the direct room with it, which is made if there is none.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_to(&self, account: &Account, what: Outgoing) -> Result<Sent, ClientError> {
        self.say(To::Account(account.clone()), what, None).await
    }

    /// As [`Self::send_to`], under an id of the caller's making as in [`Self::send_once`].
    ///
    /// # Errors
    /// As [`Self::send_once`].
    pub async fn send_to_once(
        &self,
        id: MessageId,
        account: &Account,
        what: Outgoing,
    ) -> Result<Sent, ClientError> {
        self.say(To::Account(account.clone()), what, Some(id)).await
    }

    /// Gives up a message that is not ordered yet, by the name that [`Self::send`] gave. One that
    /// the home node has accepted may still arrive.
    ///
    /// # Errors
    /// `Refused(NotFound)` if it is not waiting.
    pub async fn cancel(&self, sent: Sent) -> Result<(), ClientError> {
        self.done(Request::Cancel { room: sent.room, message: sent.intent }).await
    }

    /// Waits until an own message is as far as `level`, and returns how far it is then.
    ///
    /// # Errors
    /// `Refused` with why it will never be; else as [`Self::status`]. Give it a timeout.
    pub async fn wait(&self, sent: Sent, level: Level) -> Result<Message, ClientError> {
        let mut happenings = self.watch();
        loop {
            if let Some(message) = self.own(sent).await? {
                match message.failed {
                    Some(code) => return Err(code.into()),
                    None if message.level >= Some(level) => return Ok(message),
                    None => {}
                }
            }
            loop {
                match happenings.next().await {
                    Some(Happening::Delivery { intent, level: reached, failed, .. })
                        if intent == sent.intent && (reached >= Some(level) || failed.is_some()) =>
                    {
                        break;
                    }
                    Some(
                        Happening::Missed
                        | Happening::Connected(true)
                        | Happening::Locked
                        | Happening::Unlocked,
                    ) => break,
                    Some(_) => {}
                    None => return Err(ClientError::Closed),
                }
            }
        }
    }

    /// Waits until whatever was sent, be it a reaction, is `Queued`, `Accepted` or `Ordered`, and
    /// returns how far it is then. For the levels after those there is [`Self::wait`].
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub async fn reached(&self, sent: Sent, level: Level) -> Result<Level, ClientError> {
        let level = level.min(Level::Ordered);
        let mut happenings = self.watch();
        loop {
            match self.ask(Request::Reached { sent }).await {
                Ok(Reply::Reached(reached)) if reached >= level => return Ok(reached),
                Ok(Reply::Reached(_)) | Err(ClientError::Owner(_)) => {}
                Ok(_) => return Err(unexpected()),
                Err(error) => return Err(error),
            }
            loop {
                match happenings.next().await {
                    Some(Happening::Delivery { intent, failed: Some(code), .. }) if intent == sent.intent => {
                        return Err(code.into());
                    }
                    Some(Happening::Delivery { intent, level: Some(reached), .. })
                        if intent == sent.intent && reached >= level =>
                    {
                        return Ok(reached);
                    }
                    Some(Happening::Missed | Happening::Connected(true)) => break,
                    Some(_) => {}
                    None => return Err(ClientError::Closed),
                }
            }
        }
    }

    /// How far a message is with each of the other members: `Ordered` for those of whose domain
    /// nothing was heard, up to `Read`. Members that came later are left out.
    ///
    /// # Errors
    /// `Refused(NotFound)` if the room is not known; else as [`Self::status`].
    pub async fn receipts(&self, room: RoomId, seq: u64) -> Result<Vec<Receipt>, ClientError> {
        match self.ask(Request::Receipts { room, seq }).await? {
            Reply::Receipts(receipts) => Ok(receipts),
            _ => Err(unexpected()),
        }
    }

    /// A value that is the same for all members of a room's epoch and for nobody else (RFC 9420,
    /// section 8.7): two devices that compare it know whether they are in one group. `None` if this
    /// device is not in the room.
    ///
    /// # Errors
    /// As [`Self::status`].
    pub async fn epoch_authenticator(&self, room: RoomId) -> Result<Option<Vec<u8>>, ClientError> {
        match self.ask(Request::EpochAuthenticator { room }).await? {
            Reply::EpochAuthenticator(authenticator) => Ok(authenticator),
            _ => Err(unexpected()),
        }
    }

    async fn own(&self, sent: Sent) -> Result<Option<Message>, ClientError> {
        let cursor = Cursor { limit: 200, ..Cursor::default() };
        let page = match self.messages(sent.room, cursor).await {
            Err(ClientError::Refused(error)) if error.code == ErrorCode::NotFound => return Ok(None),
            // The owner ended in between: whoever takes over says `Missed`, and then is asked.
            Err(ClientError::Owner(_)) => return Ok(None),
            page => page?,
        };
        Ok(page.messages.into_iter().find(|message| message.intent == Some(sent.intent)))
    }

    /// Everything in the room up to this seq has been read; tells the others.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn mark_read(&self, room: RoomId, seq: u64) -> Result<(), ClientError> {
        self.done(Request::MarkRead { room, seq }).await
    }

    /// Tells the others that this account is typing, or stopped. Stored nowhere.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn typing(&self, room: RoomId, active: bool) -> Result<(), ClientError> {
        self.done(Request::Typing { room, active }).await
    }

    /// Shows fellows of the same domain, who are in a room with this account, that it is here, and hears
    /// who of them is ([`Status::present`], [`Happening::Presence`]); or stops to. Until the program that
    /// owns the device ends. A domain whose administrator does not want it tells nothing.
    ///
    /// # Errors
    /// As [`Self::status`].
    pub async fn show_presence(&self, shown: bool) -> Result<(), ClientError> {
        self.done(Request::Presence { shown }).await
    }

    /// The direct room with an account; made, and the account invited, if there is none.
    ///
    /// # Errors
    /// `Refused` with why there cannot be one; waits as long as the nodes cannot be reached.
    pub async fn direct(&self, account: &Account) -> Result<RoomId, ClientError> {
        self.changed(Request::Direct { account: account.clone() }).await.map(|changed| changed.room)
    }

    /// A group with these accounts besides one's own.
    ///
    /// # Errors
    /// `Refused`; accounts that could not be added are in the answer instead.
    pub async fn create_room(&self, name: &str, members: &[Account]) -> Result<Changed, ClientError> {
        let request =
            Request::Create { name: name.to_owned(), topic: String::new(), members: members.to_vec() };
        self.changed(request).await
    }

    /// Adds accounts to a group.
    ///
    /// # Errors
    /// `Refused(Forbidden)` unless an admin; accounts that could not be added are in the answer.
    pub async fn invite(&self, room: RoomId, accounts: &[Account]) -> Result<Changed, ClientError> {
        self.changed(Request::Invite { room, accounts: accounts.to_vec() }).await
    }

    /// Removes an account from a group: it reads nothing that is said later.
    ///
    /// # Errors
    /// `Refused`.
    pub async fn remove(&self, room: RoomId, account: &Account) -> Result<(), ClientError> {
        self.done(Request::Remove { room, account: account.clone() }).await
    }

    /// Makes an account of a group an admin, or takes that back.
    ///
    /// # Errors
    /// `Refused`.
    pub async fn set_admin(&self, room: RoomId, account: &Account, admin: bool) -> Result<(), ClientError> {
        self.done(Request::Role { room, account: account.clone(), admin }).await
    }

    /// Says what is said in a group to an account that came in although its keys could not be checked
    /// ([`crate::Member::held`]); what waits for that is sent.
    ///
    /// # Errors
    /// `Refused`.
    pub async fn admit(&self, room: RoomId, account: &Account) -> Result<(), ClientError> {
        self.done(Request::Admit { room, account: account.clone() }).await
    }

    /// Gives a group another name and topic, both encrypted.
    ///
    /// # Errors
    /// `Refused`.
    pub async fn rename(&self, room: RoomId, name: &str, topic: &str) -> Result<(), ClientError> {
        self.done(Request::Rename { room, name: name.to_owned(), topic: topic.to_owned() }).await
    }

    /// Goes away from a room.
    ///
    /// # Errors
    /// `Refused`.
    pub async fn leave(&self, room: RoomId) -> Result<(), ClientError> {
        self.done(Request::Leave { room }).await
    }

    /// Accepts or declines an invitation.
    ///
    /// # Errors
    /// `Refused(NotFound)` if there is none.
    pub async fn answer(&self, room: RoomId, accept: bool) -> Result<(), ClientError> {
        self.done(Request::Answer { room, accept }).await
    }

    /// Who of other domains may start a conversation with this account.
    ///
    /// # Errors
    /// `Refused`.
    pub async fn set_contact(&self, policy: Contact) -> Result<(), ClientError> {
        self.done(Request::Contact { policy }).await
    }

    /// Hears nothing of an account, or hears of it again: what it says while it is blocked is shown
    /// nowhere, not afterwards either, and its invitations are declined. It is not told; that a
    /// message is on this device is acknowledged as before.
    ///
    /// # Errors
    /// `Refused`: `Forbidden` for one's own account, `Quota` if too many are blocked.
    pub async fn block(&self, account: &Account, blocked: bool) -> Result<(), ClientError> {
        self.done(Request::Block { account: account.clone(), blocked }).await
    }

    /// Keeps on this device what of a room may disturb. Programs that notify ask `Room::notify`.
    ///
    /// # Errors
    /// `Refused(NotFound)` if the room is not known; else as [`Self::status`].
    pub async fn set_notify(&self, room: RoomId, notify: Notify) -> Result<(), ClientError> {
        self.done(Request::Notify { room, notify }).await
    }

    /// The accounts whose keys were seen, one's own among them; those that changed first.
    ///
    /// # Errors
    /// As [`Self::status`].
    pub async fn people(&self) -> Result<Vec<Person>, ClientError> {
        match self.ask(Request::People).await? {
            Reply::People(people) => Ok(people),
            _ => Err(unexpected()),
        }
    }

    /// Asks the account's domain for its keys, through one's own node, and compares them with
    /// those that are known. What came of it is in [`Self::people`].
    ///
    /// # Errors
    /// `Refused`: `NotFound` if there is no such account, `Unavailable` without a session or if its
    /// node is away, `KeyUnverified` if its key is not the one that is known.
    pub async fn look_up(&self, account: &Account) -> Result<(), ClientError> {
        self.done(Request::LookUp { account: account.clone() }).await
    }

    /// The user has compared this fingerprint with the account's owner, and it is that of the key
    /// in use.
    ///
    /// # Errors
    /// `Refused`: `NotFound` if no key of the account was seen, `KeyUnverified` if the fingerprint
    /// is another.
    pub async fn verify(&self, account: &Account, fingerprint: [u8; 32]) -> Result<(), ClientError> {
        self.done(Request::Trust { account: account.clone(), fingerprint, changed: false }).await
    }

    /// The same for a key that has changed: from now on it is the one in use.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub async fn trust(&self, account: &Account, fingerprint: [u8; 32]) -> Result<(), ClientError> {
        self.done(Request::Trust { account: account.clone(), fingerprint, changed: true }).await
    }

    async fn say(&self, to: To, what: Outgoing, id: Option<MessageId>) -> Result<Sent, ClientError> {
        let again = id.is_some();
        let id = id.unwrap_or_else(|| MessageId::new(SystemEntropy.array()));
        self.sent(Request::Send { to, what, id, again }).await
    }

    async fn sent(&self, request: Request) -> Result<Sent, ClientError> {
        match self.ask(request).await? {
            Reply::Sent(sent) => Ok(sent),
            _ => Err(unexpected()),
        }
    }

    async fn changed(&self, request: Request) -> Result<Changed, ClientError> {
        match self.ask(request).await? {
            Reply::Changed(changed) => Ok(changed),
            _ => Err(unexpected()),
        }
    }

    async fn done(&self, request: Request) -> Result<(), ClientError> {
        self.ask(request).await.map(drop)
    }

    async fn ask(&self, request: Request) -> Result<Reply, ClientError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Request(request, answer)).await.map_err(|_| ClientError::Closed)?;
        answered.await.map_err(|_| ClientError::Closed)?
    }
}

const fn unexpected() -> ClientError {
    ClientError::Owner("answers with something else: end it first")
}

/// What happens, in order.
#[derive(Debug)]
pub struct Happenings {
    receiver: broadcast::Receiver<Happening>,
}

impl Happenings {
    /// The next one; [`Happening::Missed`] if some were missed; `None` once the client is closed.
    pub async fn next(&mut self) -> Option<Happening> {
        match self.receiver.recv().await {
            Ok(happening) => Some(happening),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Happening::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
