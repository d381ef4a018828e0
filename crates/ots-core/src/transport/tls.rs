//! TLS by rustls: who is trusted.

use std::sync::{Arc, OnceLock};

use hyper_rustls::HttpsConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::connect::Plain;
use crate::error::Error;

/// Puts TLS on the connections to `https://` addresses.
pub(super) fn connector(
    plain: Plain,
    extra_roots_pem: &[u8],
) -> Result<HttpsConnector<Plain>, Error> {
    // Reading the system's certificates takes milliseconds. A clone shares them, and the sessions
    // that can be resumed.
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();

    let config = match CONFIG.get() {
        _ if !extra_roots_pem.is_empty() => config(extra_roots_pem)?,
        Some(config) => config.clone(),
        None => {
            let built = config(&[])?;
            CONFIG.get_or_init(|| built).clone()
        }
    };
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain))
}

fn config(extra_roots_pem: &[u8]) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let unreadable = "a root certificate can't be read: expected certificates in PEM";
    let mut extra = 0;
    for certificate in CertificateDer::pem_slice_iter(extra_roots_pem) {
        let certificate =
            certificate.map_err(|error| Error::configuration(unreadable).with_source(error))?;
        let added = roots.add(certificate);
        added.map_err(|error| Error::configuration(unreadable).with_source(error))?;
        extra += 1;
    }
    if extra == 0 && !extra_roots_pem.is_empty() {
        return Err(Error::configuration(unreadable));
    }
    if roots.is_empty() {
        // Not an error: a machine without certificates can still speak plain HTTP. But the failed
        // handshakes to come will only speak of an unknown issuer.
        tracing::warn!(errors = ?found.errors, "no root certificates found: https will not work");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::configuration("TLS can't be set up").with_source(error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
