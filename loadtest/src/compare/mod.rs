//! `loadtest compare`: the gateway against its own database without a gateway.
//!
//! In alternating rounds of one run: `pgbench`, writing for each authorization the rows that the gateway
//! writes, once as statements of a transaction and once as a call of a function; the gateway, asked by
//! this program with signed cards; and both once more at a given rate. Where there is no PostgreSQL, a
//! direct writer of SQLite takes pgbench's place.
//!
//! Reading order: here the rounds, [`written`] the rows, [`pgbench`] and [`direct`] what the gateway is
//! compared with, [`part`] what is measured of each, [`summary`] what it comes to.

pub mod database;
pub mod direct;
pub mod part;
pub mod pgbench;
pub mod quiet;
pub mod summary;
pub mod written;

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use clap::Args;

use self::{
    database::{Databases, Which},
    direct::Direct,
    part::{Kind, Meter, Part},
    pgbench::{Pgbench, Span},
    summary::{Choice, Comparison, Round},
    written::{Rows, Written},
};
use crate::{
    clock,
    crowd::{Crowd, POINTS_HELD},
    figures::requests_in,
    gateway::{Installation, PROGRAMME_ID, Running},
    load::{self, Callers},
    processes::Server,
    till::{Client, Till},
    wire::Wire,
};

/// Rounds that make a comparison.
const ROUNDS_MIN: usize = 5;
/// Tills that share the load.
const TILLS: usize = 16;
/// So that no till is told to slow down.
const NO_RATE_LIMIT: &str = "--client-requests-per-second=1000000";
/// Callers at a given rate: enough that one is free when a request is due.
const CALLERS_AT_RATE_MIN: usize = 64;
/// Clients of pgbench at a given rate, at least.
const CLIENTS_AT_RATE_MIN: usize = 8;
/// Requests for the first guess of how fast the gateway is.
const FIRST_GUESS: usize = 1_000;

/// Options of `loadtest compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The gateway's program
    #[arg(long, value_name = "PATH")]
    pub gateway: PathBuf,
    /// postgres://… or sqlite://PATH; databases beside it are made, copied and dropped
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Rounds, at least 5
    #[arg(long, value_name = "N", default_value_t = ROUNDS_MIN)]
    pub rounds: usize,
    /// Seconds that each part is measured
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub seconds: u64,
    /// Seconds of each part that do not count
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub warm_up_seconds: u64,
    /// Seconds that each number of clients is tried
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub calibrate_seconds: u64,
    /// Authorizations a second in the parts at a given rate
    #[arg(long, value_name = "N", default_value = "1000")]
    pub per_s: NonZeroU32,
    /// Members to enrol
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    pub members: usize,
    /// Numbers of clients to try for pgbench
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "1,2,4,8,16,32,64"
    )]
    pub clients: Vec<usize>,
    /// Numbers of callers to try for the gateway
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "16,32,64,128,256"
    )]
    pub callers: Vec<usize>,
    /// Seconds to wait before each round until the host steals little
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub quiet_wait_seconds: u64,
    /// More options for the gateway, for example --gateway-option=--lanes=4
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub gateway_option: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write JSON to a file as well
    #[arg(long, value_name = "PATH")]
    pub json_file: Option<PathBuf>,
}

/// Runs all rounds.
///
/// # Errors
/// If a program cannot be run, or the database refuses.
pub async fn run(args: &CompareArgs) -> anyhow::Result<Comparison> {
    ensure!(args.rounds >= ROUNDS_MIN, "at least {ROUNDS_MIN} rounds");
    ensure!(
        args.seconds > 0 && args.calibrate_seconds > 0,
        "at least one second"
    );
    let databases: Databases = args.database_url.parse()?;
    databases.create_base().await?;
    let comparison = compare(args, &databases).await;
    let dropped = databases.drop_all().await;
    let comparison = comparison?;
    if let Some(path) = &args.json_file {
        std::fs::write(path, serde_json::to_vec_pretty(&comparison)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Err(error) = dropped {
        eprintln!("loadtest: the databases made for this are left: {error:#}");
    }
    Ok(comparison)
}

async fn compare(args: &CompareArgs, databases: &Databases) -> anyhow::Result<Comparison> {
    let mut bench = Bench::prepare(args, databases).await?;
    for line in bench.method() {
        eprintln!("{line}");
    }
    eprintln!("\nwhich number of clients is best\n{}", Part::heading());
    let mut choices = Vec::new();
    for kind in bench.kinds() {
        choices.push((kind, bench.choose(kind).await?));
    }
    let mut rounds = Vec::new();
    for number in 0..args.rounds {
        let quiet = quiet::wait(Duration::from_secs(args.quiet_wait_seconds)).await;
        eprintln!(
            "\nround {} of {}{}\n{}",
            number + 1,
            args.rounds,
            if quiet { "" } else { ", on a noisy machine" },
            Part::heading()
        );
        rounds.push(bench.round(number, &choices).await?);
    }
    let choices = choices.into_iter().map(|(_, choice)| choice).collect();
    Ok(Comparison::of(
        bench.method(),
        args.per_s.get(),
        choices,
        rounds,
    ))
}

/// What the gateway is compared with.
#[derive(Debug)]
enum Other {
    Pgbench(Pgbench),
    Direct(Direct),
}

/// All that rounds need.
struct Bench<'a> {
    args: &'a CompareArgs,
    databases: &'a Databases,
    installation: Installation,
    clients: Vec<Client>,
    crowd: Crowd,
    /// The server's processes, or why they are not seen.
    server: Result<Option<Server>, String>,
    other: Other,
    parts_run: usize,
}

impl<'a> Bench<'a> {
    /// Fills the base, and looks what an authorization writes.
    async fn prepare(args: &'a CompareArgs, databases: &'a Databases) -> anyhow::Result<Self> {
        let url = databases.url(Which::Base);
        let base = Installation::new(&args.gateway, &url).await?;
        let mut clients = Vec::new();
        for number in 0..TILLS {
            clients.push(base.client(&format!("loadtest-{number}")).await?);
        }
        let mut crowd = Crowd::new(PROGRAMME_ID, args.members)?;
        let gateway = base.serve(&[NO_RATE_LIMIT.to_owned()]).await?;
        let first = clients.first().context("a till")?;
        let till = Till::sign_in(&gateway.place, first).await?;
        eprintln!("enrolling {} members", args.members);
        crowd.join(&gateway.place, &till, "loadtest").await?;
        gateway.stop().await?;
        databases.settle(Which::Base).await?;
        databases.copy(Which::Base, Which::Copy).await?;
        let url = databases.url(Which::Copy);
        let installation = Installation::new(&args.gateway, &url).await?;
        let written = look(databases, &installation, first, &mut crowd).await?;
        let server = databases
            .server()
            .await
            .map_err(|error| format!("{error:#}"));
        let seen = server.clone().unwrap_or_default();
        let other = match databases.is_postgres() {
            true => {
                let url = &args.database_url;
                Other::Pgbench(Pgbench::prepare(databases, url, seen, &written).await?)
            }
            false => Other::Direct(Direct::prepare(databases, &written).await?),
        };
        Ok(Self {
            args,
            databases,
            installation,
            clients,
            crowd,
            server,
            other,
            parts_run: 0,
        })
    }

    /// What is compared with what, and how, for people.
    fn method(&self) -> Vec<String> {
        let members = self.crowd.members();
        let mut lines = vec![match self.other {
            Other::Pgbench(_) => format!(
                "The gateway on PostgreSQL against pgbench on the same server, {members} members: the same rows for each authorization."
            ),
            Other::Direct(_) => format!(
                "The gateway on SQLite against one direct writer of SQLite (sqlx, synchronous=FULL, WAL), {members} members: the same rows, one transaction for each authorization. PostgreSQL is not measured."
            ),
        }];
        lines.push(match self.other {
            Other::Pgbench(_) => "Before each part: a fresh copy of one database (vacuumed, analyzed), then CHECKPOINT. No part runs beside another.".to_owned(),
            Other::Direct(_) => "Before each part: a fresh copy of one file, synced. No part runs beside another.".to_owned(),
        });
        if let Err(why) = &self.server {
            lines.push(format!("PostgreSQL's processor time is not known: {why}."));
        }
        lines
    }

    /// What runs as fast as it can.
    fn kinds(&self) -> Vec<Kind> {
        match self.other {
            Other::Pgbench(_) => vec![Kind::Statements, Kind::Function, Kind::Gateway],
            Other::Direct(_) => vec![Kind::Direct, Kind::Gateway],
        }
    }

    /// Tries numbers of clients.
    async fn choose(&mut self, kind: Kind) -> anyhow::Result<Choice> {
        let tried = match kind {
            Kind::Direct => &vec![1],
            Kind::Gateway => &self.args.callers,
            _ => &self.args.clients,
        };
        let mut parts = Vec::new();
        for clients in tried {
            let span = Span {
                clients: *clients,
                per_s: None,
                warm_up: Duration::from_secs(1),
                measured: Duration::from_secs(self.args.calibrate_seconds),
            };
            let part = self.part(kind, span).await?;
            eprintln!("{}", part.line());
            parts.push(part);
        }
        Ok(Choice::of(parts))
    }

    /// Every part once; every other round in the opposite order.
    async fn round(&mut self, number: usize, choices: &[(Kind, Choice)]) -> anyhow::Result<Round> {
        let chosen = |kind: Kind| {
            let choice = choices.iter().find(|(of, _)| *of == kind);
            choice.map_or(1, |(_, choice)| choice.clients)
        };
        let mut kinds = self.kinds();
        kinds.extend([Kind::DirectAtRate, Kind::GatewayAtRate]);
        if number % 2 == 1 {
            kinds.reverse();
        }
        let mut parts = Vec::new();
        for kind in kinds {
            let (clients, per_s) = match kind {
                Kind::DirectAtRate => (chosen(Kind::Function).max(CLIENTS_AT_RATE_MIN), true),
                Kind::GatewayAtRate => (chosen(Kind::Gateway).max(CALLERS_AT_RATE_MIN), true),
                kind => (chosen(kind), false),
            };
            let span = Span {
                clients,
                per_s: per_s.then_some(self.args.per_s.get()),
                warm_up: Duration::from_secs(self.args.warm_up_seconds),
                measured: Duration::from_secs(self.args.seconds),
            };
            let part = self.part(kind, span).await?;
            eprintln!("{}", part.line());
            parts.push(part);
        }
        Ok(Round::of(parts))
    }

    async fn part(&mut self, kind: Kind, span: Span) -> anyhow::Result<Part> {
        if matches!(kind, Kind::Gateway | Kind::GatewayAtRate) {
            return self.gateway(kind, span).await;
        }
        match &self.other {
            Other::Direct(direct) => direct.run(span).await,
            Other::Pgbench(pgbench) => {
                let script = if kind == Kind::Statements {
                    kind
                } else {
                    Kind::Function
                };
                pgbench.run(script, span).await
            }
        }
    }

    /// The gateway, on a fresh copy, asked by this program.
    async fn gateway(&mut self, kind: Kind, span: Span) -> anyhow::Result<Part> {
        self.databases.copy(Which::Base, Which::Copy).await?;
        self.parts_run += 1;
        let mut options = vec![NO_RATE_LIMIT.to_owned()];
        options.extend(self.args.gateway_option.iter().cloned());
        let gateway = self.installation.serve(&options).await?;
        let mut callers = self.callers(&gateway, span).await?;
        let server = self.server.clone().unwrap_or_default();
        let mut meter = Meter::new(gateway.pid(), server, Some(std::process::id()));
        let crowd = &mut self.crowd;
        // How many come in so many seconds is known only once some have come.
        let (warm_up, per_s) = match span.per_s {
            Some(per_s) => (per_s.into(), per_s.into()),
            None => {
                let guess = load::authorize(&callers, crowd, FIRST_GUESS).await?;
                let per_s = crate::figures::per_second(guess.approved(), guess.elapsed);
                (per_s, per_s)
            }
        };
        callers.run = format!("loadtest-{}-w", self.parts_run);
        let warm_up = requests_in(warm_up, span.warm_up);
        let warmed = load::authorize(&callers, crowd, warm_up).await?;
        let per_s = match span.per_s {
            Some(_) => per_s,
            None => crate::figures::per_second(warmed.approved(), warmed.elapsed),
        };
        callers.run = format!("loadtest-{}-m", self.parts_run);
        let requests = requests_in(per_s, span.measured);
        let mut watch = |moment| meter.note(moment);
        let measured = load::authorize_watched(&callers, crowd, requests, &mut watch).await?;
        let mut others = measured.outcomes.clone();
        others.remove("approved");
        let part = Part {
            kind,
            clients: span.clients,
            requests: measured.approved(),
            others,
            per_s: crate::figures::per_second(measured.approved(), measured.elapsed),
            p50_us: measured.latency_us.value_at_quantile(0.5),
            p99_us: measured.latency_us.value_at_quantile(0.99),
            costs: meter.costs(),
            steal_per_cent: meter.steal_per_cent(),
        };
        gateway.stop().await?;
        Ok(part)
    }

    async fn callers(&self, gateway: &Running, span: Span) -> anyhow::Result<Callers> {
        let mut tills = Vec::new();
        for client in &self.clients {
            tills.push(Till::sign_in(&gateway.place, client).await?);
        }
        Ok(Callers {
            place: gateway.place.clone(),
            tills,
            concurrency: span.clients,
            run: format!("loadtest-{}-g", self.parts_run),
            per_s: span.per_s.and_then(NonZeroU32::new),
            holds_per_member: 20,
        })
    }
}

/// What one authorization writes: all rows of a copy, before and after one.
async fn look(
    databases: &Databases,
    installation: &Installation,
    client: &Client,
    crowd: &mut Crowd,
) -> anyhow::Result<Written> {
    let before = Rows::read(databases, Which::Base).await?;
    let gateway = installation.serve(&[]).await?;
    let till = Till::sign_in(&gateway.place, client).await?;
    let texts = crowd.texts(1).await?;
    let name = format!("loadtest-look-{}", clock::unix_now());
    let request = till.authorization(&name, texts.first().context("a text")?, POINTS_HELD)?;
    let answer = Wire::new(&gateway.place).send(request).await?;
    gateway.stop().await?;
    let said = String::from_utf8_lossy(&answer.body);
    ensure!(
        answer.json()?["outcome"] == "approved",
        "not approved: {said}"
    );
    Written::between(&before, &Rows::read(databases, Which::Copy).await?)
}
