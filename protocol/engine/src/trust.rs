//! Whose keys are believed: documents of domains, keys of accounts, and what is fetched to judge a
//! leaf (rule R7).

mod contacts;
mod domains;
mod leaf_check;
mod wants;

pub(crate) use contacts::Contacts;
pub(crate) use domains::Domains;
pub(crate) use leaf_check::{Trust, Verdict, form, is_fresh};
pub(crate) use wants::{Want, Wants};
