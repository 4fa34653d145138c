//! TLS is not only spoken but checked: a server with a certificate of its own making is not talked to.

use std::sync::Arc;

use outbound::{
    https::Fault,
    openid::{Issuer, Settings, Verifier, VerifyError},
};
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::{
    server::{at, client},
    sign_in_server::{CLIENT_ID, ES256, NONCE},
};

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let handshake = tokio::spawn(async move {
        let (line, _) = listener.accept().await.unwrap();
        acceptor.accept(line).await.map(|_| ())
    });

    let issuer = Issuer::new(&url, [CLIENT_ID.to_owned()]).unwrap();
    let token = ES256.token(&serde_json::json!({}));
    let verifier = Verifier::new(client(), Settings::default());
    let outcome = verifier.verify(&issuer, &token, NONCE, at(0)).await;
    let unreachable = VerifyError::Unreachable(Fault::NotReached.into());
    assert_eq!(outcome.unwrap_err(), unreachable);
    let alert = handshake.await.unwrap().unwrap_err().to_string();
    assert!(alert.contains("UnknownCA"), "{alert}");
}
