//! Plain data for whoever shows rooms to a person: terminal, web, bots. Text in it is foreign and
//! raw; whoever prints it makes it harmless first.

mod delivery;
mod room_list;
mod timeline;

pub use delivery::{Delivery, delivery};
pub use room_list::{InvitationView, MemberView, RoomView};
pub use timeline::{Body, Reaction, TimelineItem, timeline};
