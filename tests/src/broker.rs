//! RabbitMQ as it really is: nodes of the tests' own, which may be frozen, starved and killed.
//!
//! Invariants: a node lives in a folder of its own, on free ports, and never outlives the test program,
//! however that ends; tests that share a node each have a virtual host, so they see nothing of each
//! other.

use std::{
    io::Read as _,
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{gateway_process::free_address, till::http_client};

/// How long a node may take to start. Erlang alone takes seconds on a quiet machine.
const READY_WITHIN: Duration = Duration::from_secs(300);
/// How often a node is asked whether it is there yet: nothing tells when its management listens.
const READY_POLL: Duration = Duration::from_millis(100);
/// Where packages put RabbitMQ's own scripts, which any user may run.
const FOLDERS: [&str; 4] = [
    "/usr/lib/rabbitmq/bin",
    "/usr/local/lib/rabbitmq/bin",
    "/opt/rabbitmq/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
];
/// Runs a node until its standard input closes, then kills it and all that came with it. The name
/// server is the node's own, so that no daemon stays behind.
const SUPERVISOR: &str = r#"
rm -f "$RABBITMQ_PID_FILE"
epmd -port "$ERL_EPMD_PORT" </dev/null >/dev/null 2>&1 &
"$0" </dev/null >>"$HOME/output" 2>&1 &
node=$!
read -r _
kill -9 "$(cat "$RABBITMQ_PID_FILE")" && wait "$node"
kill -9 0
"#;

/// A running node. Killed when dropped.
#[derive(Debug)]
pub struct Broker {
    folder: TempDir,
    name: String,
    amqp: SocketAddr,
    management: SocketAddr,
    distribution: SocketAddr,
    names: SocketAddr,
    running: Option<(Child, ChildStdin)>,
}

impl Broker {
    /// The node that the tests of this program share. Do not harm it.
    ///
    /// # Panics
    /// If RabbitMQ is not installed or does not start.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Broker> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::start("")).await
    }

    /// A node of its own, to be done anything to. `settings` are lines of `rabbitmq.conf`.
    ///
    /// # Panics
    /// If RabbitMQ is not installed or does not start.
    pub async fn start(settings: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut broker = Self {
            folder: TempDir::new().expect("a temporary folder"),
            name: format!("gateway-test-{}-{count}@localhost", std::process::id()),
            amqp: free_address(),
            management: free_address(),
            distribution: free_address(),
            names: free_address(),
            running: None,
        };
        let conf = format!(
            "listeners.tcp.1 = {}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {}\n\
             log.console = false\n{settings}\n",
            broker.amqp,
            broker.management.port(),
        );
        std::fs::write(broker.path("rabbitmq.conf"), conf).expect("rabbitmq.conf");
        std::fs::write(broker.path("plugins"), "[rabbitmq_management].\n").expect("plugins");
        std::fs::write(broker.path("env.conf"), "").expect("env.conf");
        broker.restart().await;
        broker
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.amqp
    }

    /// The virtual host `/` as its administrator.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@{}", self.amqp)
    }

    /// Another port of this machine for a listener that the node's settings name.
    #[must_use]
    pub fn free_port() -> u16 {
        free_address().port()
    }

    /// SIGKILL, now.
    pub fn kill(&mut self) {
        if let Some((mut supervisor, stdin)) = self.running.take() {
            drop(stdin);
            // It kills itself last, so the node is gone when the supervisor is.
            let _ = supervisor.wait();
        }
    }

    /// Starts it again after [`kill`](Self::kill), with what it had on its disk. That is every message
    /// a quorum queue has confirmed; what was declared in the last moment may be gone.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn restart(&mut self) {
        let mut supervisor = self
            .command(Path::new("sh"))
            .arg("-c")
            .arg(SUPERVISOR)
            .arg(script("rabbitmq-server"))
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh runs");
        let stdin = supervisor.stdin.take().expect("a pipe");
        self.running = Some((supervisor, stdin));
        let ready = async {
            // Management comes last, and says so only when the node has booted.
            while self
                .ask(Method::GET, "/health/checks/local-alarms", None)
                .await
                .is_err()
                || self
                    .ask(Method::GET, "/health/checks/virtual-hosts", None)
                    .await
                    .is_err()
                || tokio::net::TcpStream::connect(self.amqp).await.is_err()
            {
                tokio::time::sleep(READY_POLL).await;
            }
        };
        if tokio::time::timeout(READY_WITHIN, ready).await.is_err() {
            let mut said = String::new();
            let file = std::fs::File::open(self.path("output"));
            let _ = file.and_then(|mut file| file.read_to_string(&mut said));
            panic!("RabbitMQ does not start:\n{said}");
        }
    }

    /// Writes down which quorum queues there are. The node does that by itself some seconds after a
    /// declaration; a queue whose node is killed before never works again.
    ///
    /// # Panics
    /// If it cannot be told to.
    pub async fn keep_declarations(&self) {
        let sync = "[ok = dets:sync(Table) || Table <- dets:all()].";
        self.ctl(&["eval", sync]).await;
    }

    /// Stops it from doing anything, without closing a connection, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Runs `rabbitmqctl` on it; what that printed.
    ///
    /// # Panics
    /// If it fails.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        let mut command = self.command(&script("rabbitmqctl"));
        command.args(["-q", "-n", &self.name]).args(arguments);
        let output = tokio::process::Command::from(command).output().await;
        let Output {
            status,
            stdout,
            stderr,
        } = output.expect("rabbitmqctl runs");
        assert!(
            status.success(),
            "rabbitmqctl {arguments:?}: {}",
            String::from_utf8_lossy(&stderr)
        );
        String::from_utf8_lossy(&stdout).into_owned()
    }

    /// A new virtual host, where nothing is declared.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn virtual_host(&self) -> VirtualHost<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let made = self
            .ask(Method::PUT, &format!("/vhosts/{name}"), None)
            .await;
        made.expect("a virtual host");
        VirtualHost { broker: self, name }
    }

    /// Asks the management interface; the body of its answer, null if that is empty.
    ///
    /// # Errors
    /// What it said if it refused, or that it was not there.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let url = format!("http://{}/api{path}", self.management);
        let mut request = http_client()
            .request(method, url)
            .basic_auth("guest", Some("guest"));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() {
            Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
        } else {
            Err(format!("{status}: {text}"))
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", self.names.port().to_string())
            .env("RABBITMQ_NODENAME", &self.name)
            .env("RABBITMQ_DIST_PORT", self.distribution.port().to_string())
            .env("RABBITMQ_CONF_ENV_FILE", self.path("env.conf"))
            .env("RABBITMQ_CONFIG_FILE", self.path("rabbitmq"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.path("plugins"))
            .env("RABBITMQ_MNESIA_BASE", self.path("data"))
            .env("RABBITMQ_LOG_BASE", self.path("log"))
            .env("RABBITMQ_PID_FILE", self.path("pid"))
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-kernel inet_dist_use_interface {127,0,0,1}",
            );
        command
    }

    fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.path("pid")).expect("the node's process id");
        let sent = Command::new("sh")
            .args(["-c", "kill -\"$0\" \"$1\"", signal, pid.trim()])
            .status();
        assert!(sent.expect("sh runs").success(), "no such process: {pid}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A virtual host of a node: exchanges and queues that nobody else sees.
#[derive(Debug)]
pub struct VirtualHost<'a> {
    broker: &'a Broker,
    name: String,
}

impl VirtualHost<'_> {
    /// Its URL, password and all, as the gateway's `--amqp-url` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/{}", self.broker.url(), self.name)
    }

    /// The same, through another port.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        format!("amqp://guest:guest@{address}/{}", self.name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the management interface says of one of its things: `("queues", "crm.purchases")`. None if
    /// there is no such thing. Counts in it may be some seconds old.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn thing(&self, kind: &str, name: &str) -> Option<Value> {
        match self.on(Method::GET, kind, name, None).await {
            Ok(value) => Some(value),
            Err(error) if error.starts_with("404") => None,
            Err(error) => panic!("{kind} {name}: {error}"),
        }
    }

    /// Makes an exchange of this type, durable.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn declare_exchange(&self, name: &str, kind: &str) {
        let body = json!({ "type": kind, "durable": true });
        let made = self.on(Method::PUT, "exchanges", name, Some(body)).await;
        made.unwrap_or_else(|error| panic!("exchange {name}: {error}"));
    }

    /// Makes a durable queue with these arguments.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn declare_queue(&self, name: &str, arguments: Value) {
        let body = json!({ "durable": true, "arguments": arguments });
        let made = self.on(Method::PUT, "queues", name, Some(body)).await;
        made.unwrap_or_else(|error| panic!("queue {name}: {error}"));
    }

    /// Binds a queue to an exchange.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn bind(&self, exchange: &str, queue: &str, routing_key: &str) {
        let path = format!("/bindings/{}/e/{exchange}/q/{queue}", self.name);
        let body = json!({ "routing_key": routing_key });
        let made = self.broker.ask(Method::POST, &path, Some(body)).await;
        made.unwrap_or_else(|error| panic!("binding of {queue}: {error}"));
    }

    /// Takes a binding away.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn unbind(&self, exchange: &str, queue: &str, routing_key: &str) {
        let key = routing_key.replace('#', "%23");
        let path = format!("/bindings/{}/e/{exchange}/q/{queue}/{key}", self.name);
        let gone = self.broker.ask(Method::DELETE, &path, None).await;
        gone.unwrap_or_else(|error| panic!("binding of {queue}: {error}"));
    }

    /// Takes an exchange or a queue away: `("queues", "crm.purchases")`.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn delete(&self, kind: &str, name: &str) {
        let gone = self.on(Method::DELETE, kind, name, None).await;
        gone.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
    }

    async fn on(
        &self,
        method: Method,
        kind: &str,
        name: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let path = format!("/{kind}/{}/{name}", self.name);
        self.broker.ask(method, &path, body).await
    }
}

/// One of RabbitMQ's own scripts. Not the one in `PATH`: on Debian that insists on its own user.
fn script(name: &str) -> PathBuf {
    let folders = std::env::var("TEST_RABBITMQ_SCRIPTS").ok();
    let folders = folders.as_deref().into_iter().chain(FOLDERS);
    for folder in folders {
        let path = Path::new(folder).join(name);
        if path.is_file() {
            return path;
        }
    }
    panic!(
        "RabbitMQ is not installed: on Debian, apt-get install rabbitmq-server; elsewhere, let \
         TEST_RABBITMQ_SCRIPTS name the folder of rabbitmq-server and rabbitmqctl"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_that_was_killed_is_gone_and_comes_back_where_it_was() {
        let mut broker = Broker::start("").await;
        let address = broker.address();
        broker.kill();
        let port = tokio::net::TcpStream::connect(address).await;
        assert!(port.is_err(), "a killed node listens");
        broker.restart().await;
        assert_eq!(broker.address(), address);
        let host = broker.virtual_host().await;
        host.declare_exchange("made", "topic").await;
        assert!(host.thing("exchanges", "made").await.is_some());
        assert!(host.thing("exchanges", "never-made").await.is_none());
        assert!(broker.ctl(&["list_vhosts"]).await.contains(host.name()));
    }
}
