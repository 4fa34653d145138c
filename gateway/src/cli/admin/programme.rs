//! `gateway admin programme`: what is in force, what was, and what shall be.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use ledger::{
    command::{Activation, Operation},
    decision::Answer,
    programme::Programme,
    state::InForce,
};
use serde_json::json;

use super::super::{
    Failure, Settings,
    database::DatabaseArgs,
    desk::{self, Desk},
    output,
};
use crate::{
    programme_file::{self, Change, ProgrammeFileError},
    toml_file::TomlFault,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ProgrammeCommand {
    /// Print the programme in force as its file, every key written out
    Show(ShowArgs),
    /// Show what a file would change, and put it in force
    Apply(ApplyArgs),
    /// List every version there was
    History(HistoryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Another version than the one in force
    #[arg(long, value_name = "NUMBER")]
    version: Option<i64>,
    /// Print the text as people wrote it, comments and all
    #[arg(long, conflicts_with = "json")]
    source: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The programme file (TOML)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON, one version a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: ProgrammeCommand, settings: &Settings) -> Result<(), Failure> {
    let database = match &command {
        ProgrammeCommand::Show(args) => &args.database,
        ProgrammeCommand::Apply(args) => &args.database,
        ProgrammeCommand::History(args) => &args.database,
    };
    let desk = Desk::open(database, settings).await?;
    let outcome = match command {
        ProgrammeCommand::Show(args) => show(&desk, args).await,
        ProgrammeCommand::Apply(args) => apply(&desk, args).await,
        ProgrammeCommand::History(args) => history(&desk, args.json).await,
    };
    desk.close().await;
    outcome
}

async fn show(desk: &Desk, args: ShowArgs) -> Result<(), Failure> {
    let number = match args.version {
        Some(number) => number,
        None => desk.programme().await?.version,
    };
    let versions = desk.store.programme_versions().await?;
    let found = versions.iter().find(|version| version.version == number);
    let found = found.ok_or_else(|| Failure::Refused(format!("there is no version {number}")))?;
    if args.json {
        return output::json(&json!({
            "version": found.version,
            "activated_at": found.activated_at,
            "actor": found.actor,
            "programme": found.programme,
        }));
    }
    if args.source {
        return output::line(found.source.trim_end());
    }
    let text = programme_file::render(&found.programme)
        .map_err(|error| Failure::io("cannot write TOML")(io::Error::other(error)))?;
    output::line(format!(
        "# Version {} since {}, by {}.\n{}",
        found.version,
        found.activated_at,
        found.actor,
        text.trim_end()
    ))
}

async fn apply(desk: &Desk, args: ApplyArgs) -> Result<(), Failure> {
    let (programme, source) = programme_file::read(&args.file)?;
    let in_force = desk.store.programme().await?;
    match announce(in_force.as_ref(), &args.file, &programme, &source)? {
        Announced::Nothing => return Ok(()),
        Announced::Changes if args.dry_run => {
            return output::line("Nothing was changed: this was a dry run.");
        }
        Announced::Changes if args.yes || confirmed()? => {}
        Announced::Changes => return Err(Failure::Refused("nothing was changed".into())),
    }
    let replaces = in_force.map_or(0, |in_force| in_force.version);
    let version = activate(desk, replaces, programme, source, desk::actor(args.actor)).await?;
    output::line(format!("version {version} is in force"))
}

/// Whether there is anything to do.
pub(in super::super) enum Announced {
    Nothing,
    Changes,
}

/// Says what a programme file would change.
pub(in super::super) fn announce(
    in_force: Option<&InForce>,
    file: &Path,
    programme: &Programme,
    source: &str,
) -> Result<Announced, Failure> {
    let Some(in_force) = in_force else {
        output::line(format!(
            "No programme is in force yet; \"{}\" would be version 1.",
            programme.id
        ))?;
        return Ok(Announced::Changes);
    };
    same_id(in_force, file, programme, source)?;
    let changes = programme_file::diff(&in_force.programme, programme)
        .map_err(|error| Failure::io("cannot compare programmes")(io::Error::other(error)))?;
    if changes.is_empty() {
        let version = in_force.version;
        output::line(format!(
            "Version {version} in force says the same; nothing to do."
        ))?;
        return Ok(Announced::Nothing);
    }
    output::line(format!("Against version {} in force:", in_force.version))?;
    for Change { key, old, new } in changes {
        output::line(match (old, new) {
            (Some(old), Some(new)) => format!("  {key}: {old} -> {new}"),
            (Some(old), None) => format!("  {key}: {old} -> gone"),
            (None, new) => format!("  {key}: new, {}", new.unwrap_or_default()),
        })?;
    }
    Ok(Announced::Changes)
}

/// Every card text is signed for the programme's id.
fn same_id(
    in_force: &InForce,
    file: &Path,
    programme: &Programme,
    source: &str,
) -> Result<(), Failure> {
    let (old, new) = (&in_force.programme.id, &programme.id);
    if old == new {
        return Ok(());
    }
    let reason = format!(
        "id: the programme is \"{old}\" and can never become \"{new}\", because every card is signed for its id; nothing was changed"
    );
    let fault = TomlFault::at_key(&file.display().to_string(), source, &["id"], reason);
    Err(ProgrammeFileError::Wrong(fault).into())
}

fn confirmed() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is there to ask: say --yes, or --dry-run".into(),
        ));
    }
    let mut err = io::stderr();
    write!(err, "Put this in force for every gateway? [y/N] ")
        .and_then(|()| err.flush())
        .map_err(Failure::io("cannot ask"))?;
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(Failure::io("cannot read the answer"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Puts a programme in force, if nobody else put another one there meanwhile.
pub(in super::super) async fn activate(
    desk: &Desk,
    replaces: i64,
    programme: Programme,
    source: String,
    actor: String,
) -> Result<i64, Failure> {
    let activation = Activation {
        replaces,
        programme: Arc::new(programme),
        source,
        actor,
    };
    let operation = Operation::ActivateProgramme(Box::new(activation));
    match desk.submit(operation, None).await? {
        Answer::ProgrammeActivated { version } => Ok(version),
        Answer::ProgrammeMoved { version } => Err(Failure::Refused(format!(
            "version {version} came into force meanwhile; look again"
        ))),
        other => Err(Failure::Refused(format!("refused: {other:?}"))),
    }
}

async fn history(desk: &Desk, json: bool) -> Result<(), Failure> {
    let versions = desk.store.programme_versions().await?;
    if json {
        return versions.iter().try_for_each(|version| {
            output::json(&json!({
                "version": version.version,
                "activated_at": version.activated_at,
                "actor": version.actor,
                "programme": version.programme,
            }))
        });
    }
    let mut before: Option<&Programme> = None;
    let mut rows = Vec::with_capacity(versions.len());
    for version in &versions {
        let changed = match before {
            None => "first".to_owned(),
            Some(old) => programme_file::diff(old, &version.programme)
                .map(|changes| {
                    let keys: Vec<_> = changes.into_iter().map(|change| change.key).collect();
                    keys.join(", ")
                })
                .map_err(|error| Failure::io("cannot compare")(io::Error::other(error)))?,
        };
        before = Some(&version.programme);
        rows.push([
            version.version.to_string(),
            version.activated_at.to_string(),
            version.actor.clone(),
            changed,
        ]);
    }
    output::table(["VERSION", "SINCE", "BY", "CHANGED"], rows)
}
