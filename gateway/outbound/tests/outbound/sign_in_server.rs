//! A sign-in server, and tokens good and forged. Tokens are put together by hand, so that anything can be
//! said in them and nothing but the cryptography is shared with the code under test.

use std::sync::{
    Arc, LazyLock, Mutex, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair,
    },
};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use data_encoding::BASE64URL_NOPAD;
use outbound::openid::Issuer;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::server::{START, Server};

pub(crate) const CLIENT_ID: &str = "points-app";
pub(crate) const NONCE: &str = "n-0S6_WzA2Mj";

/// Makes the answers of a server that is not as it should be.
type Odd = Box<dyn Fn(&str) -> Response + Send + Sync>;

pub(crate) struct SignInServer {
    pub(crate) server: Server,
    pub(crate) state: Arc<ServerState>,
}

#[derive(Default)]
pub(crate) struct ServerState {
    base: OnceLock<String>,
    keys: Mutex<Vec<Value>>,
    configuration: Mutex<Option<Odd>>,
    key_set: Mutex<Option<Odd>>,
    pub(crate) configurations_served: AtomicUsize,
    pub(crate) key_sets_served: AtomicUsize,
    /// Answers wait while this is held; each that waits says so first.
    gate: Mutex<Option<Arc<Gate>>>,
}

pub(crate) struct Gate {
    pub(crate) arrived: Semaphore,
    pub(crate) open: Semaphore,
}

impl SignInServer {
    pub(crate) async fn start(keys: &[&Signer]) -> Self {
        let state = Arc::new(ServerState::default());
        let router = Router::new()
            .route(
                "/tenant/.well-known/openid-configuration",
                get(configuration),
            )
            .route("/keys", get(key_set))
            .with_state(state.clone());
        let server = Server::start(router).await;
        state.base.set(server.base.clone()).unwrap();
        let started = Self { server, state };
        started.publish(keys);
        started
    }

    pub(crate) fn issuer_text(&self) -> String {
        format!("{}/tenant", self.server.base)
    }

    pub(crate) fn issuer(&self) -> Issuer {
        let ids = [CLIENT_ID, "points-web"].map(str::to_owned);
        Issuer::new(&self.issuer_text(), ids).unwrap()
    }

    pub(crate) fn publish(&self, keys: &[&Signer]) {
        self.publish_jwks(keys.iter().map(|key| key.jwk()).collect());
    }

    pub(crate) fn publish_jwks(&self, keys: Vec<Value>) {
        *self.state.keys.lock().unwrap() = keys;
    }

    pub(crate) fn answer_configuration(
        &self,
        odd: impl Fn(&str) -> Response + Send + Sync + 'static,
    ) {
        *self.state.configuration.lock().unwrap() = Some(Box::new(odd));
    }

    pub(crate) fn answer_keys(&self, odd: impl Fn(&str) -> Response + Send + Sync + 'static) {
        *self.state.key_set.lock().unwrap() = Some(Box::new(odd));
    }

    pub(crate) fn go_down(&self) {
        self.answer_configuration(|_| StatusCode::SERVICE_UNAVAILABLE.into_response());
    }

    pub(crate) fn come_up(&self) {
        *self.state.configuration.lock().unwrap() = None;
    }

    /// From now on answers wait.
    pub(crate) fn close_gate(&self) -> Arc<Gate> {
        let gate = Arc::new(Gate {
            arrived: Semaphore::new(0),
            open: Semaphore::new(0),
        });
        *self.state.gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    /// How often configuration and keys were asked for.
    pub(crate) fn served(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (
            of(&self.state.configurations_served),
            of(&self.state.key_sets_served),
        )
    }

    /// The claims of a token as it should be.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.issuer_text(),
            "sub": "u-248289761001",
            "aud": CLIENT_ID,
            "exp": START + 300,
            "iat": START,
            "nonce": NONCE,
        })
    }
}

async fn configuration(State(state): State<Arc<ServerState>>) -> Response {
    state.configurations_served.fetch_add(1, Ordering::SeqCst);
    let gate = state.gate.lock().unwrap().clone();
    if let Some(gate) = gate {
        gate.arrived.add_permits(1);
        gate.open.acquire().await.unwrap().forget();
    }
    let base = state.base.get().unwrap();
    match &*state.configuration.lock().unwrap() {
        Some(odd) => odd(base),
        None => json_of(&json!({
            "issuer": format!("{base}/tenant"),
            "jwks_uri": format!("{base}/keys"),
        })),
    }
}

async fn key_set(State(state): State<Arc<ServerState>>) -> Response {
    state.key_sets_served.fetch_add(1, Ordering::SeqCst);
    match &*state.key_set.lock().unwrap() {
        Some(odd) => odd(state.base.get().unwrap()),
        None => json_of(&json!({ "keys": *state.keys.lock().unwrap() })),
    }
}

pub(crate) fn json_of(value: &Value) -> Response {
    axum::Json(value).into_response()
}

/// A key that signs.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static str),
    Ec(EcdsaKeyPair),
}

fn rsa(kid: &'static str, algorithm: &'static str) -> Signer {
    let pair = Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), algorithm);
    Signer { kid, pair }
}

fn ec(kid: &'static str) -> Signer {
    let pair = Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
    Signer { kid, pair }
}

pub(crate) static RS256: LazyLock<Signer> = LazyLock::new(|| rsa("rs", "RS256"));
pub(crate) static PS256: LazyLock<Signer> = LazyLock::new(|| rsa("ps", "PS256"));
pub(crate) static ES256: LazyLock<Signer> = LazyLock::new(|| ec("es"));
pub(crate) static NEXT: LazyLock<Signer> = LazyLock::new(|| ec("next"));
/// A forger's, under the name of another.
pub(crate) static FORGER: LazyLock<Signer> = LazyLock::new(|| ec("es"));

impl Signer {
    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.pair {
            Pair::Rsa(_, algorithm) => algorithm,
            Pair::Ec(_) => "ES256",
        }
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.algorithm(), "kid": self.kid, "typ": "JWT" })
    }

    /// The public key in the form it has in the cryptographic library.
    pub(crate) fn public_bytes(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair, _) => pair.public_key().as_ref(),
            Pair::Ec(pair) => pair.public_key().as_ref(),
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        let bytes = self.public_bytes();
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match &self.pair {
            // RSAPublicKey in DER: a sequence of 270 bytes, n of 257 with its leading zero, e of 3.
            Pair::Rsa(_, algorithm) => json!({
                "kty": "RSA", "use": "sig", "alg": algorithm, "kid": self.kid,
                "n": text(&bytes[9..265]), "e": text(&bytes[267..]),
            }),
            Pair::Ec(_) => json!({
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
                "x": text(&bytes[1..33]), "y": text(&bytes[33..]),
            }),
        }
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }

    /// A token with any header, signed by this key's own algorithm whatever the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = signed_text(header, claims);
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair, algorithm) => {
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = match *algorithm {
                    "PS256" => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, text.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ec(pair) => pair
                .sign(&random, text.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
        };
        format!("{text}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

/// A token under `secret` by HMAC.
pub(crate) fn hs256(kid: &str, secret: &[u8], claims: &Value) -> String {
    let text = signed_text(&json!({ "alg": "HS256", "kid": kid }), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

/// A token that nobody signed.
pub(crate) fn unsigned(claims: &Value) -> String {
    format!("{}.", signed_text(&json!({ "alg": "none" }), claims))
}

fn signed_text(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}
