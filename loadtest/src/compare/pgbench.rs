//! PostgreSQL's own `pgbench`, writing for each authorization the rows that the gateway writes.
//!
//! It is spared what can be spared: constants are the columns' defaults, ids and times are numbers that
//! pgbench counts up (so they rise with time, as the gateway's do), no text is assembled twice, plans
//! are made once, and what needs no answer goes in one pipeline.

use std::{fmt::Write as _, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use sqlx::postgres::PgSslMode;
use tokio::process::Command;

use super::{
    database::{Databases, Which},
    part::{Kind, Meter, Part},
    written::{Value, Written},
};
use crate::{clock, figures::per_second, load::Moment, processes::Server};

/// How many ids one client makes before the next number: more clients than that meet.
const CLIENTS_MAX: usize = 1_000;
/// How long pgbench goes on after what is measured, so that its end is not in it.
const AFTERWARDS_S: u64 = 1;

/// pgbench, ready to run.
#[derive(Debug)]
pub struct Pgbench {
    databases: Databases,
    password: Option<String>,
    server: Option<Server>,
    scripts: tempfile::TempDir,
    tables: Vec<String>,
    members: usize,
}

/// How much pgbench is to do.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Clients at once.
    pub clients: usize,
    /// Authorizations a second; none for as many as it can.
    pub per_s: Option<u32>,
    /// What does not count.
    pub warm_up: Duration,
    /// What counts.
    pub measured: Duration,
}

impl Pgbench {
    /// Makes the database that its runs are copies of, and its scripts.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn prepare(
        databases: &Databases,
        url: &str,
        server: Option<Server>,
        written: &Written,
    ) -> anyhow::Result<Self> {
        databases.copy(Which::Base, Which::Direct).await?;
        let mut statements = defaults(written);
        // A client names a card, as a till does: here by a number, so that any can be drawn.
        statements.push(
            "UPDATE cards SET card_id = numbered.number FROM \
             (SELECT card_id, row_number() OVER (ORDER BY card_id) AS number FROM cards) AS numbered \
             WHERE cards.card_id = numbered.card_id"
                .to_owned(),
        );
        statements.push(function(written));
        statements.push("VACUUM FULL cards".to_owned());
        databases.execute(Which::Direct, &statements).await?;
        databases.settle(Which::Direct).await?;
        let count = "SELECT count(*)::text FROM cards";
        let count = databases.texts(Which::Direct, count).await?;
        let scripts = tempfile::tempdir()?;
        std::fs::write(
            script(scripts.path(), Kind::Statements),
            statements_script(written),
        )?;
        std::fs::write(script(scripts.path(), Kind::Function), function_script())?;
        Ok(Self {
            databases: databases.clone(),
            password: password(url)?,
            server,
            scripts,
            tables: written.made.iter().map(|made| made.table.clone()).collect(),
            members: count.first().context("a count")?.parse()?,
        })
    }

    /// Runs one of the two scripts on a fresh copy of the database.
    ///
    /// # Errors
    /// If pgbench is missing or fails, or did not write the rows it was to write.
    pub async fn run(&self, kind: Kind, span: Span) -> anyhow::Result<Part> {
        ensure!(span.clients < CLIENTS_MAX, "too many clients for pgbench");
        self.databases.copy(Which::Direct, Which::Copy).await?;
        let before = self.rows().await?;
        let logs = tempfile::tempdir()?;
        let mut command = self.command(kind, span)?;
        let mut child = command
            .arg("--log-prefix")
            .arg(logs.path().join("log"))
            .spawn()
            .context("cannot run pgbench; it comes with PostgreSQL")?;
        let mut meter = Meter::new(None, self.server, child.id());
        tokio::time::sleep(span.warm_up).await;
        let begun = clock::now().as_microsecond();
        meter.note(Moment::Begins);
        tokio::select! {
            _ = child.wait() => {}
            () = tokio::time::sleep(span.measured) => {}
        }
        meter.note(Moment::Ended);
        let ended = clock::now().as_microsecond();
        let output = child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {said}");
        let mut log = Log::new(begun..ended)?;
        for file in std::fs::read_dir(logs.path())? {
            log.read(&std::fs::read_to_string(file?.path())?)?;
        }
        self.wrote_all(&before, log.all).await?;
        let requests = log.latency_us.len();
        let elapsed = Duration::from_micros(u64::try_from(ended - begun)?);
        let at_rate = span.per_s.map(|_| Kind::DirectAtRate);
        Ok(Part {
            kind: at_rate.unwrap_or(kind),
            clients: span.clients,
            requests,
            others: (log.failed > 0)
                .then(|| ("failed".to_owned(), log.failed))
                .into_iter()
                .collect(),
            per_s: per_second(requests, elapsed),
            p50_us: log.latency_us.value_at_quantile(0.5),
            p99_us: log.latency_us.value_at_quantile(0.99),
            costs: meter.costs(),
            steal_per_cent: meter.steal_per_cent(),
        })
    }

    fn command(&self, kind: Kind, span: Span) -> anyhow::Result<Command> {
        let options = self.databases.postgres(Which::Copy);
        let options = options.context("pgbench needs PostgreSQL")?;
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        let seconds = (span.warm_up + span.measured).as_secs() + AFTERWARDS_S;
        let mut command = Command::new("pgbench");
        command
            .args(["--no-vacuum", "--protocol=prepared", "--log"])
            .arg("--file")
            .arg(script(self.scripts.path(), kind))
            .arg(format!("--client={}", span.clients))
            .arg(format!("--jobs={}", span.clients.min(cores)))
            .arg(format!("--time={seconds}"))
            .args(span.per_s.map(|per_s| format!("--rate={per_s}")))
            .arg(format!("--define=members={}", self.members))
            .arg(format!("--define=start={}", clock::now().as_microsecond()))
            .arg("--define=round=0")
            .arg("--host")
            .arg(
                options
                    .get_socket()
                    .map_or(options.get_host().into(), |path| path.clone()),
            )
            .arg(format!("--port={}", options.get_port()))
            .arg(format!("--username={}", options.get_username()))
            .arg(options.get_database().context("a database")?)
            .env("PGSSLMODE", ssl_mode(options.get_ssl_mode()))
            .env(
                "PGOPTIONS",
                "-c synchronous_commit=on -c plan_cache_mode=force_generic_plan -c jit=off",
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        Ok(command)
    }

    /// How many rows each of the tables has that an authorization makes a row of.
    async fn rows(&self) -> anyhow::Result<Vec<u64>> {
        let count = |table: &String| format!("(SELECT count(*) FROM {table})");
        let counts: Vec<String> = self.tables.iter().map(count).collect();
        let query = format!("SELECT concat_ws(' ', {})", counts.join(", "));
        let counted = self.databases.texts(Which::Copy, &query).await?;
        let counted = counted.first().context("counts")?;
        Ok(counted
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()?)
    }

    /// Each transaction, counted or not, has left one row in each of the tables.
    async fn wrote_all(&self, before: &[u64], transactions: u64) -> anyhow::Result<()> {
        let after = self.rows().await?;
        let made: Vec<u64> = after
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        ensure!(
            made.iter().all(|made| *made == transactions),
            "{transactions} transactions of pgbench made {made:?} rows"
        );
        Ok(())
    }
}

fn script(directory: &Path, kind: Kind) -> std::path::PathBuf {
    directory.join(if kind == Kind::Statements {
        "statements.sql"
    } else {
        "function.sql"
    })
}

const fn ssl_mode(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

/// The password in a URL, which pgbench gets where no list of processes shows it.
fn password(url: &str) -> anyhow::Result<Option<String>> {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let Some((_, password)) = user.split_once(':') else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let mut rest = password.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(std::str::from_utf8(&digits)?, 16)?
            }
            byte => byte,
        });
    }
    Ok(Some(String::from_utf8(bytes)?))
}

/// What stays the same of each row becomes the default of its column.
fn defaults(written: &Written) -> Vec<String> {
    let made = written.made.iter();
    made.flat_map(|made| {
        let constants = made.constants.iter();
        constants.map(|(column, literal)| {
            format!(
                "ALTER TABLE {} ALTER COLUMN {column} SET DEFAULT {literal}",
                made.table
            )
        })
    })
    .collect()
}

/// `INSERT` of each row, with what `term` says for its values.
fn inserts(written: &Written, term: impl Fn(Value) -> String) -> Vec<String> {
    let insert = |made: &super::written::Made| {
        let columns: Vec<&str> = made
            .values
            .iter()
            .map(|(column, _)| column.as_str())
            .collect();
        let terms: Vec<String> = made.values.iter().map(|(_, value)| term(*value)).collect();
        let (table, columns, terms) = (&made.table, columns.join(", "), terms.join(", "));
        format!("INSERT INTO {table} ({columns}) VALUES ({terms})")
    };
    written.made.iter().map(insert).collect()
}

/// What both scripts draw and count. A number of 19 digits, filled up to 32, is a UUID.
const DRAW: &str = "\
\\set card random(1, :members)
\\set issued random(0, 4294967295)
\\set round :round + 1
\\set number 9000000000000000000 + :round * 1000 + :client_id
\\set at :start + :round
";

fn function_script() -> String {
    format!("{DRAW}SELECT loadtest_authorize(:card, :issued, :client_id, :number, :at);\n")
}

/// The whole authorization in the server: one round trip, one statement of the client.
fn function(written: &Written) -> String {
    let term = |value| {
        match value {
            Value::Card => "the_card",
            Value::Issued => "the_issued",
            Value::Member => "the_member",
            Value::Lot => "the_lot",
            Value::Sequence => "the_sequence",
            Value::Terminal => "the_terminal",
            Value::Request => "the_request",
            Value::Id => "the_id",
            Value::At => "the_at",
        }
        .to_owned()
    };
    let mut body = String::new();
    for insert in inserts(written, term) {
        let _ = writeln!(body, "    {insert};");
    }
    let (member, lot) = (&written.member, &written.lot);
    format!(
        "CREATE FUNCTION loadtest_authorize(the_card bigint, the_issued bigint, client int, number bigint, the_at bigint)
RETURNS uuid LANGUAGE plpgsql VOLATILE AS $function$
DECLARE
    the_member uuid;
    the_sequence bigint;
    the_lot uuid;
    the_id uuid := rpad(number::text, 32, '0')::uuid;
    the_terminal text := 'loadtest-' || client;
    the_request text := 'loadtest-request-' || number;
BEGIN
    SELECT member_id INTO the_member FROM cards WHERE card_id = the_card AND status = 'active';
    UPDATE members SET {member}
        WHERE member_id = the_member AND status = 'active' AND available >= 1
        RETURNING event_sequence INTO STRICT the_sequence;
    UPDATE lots SET {lot} WHERE member_id = the_member AND is_open RETURNING lot_id INTO STRICT the_lot;
{body}    RETURN the_id;
END
$function$"
    )
}

/// The same as statements of a client: it waits for an answer where it needs one, the rest goes at once.
fn statements_script(written: &Written) -> String {
    let term = |value| {
        match value {
            Value::Card => ":card",
            Value::Issued => ":issued",
            Value::Member => ":member",
            Value::Lot => ":lot",
            Value::Sequence => ":sequence",
            Value::Terminal => ":terminal",
            Value::Request => ":request",
            Value::Id => ":id",
            Value::At => ":at",
        }
        .to_owned()
    };
    let mut pipeline = String::new();
    for insert in inserts(written, term) {
        let _ = writeln!(pipeline, "{insert};");
    }
    let (member, lot) = (&written.member, &written.lot);
    format!(
        "{DRAW}BEGIN;
UPDATE members SET {member}
    WHERE member_id = (SELECT member_id FROM cards WHERE card_id = :card AND status = 'active')
    AND status = 'active' AND available >= 1
    RETURNING member_id AS member, event_sequence AS sequence,
    rpad(CAST(:number AS text), 32, '0') AS id, 'loadtest-' || :client_id AS terminal,
    'loadtest-request-' || :number AS request \\gset
UPDATE lots SET {lot} WHERE member_id = :member AND is_open RETURNING lot_id AS lot \\gset
\\startpipeline
{pipeline}COMMIT;
\\endpipeline
"
    )
}

/// pgbench's log of single transactions.
#[derive(Debug)]
struct Log {
    counted: std::ops::Range<i64>,
    latency_us: Histogram<u64>,
    all: u64,
    failed: u64,
}

impl Log {
    /// That counts what ended in a range of time, in microseconds since 1970.
    fn new(counted: std::ops::Range<i64>) -> anyhow::Result<Self> {
        Ok(Self {
            counted,
            latency_us: Histogram::new(3)?,
            all: 0,
            failed: 0,
        })
    }

    /// A line has the client, its transaction's number, the latency in microseconds (at a given rate
    /// from the moment it was due), the script, and the second and microsecond of its end.
    fn read(&mut self, text: &str) -> anyhow::Result<()> {
        for line in text.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let [_, _, latency, _, second, micros, ..] = fields.as_slice() else {
                anyhow::bail!("pgbench's log has a line of its own kind: {line}");
            };
            let counts = self
                .counted
                .contains(&(second.parse::<i64>()? * 1_000_000 + micros.parse::<i64>()?));
            match latency.parse::<u64>() {
                Ok(latency) => {
                    self.all += 1;
                    if counts {
                        self.latency_us.record(latency.max(1))?;
                    }
                }
                // In words: it failed or was skipped.
                Err(_) if counts => self.failed += 1,
                Err(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_counts_what_ended_in_the_span() {
        let mut log = Log::new(5_000_000..6_000_000).unwrap();
        log.read("0 1 900 0 4 999999\n1 1 1000 0 5 0 20\n0 2 3000 0 5 500000 0\n")
            .unwrap();
        log.read("2 1 failed 0 5 1\n2 2 failed 0 9 1\n2 3 77 0 6 0\n")
            .unwrap();
        assert_eq!((log.latency_us.len(), log.all, log.failed), (2, 4, 1));
        assert_eq!(log.latency_us.min(), 1_000);
        assert!((2_990..=3_010).contains(&log.latency_us.max()));
        assert!(log.read("pgbench: aborted\n").is_err());
        assert!(log.read("0 1 900 0 x 1\n").is_err());
    }

    #[test]
    fn a_password_is_found_and_decoded() {
        for (url, expected) in [
            ("postgres://me:se%40cret:1@host:5432/db", Some("se@cret:1")),
            ("postgres://me@host/db?application_name=a:b@c", None),
            ("postgres://host/db", None),
        ] {
            assert_eq!(password(url).unwrap().as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_row_takes_values_and_leaves_constants_to_defaults() {
        let written = Written {
            made: vec![super::super::written::Made {
                table: "card_uses".into(),
                values: vec![
                    ("card_id".into(), Value::Card),
                    ("bound_at".into(), Value::At),
                ],
                constants: vec![("spend".into(), "'unlimited'".into())],
            }],
            member: "held = held + (1)".into(),
            lot: "held = held + (1)".into(),
        };
        let insert = "INSERT INTO card_uses (card_id, bound_at) VALUES (";
        assert!(statements_script(&written).contains(&format!("{insert}:card, :at);")));
        assert!(function(&written).contains(&format!("{insert}the_card, the_at);")));
        assert_eq!(
            defaults(&written),
            ["ALTER TABLE card_uses ALTER COLUMN spend SET DEFAULT 'unlimited'"]
        );
    }
}
