//! The programs as cargo built them: found, run, listened to.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// A program of this workspace as cargo built it beside the test that runs: `gateway`, `member-card`
/// or `loadtest`. `GATEWAY_PROGRAMS` names another folder, for example one with release builds.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let path = match std::env::var_os("GATEWAY_PROGRAMS") {
        Some(folder) => Path::new(&folder).join(name),
        None => {
            // target/debug/deps/kill-0123 → target/debug/gateway-under-test
            let test = std::env::current_exe().expect("a test has a path");
            let folder = test.ancestors().nth(2).expect("tests lie in a folder");
            folder.join(format!("{name}-under-test"))
        }
    };
    assert!(path.is_file(), "{} is not built", path.display());
    path
}

/// The settings of the test's own environment, which no program under test may see.
pub fn settings_around() -> impl Iterator<Item = String> {
    std::env::vars()
        .map(|(name, _)| name)
        .filter(|name| name == "DATABASE_URL" || name == "AMQP_URL" || name.starts_with("GATEWAY_"))
}

/// The gateway with nothing of the test's environment in its settings.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("gateway"));
    command.args(arguments).stdin(Stdio::null());
    for name in settings_around() {
        command.env_remove(name);
    }
    command
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs the program to its end.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn run(arguments: &[&str]) -> Ran {
    command(arguments)
        .output()
        .expect("the gateway runs")
        .into()
}

/// A program that is still running; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the gateway starts");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, lines }
    }

    /// Its next line that `wanted` takes.
    ///
    /// # Panics
    /// If it ends first.
    pub fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("its output");
            assert!(read > 0, "the gateway ended before it said that");
            if wanted(&line) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Asks it to stop with this signal and waits; its exit code.
    ///
    /// # Panics
    /// If it cannot be asked.
    pub fn stop(mut self, signal: &str) -> i32 {
        // The shell's own `kill`: the program of that name is not on every machine.
        let asked = Command::new("sh")
            .args(["-c", "kill \"$0\" \"$1\"", signal])
            .arg(self.child.id().to_string())
            .status();
        assert!(asked.expect("sh runs").success());
        let status = self.child.wait().expect("it ends");
        status.code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
