//! The gateway as an operator runs it: the real program, in a process of its own.
//!
//! Invariants: a process ends with its handle; its log is kept, and shown if the test fails; a
//! gateway counts as started when `/readyz` says so.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fmt,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{ExitStatus, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::Notify,
};

use crate::{
    program::{program, settings_around},
    till::http_client,
};

/// How long a gateway may take to become ready, migrations included.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a command of the program may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(120);
/// How often readiness is asked when the log is silent.
const READY_POLL: Duration = Duration::from_millis(50);
/// Lines of log that are kept.
const LOG_LINES_MAX: usize = 4_000;
/// Lines of log that a failed test shows.
const LOG_LINES_SHOWN: usize = 120;
/// Ports for gateways: below the range from which the system takes ports for outgoing connections,
/// or a killed gateway might find its port taken by one of its own clients.
const PORTS: std::ops::Range<u16> = 10_000..19_000;

/// An address on this machine that nobody listens on.
///
/// # Panics
/// If every port is taken.
#[must_use]
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    let start = u16::try_from(std::process::id() % u32::from(span)).unwrap_or(0);
    for _ in 0..span {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + start.wrapping_mul(31).wrapping_add(step) % span;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port");
}

/// Runs the program to its end.
///
/// # Errors
/// If it cannot be started or takes too long.
pub async fn run(name: &str, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(program(name));
    command.args(arguments);
    settings_around().for_each(|name| {
        command.env_remove(name);
    });
    command.stdin(Stdio::null()).kill_on_drop(true);
    tokio::time::timeout(COMMAND_WITHIN, command.output())
        .await
        .with_context(|| format!("{name} {} takes too long", arguments.join(" ")))?
        .with_context(|| format!("cannot run {name}"))
}

/// Runs the program to its end; what it printed on success.
///
/// # Errors
/// If it fails; with what it said.
pub async fn run_well(name: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = run(name, arguments).await?;
    ensure!(
        output.status.success(),
        "{name} {} ended with {}:\n{}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How a gateway is started.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// What follows the program's name; `--listen` is added.
    pub arguments: Vec<OsString>,
    /// Where to listen; any free port if not given.
    pub address: Option<SocketAddr>,
    /// Another program than [`program`] finds.
    pub program: Option<PathBuf>,
    /// Shell commands that run in the gateway's process before the gateway does, for its limits.
    pub prelude: Option<String>,
}

impl Start {
    /// `gateway` with these arguments.
    pub fn new<S: Into<OsString>>(arguments: impl IntoIterator<Item = S>) -> Self {
        Self {
            arguments: arguments.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// A running gateway.
pub struct GatewayProcess {
    start: Start,
    address: SocketAddr,
    child: Child,
    log: Arc<Log>,
}

impl GatewayProcess {
    /// Starts a gateway and waits until it is ready.
    ///
    /// # Errors
    /// If it ends or does not become ready; with its log.
    pub async fn start(start: Start) -> anyhow::Result<Self> {
        let mut gateway = Self::spawn(start)?;
        gateway.ready().await?;
        Ok(gateway)
    }

    /// Starts a gateway without waiting for it.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn spawn(start: Start) -> anyhow::Result<Self> {
        let address = start.address.unwrap_or_else(free_address);
        let log = Arc::new(Log::default());
        let child = spawn(&start, address, &log)?;
        Ok(Self {
            start,
            address,
            child,
            log,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it at once (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// If the system does not let it be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.log.note("-- killed by the test");
        self.child.kill().await.context("cannot kill the gateway")
    }

    /// Asks it to end (SIGTERM). See [`GatewayProcess::ended`].
    ///
    /// # Errors
    /// If the signal cannot be sent.
    pub async fn terminate(&mut self) -> anyhow::Result<()> {
        self.log.note("-- asked to end by the test");
        let id = self.child.id().context("the gateway has ended")?;
        let status = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\""])
            .arg(id.to_string())
            .status()
            .await?;
        ensure!(status.success(), "cannot send SIGTERM");
        Ok(())
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        tokio::time::timeout(COMMAND_WITHIN, self.child.wait())
            .await
            .context("the gateway does not end")?
            .context("cannot wait for the gateway")
    }

    /// Starts it again, as it was and where it was, and waits until it is ready.
    ///
    /// # Errors
    /// If it ends or does not become ready; with its log.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.start, self.address, &self.log)?;
        self.ready().await
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Errors
    /// If it ends first, or takes too long.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let url = format!("{}/readyz", self.base());
        let waited = tokio::select! {
            status = self.child.wait() => Err(format!("it ended with {}", status?)),
            ready = tokio::time::timeout(READY_WITHIN, until_status(&url, 200, &self.log)) => {
                ready.map_err(|_| "it takes too long".into())
            }
        };
        if let Err(why) = waited {
            // What it said last is still on its way through the pipes.
            tokio::time::sleep(READY_POLL).await;
            bail!("the gateway is not ready: {why}\n{}", self.log.tail());
        }
        Ok(())
    }

    /// Waits until `/readyz` says no: with a status, or by not listening any more.
    ///
    /// # Errors
    /// If it stays ready.
    pub async fn not_ready(&self) -> anyhow::Result<()> {
        let url = format!("{}/readyz", self.base());
        let http = http_client();
        let gone = async {
            while let Ok(response) = http.get(&url).send().await {
                if response.status() != 200 {
                    break;
                }
                self.log.next_line(READY_POLL).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, gone)
            .await
            .context("the gateway stays ready")
    }

    /// Waits for a line of its output or log that `wanted` says yes to; lines already written count.
    ///
    /// # Errors
    /// If no such line comes.
    pub async fn line(&self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<String> {
        let found = async {
            loop {
                if let Some(line) = self.log.find(&wanted) {
                    return line;
                }
                self.log.next_line(READY_POLL).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, found)
            .await
            .with_context(|| format!("the line does not come\n{}", self.log.tail()))
    }

    /// Everything it has said so far, its log too.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.log.lines(|_| true)
    }

    /// What it has printed so far, without its log.
    #[must_use]
    pub fn printed(&self) -> Vec<String> {
        self.log.lines(|stream| stream == Stream::Output)
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "== log of the gateway at {}\n{}",
                self.address,
                self.log.tail()
            );
        }
    }
}

impl fmt::Debug for GatewayProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatewayProcess({})", self.address)
    }
}

async fn until_status(url: &str, status: u16, log: &Log) {
    let http = http_client();
    loop {
        if let Ok(response) = http.get(url).send().await
            && response.status() == status
        {
            return;
        }
        log.next_line(READY_POLL).await;
    }
}

fn spawn(start: &Start, address: SocketAddr, log: &Arc<Log>) -> anyhow::Result<Child> {
    let found = || program("gateway");
    let gateway = start.program.clone().unwrap_or_else(found);
    let mut command = match &start.prelude {
        None => Command::new(&gateway),
        Some(prelude) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{prelude}\nexec \"$0\" \"$@\"")]);
            shell.arg(&gateway);
            shell
        }
    };
    settings_around().for_each(|name| {
        command.env_remove(name);
    });
    command
        .args(&start.arguments)
        .arg("--listen")
        .arg(address.to_string())
        .env("RUST_BACKTRACE", "1")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {}", gateway.display()))?;
    log.follow(Stream::Output, child.stdout.take());
    log.follow(Stream::Log, child.stderr.take());
    Ok(child)
}

/// Where a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Log,
    /// By the test itself.
    Test,
}

/// What a gateway wrote, over all its lives.
#[derive(Debug, Default)]
struct Log {
    lines: Mutex<VecDeque<(Stream, String)>>,
    news: Notify,
}

impl Log {
    fn follow(
        self: &Arc<Self>,
        stream: Stream,
        pipe: Option<impl AsyncRead + Send + Unpin + 'static>,
    ) {
        let (Some(pipe), log) = (pipe, self.clone()) else {
            return;
        };
        tokio::spawn(async move {
            let mut lines = BufReader::new(pipe).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                log.write(stream, &line);
            }
        });
    }

    fn note(&self, line: &str) {
        self.write(Stream::Test, line);
    }

    fn write(&self, stream: Stream, line: &str) {
        let mut lines = self.lines.lock().expect("not poisoned");
        if lines.len() == LOG_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back((stream, line.to_owned()));
        drop(lines);
        self.news.notify_waiters();
    }

    /// Waits for the next line, but not for ever.
    async fn next_line(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.news.notified()).await;
    }

    fn find(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let lines = self.lines.lock().expect("not poisoned");
        let found = lines.iter().find(|(_, line)| wanted(line));
        found.map(|(_, line)| line.clone())
    }

    fn lines(&self, wanted: impl Fn(Stream) -> bool) -> Vec<String> {
        let lines = self.lines.lock().expect("not poisoned");
        let wanted = lines.iter().filter(|(stream, _)| wanted(*stream));
        wanted.map(|(_, line)| line.clone()).collect()
    }

    fn tail(&self) -> String {
        let lines = self.lines(|_| true);
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}
