//! Says whether secrets prove accounts: what the core asks for through `domain::Authenticator`.
//!
//! Here are the passwords that a node keeps itself, as argon2id hashes, judged by a few threads of
//! their own. A directory or an identity provider would be another file with another implementation
//! of the same trait; `domain`'s page of ports says what is asked of one.

mod cost;
mod password;
mod pool;

pub use cost::Cost;
pub use pool::Passwords;
