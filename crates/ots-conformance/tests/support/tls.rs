//! What ends TLS in front of a plain server, with a certificate of its own making.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A server on `https://localhost`.
pub(crate) struct Tls {
    pub(crate) port: u16,
    /// Its certificate, which nobody trusts who isn't told to.
    pub(crate) pem: String,
    /// Handshakes that came to an end.
    pub(crate) accepted: Arc<AtomicUsize>,
}

/// Ends TLS in front of this server.
pub(crate) async fn start(server: SocketAddr) -> Tls {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certified.cert.der().clone()],
            PrivateKeyDer::Pkcs8(key),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let certificate = STANDARD.encode(certified.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = Tls {
        port: listener.local_addr().unwrap().port(),
        pem,
        accepted: Arc::default(),
    };
    let accepted = Arc::clone(&tls.accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, accepted) = (acceptor.clone(), Arc::clone(&accepted));
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(stream).await else {
                    return;
                };
                accepted.fetch_add(1, Ordering::SeqCst);
                let mut service = TcpStream::connect(server).await.unwrap();
                tokio::io::copy_bidirectional(&mut client, &mut service)
                    .await
                    .ok();
            });
        }
    });
    tls
}
