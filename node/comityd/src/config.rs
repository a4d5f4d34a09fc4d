//! The configuration of a node: `comity.toml` as a checked value.

mod file;
pub(crate) mod template;

use std::{net::SocketAddr, path::Path};

use wire::{DomainName, proto::ContactPolicy};

use crate::{failure::Failure, logging::Format};

/// What a node is told. Every key has a default but `domain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// `domain`: whom this node serves.
    pub(crate) domain: DomainName,
    /// `listen`: the UDP address.
    pub(crate) listen: SocketAddr,
    /// `contact_policy`: of accounts that have set none.
    pub(crate) contact_policy: ContactPolicy,
    /// `log.format`.
    pub(crate) log_format: Format,
    /// `log.level`.
    pub(crate) log_level: String,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// `FileUnusable`, or what [`Self::parse`] says.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
        Self::parse(path, &text)
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// `ConfigSyntax`, `ConfigUnknownKey`, `ConfigValue`, each with file and line.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        file::parse(path, text)
    }
}
