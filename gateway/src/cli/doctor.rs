//! `gateway doctor`: finds what is wrong with a set-up and says what to do, in plain words.

mod broker;

use std::path::Path;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Failure, Settings, broker::BrokerArgs, database::DatabaseArgs, output};
use crate::{
    clock::Clock,
    limits,
    store::{
        DatabaseUrl, Diagnosis, PoolSizes, PostgresDiagnosis, SchemaState, SqliteDiagnosis, Store,
        StoreError,
    },
};

/// The oldest PostgreSQL that is supported.
const POSTGRES_MAJOR_MIN: i64 = 15;
/// Clocks further apart than this are wrong: a card text is good for less.
const CLOCK_SKEW_MS_MAX: i128 = 2_000;
/// Less free space than this is too little, in KiB.
const FREE_KIB_MIN: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    /// Print JSON, one finding a line
    #[arg(long)]
    json: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    /// As it should be.
    Good,
    /// Works, and should be looked at.
    Warning,
    /// Does not work, or can lose points.
    Fault,
}

impl Grade {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// What was looked at, what was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    grade: Grade,
    about: &'static str,
    found: String,
    advice: String,
}

fn good(about: &'static str, found: impl Into<String>) -> Finding {
    finding(Grade::Good, about, found, "")
}

fn finding(
    grade: Grade,
    about: &'static str,
    found: impl Into<String>,
    advice: impl Into<String>,
) -> Finding {
    Finding {
        grade,
        about,
        found: found.into(),
        advice: advice.into(),
    }
}

pub(super) async fn run(args: DoctorArgs, settings: Settings) -> Result<(), Failure> {
    let url = args.database.url(&settings)?;
    let broker = args.broker.broker(&settings)?;
    let mut findings = examine(&url, broker.is_some()).await;
    if let Some(broker) = broker {
        findings.extend(broker::examine(&broker).await);
    }
    for found in &findings {
        if args.json {
            output::json(&json!({
                "grade": found.grade.word(), "about": found.about,
                "found": found.found, "advice": found.advice,
            }))?;
        } else {
            output::line(format!(
                "{:<8} {:<12} {}",
                found.grade.word(),
                found.about,
                found.found
            ))?;
            if !found.advice.is_empty() {
                output::line(format!("{:<8} {:<12} -> {}", "", "", found.advice))?;
            }
        }
    }
    if findings.iter().any(|found| found.grade == Grade::Fault) {
        return Err(Failure::Told);
    }
    Ok(())
}

async fn examine(url: &DatabaseUrl, has_broker: bool) -> Vec<Finding> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return vec![finding(
            Grade::Fault,
            "database",
            format!("there is no file {}", path.display()),
            "make it with `gateway migrate`, or mend the path in the database URL",
        )];
    }
    let store = match Store::open(url, PoolSizes { write: 1, read: 2 }).await {
        Ok(store) => store,
        Err(error) => return vec![away(url, &error)],
    };
    let mut findings = Vec::new();
    match examine_database(url, &store, &mut findings).await {
        Ok(true) => {
            if let Err(error) = examine_contents(&store, has_broker, &mut findings).await {
                findings.push(away(url, &error));
            }
        }
        Ok(false) => {}
        Err(error) => findings.push(away(url, &error)),
    }
    store.close().await;
    if let DatabaseUrl::Sqlite(path) = url {
        findings.extend(free_space(path).await);
    }
    findings
}

fn away(url: &DatabaseUrl, error: &StoreError) -> Finding {
    let advice = match url {
        DatabaseUrl::Sqlite(_) => "see that the file and its folder can be read and written",
        DatabaseUrl::Postgres(_) => {
            "see that the server runs, that host, port and name are right, and that the user may log in"
        }
    };
    finding(Grade::Fault, "database", format!("{url}: {error}"), advice)
}

/// The server and the schema; whether the contents can be looked at.
async fn examine_database(
    url: &DatabaseUrl,
    store: &Store,
    findings: &mut Vec<Finding>,
) -> Result<bool, StoreError> {
    let clock = Clock::system();
    let asked = clock.now();
    let diagnosis = store.diagnosis().await?;
    let answered = clock.now();
    match &diagnosis {
        Diagnosis::Postgres(found) => {
            findings.extend(postgres(url, found));
            findings.push(clock_skew(asked, answered, found.now));
        }
        Diagnosis::Sqlite(found) => findings.extend(sqlite(url, found)),
    }
    let state = store.schema_state().await?;
    let usable = matches!(state, SchemaState::UpToDate | SchemaState::Ahead(_));
    findings.push(schema(&state));
    if usable {
        match store.check_statements().await {
            Ok(count) => findings.push(good("statements", format!("all {count} fit the schema"))),
            Err(error) => findings.push(finding(
                Grade::Fault,
                "statements",
                error.to_string(),
                "the schema was changed by hand, or the program is older than the schema; use the release that migrated it",
            )),
        }
    }
    Ok(usable)
}

fn postgres(url: &DatabaseUrl, found: &PostgresDiagnosis) -> Vec<Finding> {
    let (major, minor) = (found.version / 10_000, found.version % 10_000);
    let mib = found.bytes / (1024 * 1024);
    let about = format!("{url}: PostgreSQL {major}.{minor}, {mib} MiB");
    let mut findings = vec![if major < POSTGRES_MAJOR_MIN {
        finding(
            Grade::Fault,
            "database",
            about,
            format!(
                "PostgreSQL {POSTGRES_MAJOR_MIN} is the oldest that is supported; upgrade the server"
            ),
        )
    } else {
        good("database", about)
    }];
    if found.is_standby {
        findings.push(finding(
            Grade::Fault,
            "database",
            "the server is a standby and takes no writes",
            "point the database URL at the primary",
        ));
    }
    for (name, value) in [
        ("fsync", &found.fsync),
        ("full_page_writes", &found.full_page_writes),
    ] {
        if value != "on" {
            findings.push(finding(
                Grade::Fault,
                "durability",
                format!("{name} is {value}: a crash can lose or tear what was acknowledged"),
                format!("set {name} = on in postgresql.conf and reload"),
            ));
        }
    }
    if found.synchronous_commit == "off" {
        findings.push(finding(
            Grade::Fault,
            "durability",
            "synchronous_commit is off: a crash loses approvals that tills have already got",
            "set synchronous_commit = on, for the server or for the gateway's user",
        ));
    }
    if findings.iter().all(|found| found.about != "durability") {
        findings.push(good(
            "durability",
            format!(
                "fsync on, full_page_writes on, synchronous_commit {}",
                found.synchronous_commit
            ),
        ));
    }
    let wanted = i64::from(PoolSizes::default().all());
    if found.max_connections < wanted * 4 {
        findings.push(finding(
            Grade::Warning,
            "connections",
            format!(
                "the server takes {} in all, a gateway wants {wanted}",
                found.max_connections
            ),
            "raise max_connections if several gateways share the server",
        ));
    }
    findings
}

fn sqlite(url: &DatabaseUrl, found: &SqliteDiagnosis) -> Vec<Finding> {
    let mib = found.bytes / (1024 * 1024);
    let about = format!("{url}: SQLite {}, {mib} MiB", found.version);
    let mut findings = vec![good("database", about)];
    if found.journal_mode != "wal" || found.synchronous < 2 {
        findings.push(finding(
            Grade::Fault,
            "durability",
            format!(
                "journal_mode is {}, synchronous is {}: a crash can lose what was acknowledged",
                found.journal_mode, found.synchronous
            ),
            "keep the file on a local disk (WAL needs shared memory), and see that nothing else changes its mode",
        ));
    } else {
        findings.push(good("durability", "journal_mode wal, synchronous full"));
    }
    findings
}

fn clock_skew(asked: Timestamp, answered: Timestamp, there: Timestamp) -> Finding {
    let trip = answered.duration_since(asked);
    let here = asked.checked_add(trip / 2).unwrap_or(asked);
    let skew = there.duration_since(here);
    let (ms, trip_ms) = (skew.as_millis(), trip.as_millis());
    let found = format!(
        "the database's clock is {ms} ms ahead of this machine's (round trip {trip_ms} ms)"
    );
    if ms.abs() > CLOCK_SKEW_MS_MAX + trip_ms {
        let advice = "let both machines follow a time server: card texts are good for seconds, and the gateway's clock decides";
        return finding(Grade::Fault, "clock", found, advice);
    }
    good("clock", found)
}

fn schema(state: &SchemaState) -> Finding {
    match state {
        SchemaState::UpToDate => good("schema", "up to date"),
        SchemaState::Behind(missing) => finding(
            Grade::Fault,
            "schema",
            format!("{} migrations are missing", missing.len()),
            "run `gateway migrate`",
        ),
        SchemaState::Ahead(unknown) => finding(
            Grade::Warning,
            "schema",
            format!("a newer release applied migrations {unknown:?}"),
            "gateways of this release may go on; upgrade them before the next migration",
        ),
        SchemaState::Altered(version) => finding(
            Grade::Fault,
            "schema",
            format!("migration {version} was applied with another text, or only in part"),
            "use the release that migrated the database, or restore it from a backup",
        ),
    }
}

/// What a gateway needs to find in the database.
async fn examine_contents(
    store: &Store,
    has_broker: bool,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let now = Clock::system().now();
    findings.push(match store.programme().await? {
        Some(in_force) => {
            let (id, version) = (&in_force.programme.id, in_force.version);
            good("programme", format!("{id}, version {version}"))
        }
        None => finding(
            Grade::Fault,
            "programme",
            "none is in force: nothing can be decided",
            "write one (docs/programme.md) and apply it with `gateway admin programme apply FILE`",
        ),
    });
    let keys = store.signing_keys().await?;
    let signs = |key: &&crate::store::SigningKeyRow| {
        key.active_from <= now && key.retire_after.is_none_or(|end| now <= end)
    };
    findings.push(match keys.iter().find(signs) {
        Some(key) => good(
            "signing key",
            format!("{} signs since {}", key.kid, key.active_from),
        ),
        None => finding(
            Grade::Warning,
            "signing key",
            "none can sign access tokens yet",
            "the first `gateway serve` makes one; or `gateway admin key rotate`",
        ),
    });
    let clients = store.list_clients().await?;
    let enabled = clients.iter().filter(|client| client.is_enabled()).count();
    findings.push(if enabled == 0 {
        finding(
            Grade::Warning,
            "clients",
            "there are none: no till can sign in",
            "make one with `gateway admin client create --id ID --scope pos --terminal T --store S`",
        )
    } else {
        good("clients", format!("{enabled} enabled, {} disabled", clients.len() - enabled))
    });
    findings.push(overdue(store.oldest_overdue_hold(now).await?, now));
    let outbox = store.outbox_status().await?;
    findings.push(broker::waiting(outbox, has_broker, now));
    Ok(())
}

fn overdue(oldest: Option<Timestamp>, now: Timestamp) -> Finding {
    let age = oldest.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
    if age > SignedDuration::from_secs(limits::OVERDUE_HOLD_ALARM_S) {
        let minutes = age.as_mins();
        return finding(
            Grade::Warning,
            "holds",
            format!("a hold ran out {minutes} minutes ago and was not let go"),
            "no gateway sweeps: see that one runs, and look for sweep.* in its log",
        );
    }
    good("holds", "none is overdue")
}

/// Free space where the file lies, as `df` sees it; nothing where there is no `df`.
async fn free_space(path: &Path) -> Option<Finding> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let output = tokio::process::Command::new("df")
        .arg("-Pk")
        .arg(folder)
        .output()
        .await
        .ok()?;
    let kib = free_kib(&String::from_utf8_lossy(&output.stdout))?;
    let found = format!("{} MiB free in {}", kib / 1024, folder.display());
    Some(if kib < FREE_KIB_MIN {
        let advice = "make room: with a full disk the gateway answers 503 and approves nothing";
        finding(Grade::Warning, "disk", found, advice)
    } else {
        good("disk", found)
    })
}

/// The fourth column of the second line of `df -Pk`.
fn free_kib(output: &str) -> Option<u64> {
    let row = output.lines().nth(1)?;
    row.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> PostgresDiagnosis {
        PostgresDiagnosis {
            version: 160_004,
            is_standby: false,
            fsync: "on".into(),
            synchronous_commit: "on".into(),
            full_page_writes: "on".into(),
            max_connections: 100,
            bytes: 0,
            now: Timestamp::UNIX_EPOCH,
        }
    }

    fn faults(found: &PostgresDiagnosis) -> Vec<&'static str> {
        let url: DatabaseUrl = "postgres://a@b/c".parse().unwrap();
        let faults = postgres(&url, found).into_iter();
        faults
            .filter(|found| found.grade == Grade::Fault)
            .map(|found| found.about)
            .collect()
    }

    #[test]
    fn settings_that_can_lose_points_are_faults() {
        assert_eq!(faults(&server()), [""; 0]);
        let off = || "off".to_owned();
        for (found, about) in [
            (
                PostgresDiagnosis {
                    fsync: off(),
                    ..server()
                },
                "durability",
            ),
            (
                PostgresDiagnosis {
                    synchronous_commit: off(),
                    ..server()
                },
                "durability",
            ),
            (
                PostgresDiagnosis {
                    full_page_writes: off(),
                    ..server()
                },
                "durability",
            ),
            (
                PostgresDiagnosis {
                    version: 140_011,
                    ..server()
                },
                "database",
            ),
            (
                PostgresDiagnosis {
                    is_standby: true,
                    ..server()
                },
                "database",
            ),
        ] {
            assert_eq!(faults(&found), [about]);
        }
    }

    #[test]
    fn a_skew_counts_beyond_the_round_trip() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        assert_eq!(clock_skew(at(0), at(4_000), at(5_000)).grade, Grade::Good);
        assert_eq!(clock_skew(at(0), at(10), at(5_000)).grade, Grade::Fault);
        assert_eq!(
            clock_skew(at(9_000), at(9_010), at(5_000)).grade,
            Grade::Fault
        );
    }

    #[test]
    fn df_is_understood() {
        let output = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 40 60 40% /\n";
        assert_eq!(free_kib(output), Some(60));
        assert_eq!(free_kib(""), None);
    }
}
