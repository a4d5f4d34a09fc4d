//! What devices ask, one file for each request.

mod answer_invitation;
mod claim_key_packages;
mod enrol;
mod get_account;
mod get_contact_policy;
mod get_domain;
mod get_group;
mod hello;
mod peer_states;
mod pull_events;
mod set_contact_policy;
mod submit;
mod subscribe;
mod upload_key_packages;

pub(crate) use enrol::repeated;
