//! Reaching a peer: its endpoints in order, each with a deadline.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use domain::Input;
use tokio::{runtime::Handle, time::timeout};
use wire::{DomainName, ErrorCode, PublicKey, limits};

use super::{accept::proved_key, connection::PeerConnection};
use crate::{
    close::{close, reason},
    media::Media,
    strangers::Strangers,
    to_core::ToCore,
};

/// Opens connections on behalf of the core. At most one attempt for each peer is under way: the core
/// asks for the next only after it heard of the end of the last.
#[derive(Clone, Debug)]
pub(crate) struct Dialler {
    endpoint: quinn::Endpoint,
    config: quinn::ClientConfig,
    to_core: ToCore,
    media: Media,
    strangers: Arc<Strangers>,
    runtime: Handle,
}

impl Dialler {
    pub(crate) fn new(
        endpoint: quinn::Endpoint,
        config: quinn::ClientConfig,
        (to_core, media): (ToCore, Media),
        strangers: Arc<Strangers>,
    ) -> Self {
        Self { endpoint, config, to_core, media, strangers, runtime: Handle::current() }
    }

    /// Starts an attempt. It ends in `PeerConnected` or `DialFailed`.
    pub(crate) fn dial(&self, domain: DomainName, endpoints: Vec<String>) {
        tracing::debug!(peer = %domain, endpoints = endpoints.len(), "dialling");
        let dialler = self.clone();
        self.runtime.spawn(async move {
            match dialler.any_of(&domain, &endpoints).await {
                Ok((connection, key)) => {
                    let ours = (dialler.to_core, dialler.media);
                    PeerConnection::register(connection, ours, key, Some(domain)).await.run(None).await;
                }
                Err(error) => {
                    tracing::debug!(peer = %domain, error = error.name(), "a peer was not reached");
                    dialler.to_core.input(Input::DialFailed { domain, error }).await;
                }
            }
        });
    }

    async fn any_of(
        &self,
        domain: &DomainName,
        endpoints: &[String],
    ) -> Result<(quinn::Connection, PublicKey), ErrorCode> {
        let mut last = ErrorCode::Unavailable;
        for endpoint in endpoints.iter().take(limits::ENDPOINTS_MAX) {
            match self.one(domain, endpoint).await {
                Ok(reached) => return Ok(reached),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn one(
        &self,
        domain: &DomainName,
        endpoint: &str,
    ) -> Result<(quinn::Connection, PublicKey), ErrorCode> {
        let deadline = Duration::from_millis(limits::HEADER_DEADLINE_MS);
        let addresses = timeout(deadline, tokio::net::lookup_host(endpoint)).await;
        let addresses = addresses.map_err(|_| ErrorCode::Timeout)?.map_err(|_| ErrorCode::Unavailable)?;
        let mut last = ErrorCode::Unavailable;
        for address in addresses.take(limits::ENDPOINTS_MAX) {
            self.strangers.peer_at(address.ip());
            match timeout(deadline, self.connect(domain, address)).await {
                Ok(Ok(reached)) => return Ok(reached),
                Ok(Err(error)) => last = error,
                Err(_) => last = ErrorCode::Timeout,
            }
        }
        Err(last)
    }

    async fn connect(
        &self,
        domain: &DomainName,
        address: SocketAddr,
    ) -> Result<(quinn::Connection, PublicKey), ErrorCode> {
        let connecting = self
            .endpoint
            .connect_with(self.config.clone(), address, domain.as_str())
            .map_err(|_| ErrorCode::Unavailable)?;
        let connection = connecting.await.map_err(|error| reason(&error))?;
        let Some(key) = proved_key(&connection) else {
            close(&connection, ErrorCode::AuthFailed);
            return Err(ErrorCode::AuthFailed);
        };
        Ok((connection, key))
    }
}
