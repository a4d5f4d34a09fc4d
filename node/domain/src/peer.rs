//! What peers send, one file for each kind of item and request.

mod answer;
mod claim;
mod declined;
mod events;
mod get_account;
mod get_domain;
mod get_group;
mod hello;
mod item;
mod join;
mod left;
mod link;
mod missing;
mod progress;
mod pull;
mod submission;

pub(crate) use claim::{ClaimRate, FoundingRate};
pub(crate) use item::kind;
pub(crate) use pull::event;
