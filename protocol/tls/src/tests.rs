//! Handshakes in memory, good and bad.

use std::ops::DerefMut;
use std::sync::Arc;

use identity::{PublicKey, SecretKey};
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, ConnectionCommon, Error, NamedGroup,
    PeerIncompatible, RootCertStore, ServerConfig, ServerConnection, SignatureAlgorithm, SignatureScheme,
    version,
};
use zeroize::Zeroizing;

use crate::{ALPN_CLIENT, ALPN_FEDERATION, client_config, peer_key, raw_key, server_config};

const BOTH: &[&[u8]] = &[ALPN_CLIENT, ALPN_FEDERATION];

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

/// Runs a handshake to its end, or to the first error of either side.
fn handshake(
    client: ClientConfig,
    server: ServerConfig,
) -> Result<(ClientConnection, ServerConnection), Error> {
    let name = ServerName::try_from("acme.test").expect("a name");
    let mut client = ClientConnection::new(Arc::new(client), name).expect("a client");
    let mut server = ServerConnection::new(Arc::new(server)).expect("a server");
    for _ in 0..10 {
        carry(&mut client, &mut server)?;
        carry(&mut server, &mut client)?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking(), "an error or an end");
    Ok((client, server))
}

fn carry<S1, S2>(
    from: &mut impl DerefMut<Target = ConnectionCommon<S1>>,
    to: &mut impl DerefMut<Target = ConnectionCommon<S2>>,
) -> Result<(), Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("memory");
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).expect("memory");
        to.process_new_packets()?;
    }
    Ok(())
}

fn server() -> ServerConfig {
    server_config(&secret(1), BOTH).expect("a configuration")
}

fn node() -> ClientConfig {
    client_config(Some(&secret(2)), ALPN_FEDERATION).expect("a configuration")
}

#[test]
fn two_nodes_prove_their_keys_to_each_other() {
    let (client, server) = handshake(node(), server()).expect("a handshake");
    let seen_by_client = client.peer_certificates().and_then(peer_key);
    let seen_by_server = server.peer_certificates().and_then(peer_key);
    assert_eq!(seen_by_client, Some(secret(1).public()));
    assert_eq!(seen_by_server, Some(secret(2).public()));
    assert_eq!(client.alpn_protocol(), Some(ALPN_FEDERATION));
    assert_eq!(server.server_name(), Some("acme.test"));
}

#[test]
fn a_device_presents_no_key_and_both_sides_export_the_same_secret() {
    let device = client_config(None, ALPN_CLIENT).expect("a configuration");
    let (client, server) = handshake(device, server()).expect("a handshake");
    assert_eq!(server.peer_certificates().and_then(peer_key), None);
    assert_eq!(client.peer_certificates().and_then(peer_key), Some(secret(1).public()));
    let export = |result: Result<[u8; 32], Error>| result.expect("an exporter");
    let label = identity::session::EXPORTER_LABEL;
    let of_client = export(client.export_keying_material([0; 32], label, None));
    assert_eq!(of_client, export(server.export_keying_material([0; 32], label, None)));
    assert_eq!(of_client, export(server.export_keying_material([0; 32], label, Some(b""))));
}

// [TLS-1] [TLS-2]
#[test]
fn only_tls_1_3_with_the_hybrid_key_exchange_and_no_tickets() {
    let (client, _) = handshake(node(), server()).expect("a handshake");
    assert_eq!(client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(
        client.negotiated_key_exchange_group().map(|group| group.name()),
        Some(NamedGroup::X25519MLKEM768)
    );
    assert_eq!(client.tls13_tickets_received(), 0);
    let classical = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1],
        ..aws_lc_rs::default_provider()
    };
    let mut client = ClientConfig::builder_with_provider(Arc::new(classical))
        .with_protocol_versions(&[&version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(crate::verifier::AnyEd25519))
        .with_client_cert_resolver(Arc::new(crate::signer::NoKey));
    client.alpn_protocols = vec![ALPN_CLIENT.to_vec()];
    assert_eq!(
        handshake(client, server()).map(drop),
        Err(Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon))
    );
}

#[test]
fn an_unknown_protocol_is_refused() {
    let client = client_config(None, b"comity-client/9").expect("a configuration");
    assert_eq!(handshake(client, server()).map(drop), Err(Error::NoApplicationProtocol));
}

#[test]
fn a_client_that_knows_only_x509_is_refused() {
    let mut client = ClientConfig::builder_with_provider(crate::config::provider())
        .with_protocol_versions(&[&version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    client.alpn_protocols = vec![ALPN_CLIENT.to_vec()];
    assert_eq!(
        handshake(client, server()).map(drop),
        Err(Error::PeerIncompatible(PeerIncompatible::IncorrectCertificateTypeExtension))
    );
}

#[test]
fn a_server_that_has_only_x509_is_refused() {
    #[derive(Debug)]
    struct X509(Arc<CertifiedKey>);
    impl ResolvesServerCert for X509 {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let mut config = server();
    config.cert_resolver = Arc::new(X509(crate::signer::certified(&secret(1))));
    let refused = handshake(node(), config).map(drop);
    assert_eq!(refused, Err(Error::PeerIncompatible(PeerIncompatible::IncorrectCertificateTypeExtension)));
}

type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// A key that claims `spki` and answers every signature with `sign`.
#[derive(Clone)]
struct Liar {
    spki: Vec<u8>,
    sign: Arc<Sign>,
}

impl std::fmt::Debug for Liar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Liar")
    }
}

impl Liar {
    fn new(spki: Vec<u8>, sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { spki, sign: Arc::new(sign) }
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        Arc::new(CertifiedKey::new(vec![CertificateDer::from(self.spki.clone())], Arc::new(self.clone())))
    }
}

impl SigningKey for Liar {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }
    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(self.spki.as_slice().into())
    }
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for Liar {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok((self.sign)(message))
    }
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

// [TLS-3] [TLS-4]
#[test]
fn a_key_that_is_not_ed25519_or_did_not_sign_is_refused_on_both_sides() {
    let honest = raw_key::encode(&secret(3).public());
    let sign = |message: &[u8]| secret(3).sign(message).to_vec();
    let identity_point = {
        let mut key = [0; 32];
        key[0] = 1;
        PublicKey::new(key)
    };
    let of_identity_point = |_: &[u8]| {
        let mut signature = vec![0; 64];
        signature[0] = 1;
        signature
    };
    let mut p256 = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];
    p256.resize(91, 7);
    let longer = [honest.as_slice(), &[0]].concat();
    let mut ed448 = honest.clone();
    ed448[8] = 0x71;
    let encoding = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let signature = || Error::InvalidCertificate(CertificateError::BadSignature);
    let table = [
        ("P-256", Liar::new(p256, sign), encoding()),
        ("Ed448", Liar::new(ed448, sign), encoding()),
        ("a byte too many", Liar::new(longer, sign), encoding()),
        ("a byte too few", Liar::new(honest[..43].to_vec(), sign), encoding()),
        ("nothing", Liar::new(Vec::new(), sign), encoding()),
        ("another key signed", Liar::new(honest.clone(), |m| secret(4).sign(m).to_vec()), signature()),
        ("another message", Liar::new(honest.clone(), |_| secret(3).sign(b"x").to_vec()), signature()),
        ("a short signature", Liar::new(honest.clone(), |m| secret(3).sign(m)[..63].to_vec()), signature()),
        ("zeros", Liar::new(honest, |_| vec![0; 64]), signature()),
        ("a small-order key", Liar::new(raw_key::encode(&identity_point), of_identity_point), signature()),
    ];
    for (name, liar, expected) in table {
        let mut bad_server = server();
        bad_server.cert_resolver = Arc::new(AlwaysResolvesServerRawPublicKeys::new(liar.certified()));
        assert_eq!(handshake(node(), bad_server).map(drop), Err(expected.clone()), "server: {name}");
        let mut bad_client = node();
        bad_client.client_auth_cert_resolver =
            Arc::new(AlwaysResolvesClientRawPublicKeys::new(liar.certified()));
        assert_eq!(handshake(bad_client, server()).map(drop), Err(expected), "client: {name}");
    }
}

#[test]
fn a_client_with_two_keys_is_refused() {
    let one = CertificateDer::from(raw_key::encode(&secret(3).public()));
    let key = Liar::new(Vec::new(), |message| secret(3).sign(message).to_vec());
    let mut client = node();
    client.client_auth_cert_resolver = Arc::new(AlwaysResolvesClientRawPublicKeys::new(Arc::new(
        CertifiedKey::new(vec![one.clone(), one], Arc::new(key)),
    )));
    assert_eq!(
        handshake(client, server()).map(drop),
        Err(Error::InvalidCertificate(CertificateError::BadEncoding))
    );
}

#[test]
fn a_refused_side_is_told_by_an_alert() {
    let name = ServerName::try_from("acme.test").expect("a name");
    let config = client_config(None, b"comity-client/9").expect("a configuration");
    let mut client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut server = ServerConnection::new(Arc::new(server())).expect("a server");
    assert!(carry(&mut client, &mut server).is_err());
    assert_eq!(
        carry(&mut server, &mut client),
        Err(Error::AlertReceived(AlertDescription::NoApplicationProtocol))
    );
}
