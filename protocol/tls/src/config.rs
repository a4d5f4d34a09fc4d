//! The rustls configurations of both sides.

use std::sync::Arc;

use identity::SecretKey;
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::{ClientConfig, Error, ServerConfig, version};

use crate::signer::{NoKey, certified};
use crate::verifier::AnyEd25519;

/// [TLS-1] The side that is dialled: presents `tls_key`, asks for the other side's key but does without one
/// (a device has none to show), and speaks the given protocols only.
///
/// # Errors
/// If the provider cannot do TLS 1.3, which would be a fault of the build.
pub fn server_config(tls_key: &SecretKey, alpns: &[&[u8]]) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(Arc::new(AnyEd25519))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(tls_key))));
    config.alpn_protocols = alpns.iter().map(|alpn| alpn.to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

/// [TLS-1] The side that dials: a node presents its TLS key, a device presents none.
///
/// # Errors
/// As [`server_config`].
pub fn client_config(tls_key: Option<&SecretKey>, alpn: &[u8]) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyEd25519));
    let mut config = match tls_key {
        Some(key) => builder
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(key)))),
        None => builder.with_client_cert_resolver(Arc::new(NoKey)),
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}

/// [TLS-2] Key exchange is X25519MLKEM768 and nothing else: who records the traffic today and owns
/// a quantum computer later still reads nothing.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    })
}
