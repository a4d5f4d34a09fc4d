//! Plain data for whoever shows rooms to a person: terminal, web, bots. Text in it is foreign and
//! raw; whoever prints it makes it harmless first, as [`text`] does.

mod arrange;
mod day;
mod delivery;
mod find;
mod mention;
mod room_list;
mod timeline;

pub mod text;

pub use arrange::{Line, Stamp, arrange};
pub use day::{Day, clock};
pub use delivery::{Delivery, delivery};
pub use find::fits;
pub use mention::mentions;
pub use room_list::{InvitationView, MemberView, RoomView};
pub use timeline::{Body, Reaction, TimelineItem, timeline};
