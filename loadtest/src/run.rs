//! `loadtest run`: one measurement against a gateway that runs already.

use std::num::NonZeroU32;

use anyhow::ensure;
use clap::Args;

use crate::{
    clock,
    crowd::Crowd,
    figures::Figures,
    load::{self, Callers},
    till::{Client, Till},
    wire::Place,
};

/// Options of `loadtest run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The gateway: http://HOST:PORT
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// A till's client id; several share the load, which one alone may not be allowed to make
    #[arg(long, value_name = "ID", required = true)]
    pub client: Vec<String>,
    /// The secret of each client, in the same order
    #[arg(
        long,
        value_name = "SECRET",
        required = true,
        env = "LOADTEST_SECRET",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub secret: Vec<String>,
    /// The programme whose cards are signed
    #[arg(long, value_name = "ID", default_value = "demo")]
    pub programme: String,
    /// Members to enrol
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub members: usize,
    /// Callers at once
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub concurrency: usize,
    /// Authorizations a second, all callers together [default: as many as they can]
    #[arg(long, value_name = "N")]
    pub per_s: Option<NonZeroU32>,
    /// Authorizations to measure
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub requests: usize,
    /// Authorizations before that, which do not count
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub warm_up: usize,
    /// Open holds that the programme lets one member have
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub holds_per_member: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Enrols, warms up and measures.
///
/// # Errors
/// If the gateway cannot be reached or refuses the tills.
pub async fn run(args: &RunArgs) -> anyhow::Result<Figures> {
    ensure!(
        args.client.len() == args.secret.len(),
        "{} clients, {} secrets",
        args.client.len(),
        args.secret.len()
    );
    let place = Place::parse(&args.url)?;
    let mut tills = Vec::new();
    for (id, secret) in args.client.iter().cloned().zip(args.secret.iter().cloned()) {
        tills.push(Till::sign_in(&place, &Client { id, secret }).await?);
    }
    let run = format!("load-{}", clock::now().as_millisecond());
    let mut crowd = Crowd::new(&args.programme, args.members)?;
    if let Some(till) = tills.first() {
        crowd.join(&place, till, &run).await?;
    }
    let callers = Callers {
        place: place.clone(),
        tills,
        concurrency: args.concurrency,
        run: format!("{run}-w"),
        per_s: args.per_s,
        holds_per_member: args.holds_per_member,
    };
    load::authorize(&callers, &mut crowd, args.warm_up).await?;
    let callers = Callers { run, ..callers };
    load::measure(&callers, &mut crowd, args.requests).await
}
