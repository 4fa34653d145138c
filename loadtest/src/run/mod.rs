//! `loadtest run`: load against a gateway that runs already, or one that it starts itself.
//!
//! Reading order: [`options`] says what can be asked for, [`errand`] what shoppers come for, [`stage`]
//! cuts load into segments, [`drive`] is the open and the closed loop, [`visit`] one errand, [`record`]
//! what is written down, and [`search`] which rate comes next.

pub mod drive;
pub mod errand;
pub mod options;
pub mod record;
pub mod search;
pub mod stage;
pub mod visit;

use std::{num::NonZeroU32, sync::Arc};

use anyhow::{Context, ensure};

use crate::{
    clock,
    crowd::Crowd,
    database::Engine,
    gateway::{Audit, Installation, PROGRAMME_ID, Running},
    host::Host,
    progress,
    report::{Found, Report, Step, without_secrets},
    seed::keys::Keys,
    till::{Client, Till},
    wire::Place,
};
use drive::{Connections, Pace};
pub use options::RunArgs;
use options::Target;
use search::{STEPS_MAX, Search};
use stage::{Amount, Speeds, Stage};
use visit::Ground;

/// Where a search begins if nothing else is said, errands a second.
const SEARCH_FROM: u32 = 200;
/// Errands that are no part of the figures, at least.
const WARM_UP_MIN: u64 = 200;
/// Seconds of the asked rate that are no part of the figures.
const WARM_UP_S: u64 = 2;

/// A gateway to load, and what is known of its database.
struct Opened {
    place: Place,
    running: Option<Running>,
    installation: Option<Installation>,
    clients: Vec<Client>,
    programme: String,
}

/// Prepares, warms up, measures each step, and has the database audited if it is known.
///
/// # Errors
/// If the gateway cannot be reached or refuses the tills. An audit that finds something is no error.
pub async fn run(args: &RunArgs) -> anyhow::Result<Report> {
    let paces = args.paces()?;
    let amount = args.amount();
    let started_at = clock::now();
    let run = format!("load-{}", started_at.as_millisecond());
    let opened = open(args, &run).await?;
    let mut stage = set(args, &opened, &run).await?;
    let mut steps = Vec::new();
    let search = match args.find_rate {
        false => {
            for pace in paces {
                steps.push(step(args, &mut stage, pace, amount).await?);
            }
            None
        }
        true => {
            let start = args.per_s.map_or(SEARCH_FROM, NonZeroU32::get);
            let mut search = Search::new(start);
            while let (Some(per_s), true) = (search.next(), steps.len() < STEPS_MAX) {
                let done = step(args, &mut stage, stage::open(per_s)?, amount).await?;
                search = search.tried(per_s, done.keeps(args.p99_ms));
                steps.push(done);
            }
            steps.sort_by_key(|step| step.asked_per_s);
            Some(Found {
                p99_ms: args.p99_ms,
                per_s: search.highest(),
            })
        }
    };
    let mut notes = notes(args, &steps);
    if let Some(running) = opened.running {
        running.stop().await?;
    }
    let audit = audit(args, opened.installation.as_ref(), &mut notes).await?;
    let database = args.database_url.as_deref().map(Engine::of).transpose()?;
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        command: without_secrets(std::env::args()),
        started_at: started_at.to_string(),
        scenario: args.scenario,
        gateway: opened.place.base(),
        database,
        programme: opened.programme,
        phones: stage.crowd.members(),
        members: match args.seeded {
            Some(_) => args.seeded_members.unwrap_or(0),
            None => u64::try_from(args.members)?,
        },
        tills: opened.clients.len(),
        machine: Host::read(),
        steps,
        search,
        audit,
        notes,
    })
}

/// Has the database audited, or notes why it was not.
async fn audit(
    args: &RunArgs,
    installation: Option<&Installation>,
    notes: &mut Vec<String>,
) -> anyhow::Result<Option<Audit>> {
    let Some(installation) = installation else {
        notes.push(
            "Not audited: give --gateway and --database-url, and points are counted after the run."
                .into(),
        );
        return Ok(None);
    };
    if args.no_audit {
        notes.push("Not audited: --no-audit.".into());
        return Ok(None);
    }
    if !args.json {
        eprintln!("loadtest: auditing the database");
    }
    Ok(Some(installation.audit().await?))
}

async fn open(args: &RunArgs, run: &str) -> anyhow::Result<Opened> {
    let known = |what: &str| format!("{what} is needed to start a gateway");
    match args.target()? {
        Target::Runs(url) => {
            let installation = match (&args.gateway, &args.database_url) {
                (Some(program), Some(url)) => Some(Installation::for_audit(program, url)?),
                _ => None,
            };
            Ok(Opened {
                place: Place::parse(&url)?,
                running: None,
                installation,
                clients: args.clients()?,
                programme: args.programme.clone().unwrap_or_else(|| "demo".into()),
            })
        }
        Target::Start => {
            let program = args.gateway.as_ref().with_context(|| known("--gateway"))?;
            let url = args.database_url.as_ref();
            let url = url.with_context(|| known("--database-url"))?;
            let installation = Installation::new(program, url).await?;
            let mut clients = Vec::new();
            for number in 0..args.tills.max(1) {
                clients.push(installation.client(&format!("{run}-{number}")).await?);
            }
            // One machine stands for many tills.
            let mut options = vec!["--client-requests-per-second=1000000".to_owned()];
            options.extend(args.gateway_option.iter().cloned());
            let running = installation.serve(&options).await?;
            Ok(Opened {
                place: running.place.clone(),
                running: Some(running),
                installation: Some(installation),
                clients,
                programme: PROGRAMME_ID.into(),
            })
        }
    }
}

async fn set(args: &RunArgs, opened: &Opened, run: &str) -> anyhow::Result<Stage> {
    let mut tills = Vec::new();
    for client in &opened.clients {
        tills.push(Till::sign_in(&opened.place, client).await?);
    }
    ensure!(!tills.is_empty(), "at least one till");
    let crowd = match &args.seeded {
        Some(text) => {
            let members = args.seeded_members.context("--seeded-members")?;
            let phones = args.real_cards.min(members);
            Crowd::seeded(&opened.programme, &Keys::of(text), members, phones)?
        }
        None => {
            let mut crowd = Crowd::new(&opened.programme, args.members)?;
            if let Some(till) = tills.first() {
                crowd.join(&opened.place, till, run).await?;
            }
            crowd
        }
    };
    Ok(Stage {
        ground: Arc::new(Ground::new(opened.place.clone(), tills)?),
        connections: Arc::new(Connections::new(args.connections_max.max(1))),
        crowd,
        scenario: args.scenario,
        run: run.to_owned(),
        holds_per_member: args.holds_per_member,
        sent: 0,
        speeds: Speeds::default(),
    })
}

/// Warms up at the step's pace, then measures.
async fn step(
    args: &RunArgs,
    stage: &mut Stage,
    pace: Pace,
    amount: Amount,
) -> anyhow::Result<Step> {
    let warm_up = args.warm_up.unwrap_or(match pace {
        Pace::Open(per_s) => (u64::from(per_s.get()) * WARM_UP_S).max(WARM_UP_MIN),
        Pace::Closed(_) => WARM_UP_MIN,
    });
    let hidden = progress::bar(false, warm_up, "warming up");
    stage
        .measure(pace, Amount::Errands(warm_up), &hidden)
        .await?;
    let seconds = match (pace, amount) {
        (_, Amount::Seconds(seconds)) => seconds,
        (Pace::Open(per_s), Amount::Errands(errands)) => errands.div_ceil(per_s.get().into()),
        (Pace::Closed(_), Amount::Errands(errands)) => errands / stage.speeds.errands_per_s.max(1),
    };
    let bar = progress::bar(!args.json, seconds.max(1), "seconds");
    let record = stage.measure(pace, amount, &bar).await?;
    let done = Step::of(pace, stage.connections.kept(), &record)?;
    // Of one step alone the report says the same.
    if !args.json && (args.find_rate || args.rates.len() > 1) {
        eprintln!("{done}");
    }
    Ok(done)
}

/// What a reader should know before trusting the figures.
fn notes(args: &RunArgs, steps: &[Step]) -> Vec<String> {
    let mut notes = Vec::new();
    let several = |steps: Vec<String>| steps.join(", ");
    let named = |wanted: &dyn Fn(&Step) -> bool| -> Vec<String> {
        steps
            .iter()
            .filter(|step| wanted(step))
            .map(Step::name)
            .collect()
    };
    let others = named(&|step| step.others() > 0);
    if !others.is_empty() {
        notes.push(format!(
            "Not every answer is an approval at {}.",
            several(others)
        ));
    }
    let late = named(&|step| {
        let late = step.late.map_or(0, |late| late.p99_us);
        late > 5_000 && late > step.latency.p99_us / 2
    });
    if !late.is_empty() {
        notes.push(format!(
            "The load test itself was late at {}: it had too little of the machine, and latency is partly its own.",
            several(late)
        ));
    }
    let waited = named(&|step| step.waited_for_connection > 0);
    if !waited.is_empty() {
        notes.push(format!(
            "All {} connections were busy at {}, and errands waited for one; that counts in their latency.",
            args.connections_max,
            several(waited)
        ));
    }
    let steal = named(&|step| step.steal_per_cent.is_some_and(|steal| steal > 5.0));
    if !steal.is_empty() {
        notes.push(format!(
            "The host gave more than 5 % of the processors to others at {}: measure again.",
            several(steal)
        ));
    }
    notes
}
