//! Accounts: `local@domain`.

use std::{fmt, str::FromStr, sync::Arc};

use super::DomainName;
use crate::{ErrorCode, limits};

/// `alice@acme.example`: a local part of 1 to 64 bytes of `a-z 0-9 . _ -`, beginning and ending
/// with a letter or digit, and a domain name. Ordered by its text, which decides the hub of a
/// direct room.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    text: Arc<str>,
    domain: DomainName,
}

impl Account {
    /// The whole name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text.split('@').next().unwrap_or_default()
    }

    /// The home domain.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// [NAME-1] What a person typed: upper case is forgiven.
    ///
    /// # Errors
    /// `Malformed` if it is not an account even so.
    pub fn from_input(text: &str) -> Result<Self, ErrorCode> {
        text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase().parse()
    }
}

impl FromStr for Account {
    type Err = ErrorCode;

    // [NAME-3]
    fn from_str(text: &str) -> Result<Self, ErrorCode> {
        let (local, domain) = text.split_once('@').ok_or(ErrorCode::Malformed)?;
        let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = local.as_bytes();
        let well_formed = local.len() <= limits::LOCAL_PART_BYTES_MAX
            && edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if !well_formed {
            return Err(ErrorCode::Malformed);
        }
        Ok(Self { text: text.into(), domain: domain.parse()? })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
