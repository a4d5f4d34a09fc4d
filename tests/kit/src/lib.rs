//! What tests of running programs are made of: real node processes that can be stopped, killed,
//! frozen and started again; the administrator's socket; people with their keys; and raw devices and
//! peers that speak the codec but none of the rules, so that they can say what no honest program
//! says; and people at terminals who follow a page word by word. Everything runs on 127.0.0.1 in
//! directories that vanish.

mod admin;
mod bins;
mod entropy;
mod keyring;
mod node;
mod notifications;
mod person;
mod ports;
mod raw;
mod raw_device;
mod raw_peer;
mod shell;
mod skip;
mod stage;
mod talker;
mod teletype;
mod terminal;
pub mod transcript;
mod until;

pub use admin::{ask as ask_admin, ask_raw as ask_admin_raw};
pub use bins::{comity, comityd, example};
pub use entropy::SystemEntropy;
pub use keyring::{Keyring, Mood};
pub use node::{Node, pin, pin_each_other};
pub use notifications::{Notifications, Told};
pub use person::Person;
pub use ports::{free_address, held_address};
pub use raw::{RawStream, close_code, connect, endpoint, endpoint_at};
pub use raw_device::RawDevice;
pub use raw_peer::{RawLink, RawPeer, ask as ask_peer};
pub use shell::{Answers, Ran, Shell};
pub use skip::{has_program, skipped};
pub use stage::{Played, Role, Stage};
pub use talker::{Heard, Talker, Voice, direct_talk, group_talk};
pub use teletype::Teletype;
pub use terminal::{Terminal, has_terminal};
pub use until::{eventually, look_until, until};
