//! The program from start to stop: its programme file, and how it leaves.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use acceptance::{
    databases::Database,
    on_each_database,
    program::{command, run},
};
use gateway::{programme_file::DEMO, store::PoolSizes};
use tempfile::TempDir;

on_each_database!(
    a_changed_programme_file_is_shown_and_put_in_force_at_start,
    gateways_that_start_with_the_same_file_agree,
    readiness_is_false_before_the_listener_closes,
);

/// A gateway that has begun to listen.
struct Gateway {
    child: Child,
    out: BufReader<ChildStdout>,
    base: String,
    /// What it printed before.
    told: String,
}

impl Gateway {
    fn start(database: &Database, further: &[&str]) -> Self {
        Self::begin(database, further).listening()
    }

    fn begin(database: &Database, further: &[&str]) -> Self {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database-url"];
        let arguments = [serve.as_slice(), &[database.url()], further].concat();
        let mut child = command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            out,
            base: String::new(),
            told: String::new(),
        }
    }

    fn listening(mut self) -> Self {
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it ended after {}", self.told);
            if let Some(base) = line.strip_prefix("listening on ") {
                base.trim_end().clone_into(&mut self.base);
                return self;
            }
            self.told.push_str(&line);
        }
    }

    fn terminate(&self) {
        let id = self.child.id().to_string();
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &id])
            .status();
        assert!(asked.unwrap().success());
    }

    fn stop(mut self) -> Option<i32> {
        self.terminate();
        self.child.wait().unwrap().code()
    }

    async fn get(&self, path: &str) -> u16 {
        let answer = reqwest::get(format!("{}{path}", self.base)).await;
        answer.unwrap().status().as_u16()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn migrate(database: &Database) {
    assert_eq!(run(&["migrate", "--database-url", database.url()]).code, 0);
}

struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn with(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("points.toml");
        fs::write(&path, text).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// Version in force and what it takes to earn.
async fn in_force(database: &Database) -> (i64, u32) {
    let store = database.open(PoolSizes { write: 1, read: 1 }).await;
    let in_force = store.programme().await.unwrap().unwrap();
    store.close().await;
    (in_force.version, in_force.programme.earn.per_yen.get())
}

async fn a_changed_programme_file_is_shown_and_put_in_force_at_start(database: Database) {
    migrate(&database);
    let start = |file: &File| {
        let further = ["--drain-seconds", "0", "--programme", file.path()];
        Gateway::start(&database, &further)
    };
    let (first, changed) = (
        File::with(DEMO),
        File::with(&DEMO.replace("per_yen = 100", "per_yen = 125")),
    );
    assert_eq!(start(&first).stop(), Some(0));
    assert_eq!(in_force(&database).await, (1, 100));
    for shown in [true, false] {
        let gateway = start(&changed);
        let told = gateway.told.contains("earn.per_yen: 100 -> 125");
        assert_eq!(told, shown, "{}", gateway.told);
        assert_eq!(gateway.get("/readyz").await, 200);
        assert_eq!(gateway.stop(), Some(0));
        assert_eq!(in_force(&database).await, (2, 125), "once is enough");
    }

    let serve = ["serve", "--listen", "127.0.0.1:0", "--database-url"];
    for (text, line, reason) in [
        (
            DEMO.replace("per_yen = 100", "per_yen = 0"),
            "per_yen = 0",
            "per_yen",
        ),
        (
            DEMO.replace("id = \"demo\"", "id = \"other\""),
            "id = \"other\"",
            "can never become",
        ),
    ] {
        let number = text.lines().position(|found| found == line).unwrap() + 1;
        let wrong = File::with(&text);
        let ran = run(&[
            serve.as_slice(),
            &[database.url(), "--programme", wrong.path()],
        ]
        .concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        let place = format!("{}:{number}:", wrong.path());
        assert!(ran.err.contains(&place), "{place} {ran:?}");
        assert!(ran.err.contains(reason), "{ran:?}");
        assert_eq!(in_force(&database).await, (2, 125));
    }
}

async fn gateways_that_start_with_the_same_file_agree(database: Database) {
    migrate(&database);
    for (version, per_yen) in [(1, 100), (2, 110), (3, 120)] {
        let text = DEMO.replace("per_yen = 100", &format!("per_yen = {per_yen}"));
        let file = File::with(&text);
        let further = ["--drain-seconds", "0", "--programme", file.path()];
        let all = [(); 3].map(|()| Gateway::begin(&database, &further));
        for gateway in all.map(Gateway::listening) {
            assert_eq!(gateway.get("/readyz").await, 200);
            assert_eq!(gateway.stop(), Some(0));
        }
        assert_eq!(in_force(&database).await, (version, per_yen));
    }
}

async fn readiness_is_false_before_the_listener_closes(database: Database) {
    migrate(&database);
    let file = File::with(DEMO);
    // Longer than any test waits: only the second signal ends it.
    let further = ["--drain-seconds", "3600", "--programme", file.path()];
    let gateway = Gateway::start(&database, &further);
    assert_eq!(gateway.get("/readyz").await, 200);
    gateway.terminate();
    while gateway.get("/readyz").await == 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.get("/readyz").await, 503);
    assert_eq!(gateway.get("/v1/programme").await, 200, "still served");
    assert_eq!(gateway.stop(), Some(0));
}
