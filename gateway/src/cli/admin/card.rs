//! `gateway admin card`: bringing in a base of plastic cards, looking at a card, revoking it.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
};

use card_base::{Encoding, Options, Separator};
use clap::{Args, Subcommand, ValueEnum};
use ledger::{command::Operation, decision::Answer, member::Card};

use super::super::{
    Failure, Settings,
    database::DatabaseArgs,
    desk::{self, Desk},
    output,
    secrets::SecretsArgs,
};
use crate::{
    desk::finding,
    import::{self, ImportError, Intake, Order, Progress, Tally},
    secrets::Secrets,
};

#[derive(Debug, Subcommand)]
pub(crate) enum CardCommand {
    /// Bring in an existing base of plastic cards from a CSV file, while gateways serve
    Import(Box<ImportArgs>),
    /// Show the card of a number
    Show(ShowArgs),
    /// Revoke the card of a number, for ever
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    secrets: SecretsArgs,
    /// The file of cards
    file: PathBuf,
    /// The file's encoding [default: told from the file]
    #[arg(long, value_enum)]
    encoding: Option<EncodingName>,
    /// What stands between cells [default: told from the header]
    #[arg(long, value_enum)]
    separator: Option<SeparatorName>,
    /// Where rows that could not be taken are told [default: FILE.report.csv]
    #[arg(long, value_name = "OUT.csv")]
    report: Option<PathBuf>,
    /// Go on where an import of this file was broken off
    #[arg(long)]
    resume: bool,
    /// Only say what would happen
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EncodingName {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
    #[value(name = "shift-jis")]
    ShiftJis,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeparatorName {
    Comma,
    Tab,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    secrets: SecretsArgs,
    /// The number of a plastic card or wallet pass
    number: String,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    secrets: SecretsArgs,
    /// The number of a plastic card or wallet pass
    number: String,
    /// Why, in words; kept in the log: nothing personal
    #[arg(long, value_parser = desk::remark)]
    reason: String,
    /// Who does it, for the log [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
}

pub(super) async fn run(command: CardCommand, settings: &Settings) -> Result<(), Failure> {
    let (database, secrets) = match &command {
        CardCommand::Import(args) => (&args.database, &args.secrets),
        CardCommand::Show(args) => (&args.database, &args.secrets),
        CardCommand::Revoke(args) => (&args.database, &args.secrets),
    };
    let secrets = secrets.read(settings)?;
    let desk = Desk::open(database, settings).await?;
    let outcome = match command {
        CardCommand::Import(args) => bring_in(&desk, &secrets, *args).await,
        CardCommand::Show(args) => show(&desk, &secrets, &args.number).await,
        CardCommand::Revoke(args) => revoke(&desk, &secrets, args).await,
    };
    desk.close().await;
    outcome
}

async fn bring_in(desk: &Desk, secrets: &Secrets, args: ImportArgs) -> Result<(), Failure> {
    let in_force = desk.programme().await?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let origin = format!("import:{name}");
    let origin: String = origin
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect();
    let actor = desk::actor(args.actor);
    let report = args.report.unwrap_or_else(|| {
        let mut path = args.file.clone().into_os_string();
        path.push(".report.csv");
        path.into()
    });
    let intake = Intake {
        store: &desk.store,
        writer: desk.writer(),
        clock: &desk.clock,
        secrets,
        programme: &in_force.programme,
        origin: &origin,
        actor: &actor,
        dry_run: args.dry_run,
    };
    let order = Order {
        options: Options {
            encoding: args.encoding.map(|name| match name {
                EncodingName::Utf8 => Encoding::Utf8,
                EncodingName::Utf16Le => Encoding::Utf16Le,
                EncodingName::Utf16Be => Encoding::Utf16Be,
                EncodingName::ShiftJis => Encoding::ShiftJis,
            }),
            separator: args.separator.map(|name| match name {
                SeparatorName::Comma => Separator::Comma,
                SeparatorName::Tab => Separator::Tab,
            }),
            ..Options::default()
        },
        file: args.file,
        report,
        resume: args.resume,
    };
    let tally = import::run(&intake, &order, tell).await?;
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    summary(&tally, args.dry_run)?;
    match tally.left_out {
        0 => Ok(()),
        _ => Err(Failure::Refused(format!(
            "{} rows were left out: {}",
            tally.left_out,
            order.report.display()
        ))),
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Write(error) => error.into(),
            other => Self::Usage(other.to_string()),
        }
    }
}

/// One line on standard error, written over where somebody looks at it.
fn tell(progress: Progress<'_>) {
    let Progress {
        tally,
        bytes,
        of_bytes,
    } = progress;
    let percent = bytes
        .saturating_mul(100)
        .checked_div(of_bytes)
        .unwrap_or(100);
    let (begin, end) = match std::io::stderr().is_terminal() {
        true => ("\r", ""),
        false => ("", "\n"),
    };
    let mut to = std::io::stderr().lock();
    // Nobody reads it: the import goes on.
    let _ = write!(
        to,
        "{begin}{percent:3} %  {} rows, {} imported, {} already there, {} left out{end}",
        tally.rows, tally.imported, tally.already_there, tally.left_out
    );
    let _ = to.flush();
}

fn summary(tally: &Tally, dry_run: bool) -> Result<(), Failure> {
    for column in &tally.unknown_columns {
        let column: String = column.chars().take(40).collect();
        output::line(format!("the column {column:?} is not read"))?;
    }
    if dry_run {
        output::line("nothing was done; this would be:")?;
    }
    let sums = [
        ("rows", tally.rows),
        ("imported", tally.imported),
        ("points", tally.points),
        ("profiles", tally.profiles),
        ("already there", tally.already_there),
        ("left out", tally.left_out),
    ];
    for (what, sum) in sums {
        output::line(format!("{what:24} {sum}"))?;
    }
    for (reason, count) in &tally.remarks {
        output::line(format!("  {reason:22} {count}"))?;
    }
    Ok(())
}

/// The card of a number: plastic, or a wallet pass.
async fn find(desk: &Desk, secrets: &Secrets, number: &str) -> Result<Card, Failure> {
    let found = finding::card_of_number(&desk.store, &secrets.index, number).await?;
    found.ok_or_else(|| Failure::Refused("there is no card of this number".into()))
}

async fn show(desk: &Desk, secrets: &Secrets, number: &str) -> Result<(), Failure> {
    let card = find(desk, secrets, number).await?;
    let record = desk.store.member(card.member_id).await?;
    output::line(format!(
        "card      {} ({}), {}, {}",
        card.id,
        card.name,
        card.kind.word(),
        card.status.word()
    ))?;
    output::line(format!("since     {}", card.enrolled_at))?;
    if let Some(revoked_at) = card.revoked_at {
        output::line(format!("revoked   {revoked_at}"))?;
    }
    if let Some(record) = record {
        let member = record.member;
        output::line(format!("member    {} ({})", member.number, member.id))?;
        if let Some(into) = member.merged_into {
            output::line(format!("merged    into {into}"))?;
        }
    }
    Ok(())
}

async fn revoke(desk: &Desk, secrets: &Secrets, args: RevokeArgs) -> Result<(), Failure> {
    let card = find(desk, secrets, &args.number).await?;
    let (member_id, card_id) = (card.member_id, card.id);
    let operation = Operation::RevokeCard { member_id, card_id };
    match desk.submit(operation, Some(member_id)).await? {
        Answer::CardRevoked { changed } => {
            let (actor, reason) = (desk::actor(args.actor), args.reason);
            tracing::warn!(card.id = %card_id, actor, reason, "card.revoked");
            output::line(match changed {
                true => format!("{card_id} ({}) is revoked", card.name),
                false => format!("{card_id} ({}) was revoked already", card.name),
            })
        }
        other => Err(Failure::Refused(format!("it was answered {other:?}"))),
    }
}
