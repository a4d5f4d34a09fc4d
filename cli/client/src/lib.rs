//! A device of an account, as a library: log in, send, read, and follow what happens, end-to-end
//! encrypted. `comity` is made of it, and a bot can be.
//!
//! ```no_run
//! # async fn example() -> Result<(), client::ClientError> {
//! use client::{Client, Happening, Outgoing};
//!
//! let client = Client::open("/var/lib/my-bot".as_ref()).await?;
//! let mut happenings = client.watch();
//! client.send_to(&"bob@umbrella.example".parse()?, Outgoing::text("hello")).await?;
//! while let Some(happening) = happenings.next().await {
//!     if let Happening::Message(message) = happening {
//!         client.mark_read(message.room, message.seq).await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything in a device's directory is sealed ([`Protection`]): [`Client::login`] protects it by a key
//! file, which suits bots; [`Client::login_with`] takes a passphrase or the system's keyring as well, and a device that has one
//! is opened with [`Client::open_with`].
//!
//! One process owns a device's directory; others that open it are served by the owner over a Unix
//! socket inside it and take over when the owner ends, so that programs of one device work side by
//! side. Nothing is sent or shown before the transaction that holds it is on disk.

mod client;
mod clock;
mod convert;
mod device;
mod driver;
mod error;
mod home;
mod login;
mod logout;
mod media;
mod notify;
mod probe;
mod profile;
mod quic;
mod request;
mod seal;
mod search;
mod session;
mod share;
mod store;
mod tail;
mod view;

pub use client::{Client, Happenings};
pub use device::is_device;
pub use error::ClientError;
pub use home::Introduction;
pub use identity::Ticket;
pub use login::ticket;
pub use logout::logout;
pub use probe::probe;
pub use seal::{
    Passphrase, Protect, Protection, Unlock, change_protection, check_unlock, is_begun, keyring_runs,
    protection, seal_plain,
};
pub use search::Query;
#[cfg(fuzzing)]
pub use share::fuzzing;
pub use tail::{Begin, Next, Tail};
pub use view::{
    Belief, Change, Changed, Contact, ContactState, Cursor, FileInfo, Happening, Level, Member, Message,
    MessageBody, Mode, Notify, Outgoing, Page, PeerView, Person, Reaction, Receipt, Role, Room, RoomKind,
    Saved, Sent, Standing, Status, Transfer, Upload,
};
pub use wire::{Account, BlobId, DeviceId, DomainName, ErrorCode, MessageId, RoomId, WireError};
