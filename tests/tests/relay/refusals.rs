//! The broker says no, and only people can change that: it is said once, events wait, and when it is
//! mended they go.

use std::path::PathBuf;

use acceptance::{
    broker::Broker,
    databases::{Database, Engine},
    gateway_process::GatewayProcess,
    installation::Installation,
};
use gateway::outbox::EXCHANGE;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Crm, Running, Stage};

async fn serve(database: &Database, broker: &[&str]) -> GatewayProcess {
    let mut start = Installation::new(database.url()).await.unwrap().serve();
    start.arguments.extend(broker.iter().map(Into::into));
    GatewayProcess::start(start).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_said_and_mended() {
    let shared = Broker::shared().await;
    let host = shared.virtual_host().await;
    let database = Database::create(Engine::Sqlite).await;
    let mut stage = Stage::new(&database).await;
    let url = host.url().replace("guest:guest", "relay-test:geheim-4711");
    let gateway = serve(&database, &["--amqp-url", &url]).await;
    stage.happen("points.adjusted", 0..10).await;
    let said = gateway
        .line(|line| line.contains("broker.refused"))
        .await
        .unwrap();
    assert!(
        said.contains("ACCESS_REFUSED") && said.contains("relay-test"),
        "{said}"
    );
    assert!(!said.contains("geheim"), "{said}");

    let user = json!({ "password": "geheim-4711", "tags": "" });
    shared
        .ask(Method::PUT, "/users/relay-test", Some(user))
        .await
        .unwrap();
    let rights = json!({ "configure": ".*", "write": ".*", "read": ".*" });
    let path = format!("/permissions/{}/relay-test", host.name());
    shared.ask(Method::PUT, &path, Some(rights)).await.unwrap();
    let mut crm = Crm::reading(&host.url());
    stage.agrees_with(&mut crm).await;
    gateway
        .line(|line| line.contains("broker.connected"))
        .await
        .unwrap();
    let log = gateway.said();
    assert!(log.iter().all(|line| !line.contains("geheim")));
    let refused = log.iter().filter(|line| line.contains("broker.refused"));
    assert_eq!(refused.count(), 1, "it is said once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_of_another_type_is_not_published_to() {
    let host = Broker::shared().await.virtual_host().await;
    host.declare_exchange(EXCHANGE, "direct").await;
    let database = Database::create(Engine::Postgres).await;
    let mut stage = Stage::new(&database).await;
    let gateway = serve(&database, &["--amqp-url", &host.url()]).await;
    stage.happen("points.adjusted", 0..10).await;
    let said = gateway
        .line(|line| line.contains("broker.refused"))
        .await
        .unwrap();
    assert!(
        said.contains("another type") && said.contains("direct"),
        "{said}"
    );
    let events = stage.events().await;
    assert!(events.iter().all(|event| event.stream_sequence.is_none()));

    host.delete("exchanges", EXCHANGE).await;
    let mut crm = Crm::reading(&host.url());
    stage.agrees_with(&mut crm).await;
}

/// A user who may write and nothing else, on a virtual host that others look after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_the_right_to_declare_uses_what_is_there() {
    let shared = Broker::shared().await;
    let host = shared.virtual_host().await;
    host.declare_exchange(EXCHANGE, "topic").await;
    host.declare_queue(gateway::outbox::QUEUE, json!({})).await;
    host.bind(EXCHANGE, gateway::outbox::QUEUE, "#").await;
    let user = json!({ "password": "x", "tags": "" });
    shared
        .ask(Method::PUT, "/users/writer", Some(user))
        .await
        .unwrap();
    let rights = json!({ "configure": "", "write": ".*", "read": "" });
    let path = format!("/permissions/{}/writer", host.name());
    shared.ask(Method::PUT, &path, Some(rights)).await.unwrap();
    let database = Database::create(Engine::Sqlite).await;
    let mut stage = Stage::new(&database).await;
    let relay = Running::start(&stage.store, &host.url().replace("guest:guest", "writer:x"));
    let mut crm = Crm::reading(&host.url());
    stage.happen("points.adjusted", 0..50).await;
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}

/// Files of a certification authority and of a server's certificate for `localhost`.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let folder = TempDir::new().unwrap();
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let made = Self { folder };
        std::fs::write(made.path("ca.pem"), authority.pem()).unwrap();
        std::fs::write(made.path("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(made.path("key.pem"), key.serialize_pem()).unwrap();
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_broker_with_a_certificate_to_believe_gets_events() {
    let certificates = Certificates::make();
    let port = Broker::free_port();
    let path = |name| certificates.path(name).display().to_string();
    let broker = Broker::start(&format!(
        "listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
         ssl_options.keyfile = {}\nssl_options.verify = verify_none",
        path("ca.pem"),
        path("cert.pem"),
        path("key.pem"),
    ))
    .await;
    let database = Database::create(Engine::Sqlite).await;
    let mut stage = Stage::new(&database).await;
    stage.happen("points.adjusted", 0..50).await;
    let url = |host| format!("amqps://guest:guest@{host}:{port}");

    // An authority nobody named, then a name that is not the certificate's, then a port without TLS.
    let unknown = serve(&database, &["--amqp-url", &url("localhost")]).await;
    let ca = path("ca.pem");
    let misnamed = serve(
        &database,
        &["--amqp-url", &url("127.0.0.1"), "--amqp-ca", &ca],
    )
    .await;
    let plain = format!("amqps://guest:guest@{}", broker.address());
    let plain = serve(&database, &["--amqp-url", &plain, "--amqp-ca", &ca]).await;
    for (gateway, why) in [
        (unknown, "UnknownIssuer"),
        (misnamed, "not valid for name"),
        (plain, "TLS"),
    ] {
        let said = gateway
            .line(|line| line.contains("broker.refused"))
            .await
            .unwrap();
        assert!(said.contains(why), "{said}");
    }
    let events = stage.events().await;
    assert!(events.iter().all(|event| event.stream_sequence.is_none()));

    let broker_url: gateway::outbox::Broker = url("localhost").parse().unwrap();
    let believed = broker_url
        .with_authorities(&certificates.path("ca.pem"))
        .unwrap();
    let relay = Running::with(&stage.store, believed);
    let mut crm = Crm::reading(&broker.url());
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}
