//! `member-card`: make, show, scan and check member cards without a phone or a gateway.
//!
//! For people who connect a till: draw a card that rotates, scan it with the till's scanner into this
//! program, and see every check the gateway would make. Exit codes: 0 all is well, 1 a card was refused
//! or a picture not read, 2 wrong usage or an unreadable file.

mod check;
mod clock;
mod key_file;
mod picture;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use member_card::{CardFields, ProgrammeId, SigningKey, SpendLimit, proof, random_id};

#[derive(Parser)]
#[command(name = "member-card", version, about = "Make, show, scan and check QR member cards.", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Test a scanner in two terminals:
  member-card new-key --out card.pem
  member-card show --key card.pem --programme demo --watch
  member-card verify --key card.pem --programme demo        # then scan the first terminal

Exit codes: 0 all is well; 1 a card was refused or a picture not read; 2 wrong usage or an unreadable file.";

#[derive(Subcommand)]
enum Command {
    /// Make a new card key (PKCS#8 PEM).
    #[command(
        after_help = "Examples:\n  member-card new-key --out card.pem\n  member-card new-key > card.pem"
    )]
    NewKey {
        /// Write the key to this new file, readable by its owner only; an existing file is not touched.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show the card id and the public half of a key.
    #[command(
        after_help = "Examples:\n  member-card show-key --key card.pem\n  member-card show-key --key card.pem --jwk"
    )]
    ShowKey {
        #[command(flatten)]
        key: EitherKey,
        /// Print the public key as a JWK and nothing else.
        #[arg(long)]
        jwk: bool,
    },
    /// Sign a card and print its 199 digits.
    #[command(
        after_help = "Examples:\n  member-card sign --key card.pem --programme demo\n  \
        member-card sign --key card.pem --programme demo --spend-limit 500"
    )]
    Sign {
        #[command(flatten)]
        card: CardArgs,
        /// Sign as of this time, Unix seconds; now if left out.
        #[arg(long, value_name = "UNIX")]
        at: Option<u32>,
    },
    /// Check a scanned text as the gateway would, and say what each check found.
    #[command(
        after_help = "Examples:\n  member-card verify --key card.pem --programme demo      # then scan; Ctrl-D ends\n  \
        member-card verify --public-key jwk.json --programme demo --text 7001…\n  \
        member-card verify --text 7001…                         # the shape alone"
    )]
    Verify(check::VerifyArgs),
    /// Draw a text as a QR code: SVG, PNG, or in the terminal.
    #[command(
        after_help = "Examples:\n  member-card draw --text 7001… --svg card.svg\n  \
        member-card sign --key card.pem --programme demo | member-card draw --png card.png --scale 6"
    )]
    Draw(picture::DrawArgs),
    /// Sign a card and show it in the terminal, dark on white.
    #[command(
        after_help = "Example:\n  member-card show --key card.pem --programme demo --spend-limit none --watch"
    )]
    Show {
        #[command(flatten)]
        card: CardArgs,
        /// Go on as a phone does, with a new text every 15 s, until Ctrl-C.
        #[arg(long)]
        watch: bool,
    },
    /// Read a QR code from a PNG, print its text and check the shape.
    #[command(after_help = "Example:\n  member-card read screenshot.png")]
    Read {
        /// The picture.
        #[arg(value_name = "FILE.png")]
        file: PathBuf,
    },
    /// Print the JWT with which a card proves itself to the gateway; it lives 60 s.
    #[command(
        after_help = "Example:\n  curl -H \"Authorization: Bearer $(member-card proof --key card.pem \
        --programme demo --method GET --url /v1/me)\" http://127.0.0.1:8080/v1/me"
    )]
    Proof {
        /// The card's private key, PKCS#8 PEM.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The programme, claim `aud`.
        #[arg(long)]
        programme: ProgrammeId,
        /// The HTTP method, claim `htm`.
        #[arg(long)]
        method: String,
        /// The path or URL as the gateway expects it, claim `htu`, taken as it is.
        #[arg(long)]
        url: String,
        /// Prove as of this time, Unix seconds; now if left out.
        #[arg(long, value_name = "UNIX")]
        at: Option<u32>,
    },
}

/// What it takes to sign a card.
#[derive(Args)]
struct CardArgs {
    /// The card's private key, PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The programme the card is for.
    #[arg(long)]
    programme: ProgrammeId,
    /// What the card may spend: `earn-only`, a number of points, or `none` for no limit.
    #[arg(long, value_name = "N|none|earn-only", default_value = "earn-only", value_parser = spend_limit)]
    spend_limit: SpendLimit,
}

/// A public key, or the private key it follows from.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct EitherKey {
    /// The card's private key, PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The card's public key: a JWK, or an uncompressed point in base64url or hex; or a file with one of them.
    #[arg(long, value_name = "KEY|FILE")]
    public_key: Option<String>,
}

fn spend_limit(text: &str) -> Result<SpendLimit, String> {
    match text {
        "earn-only" => Ok(SpendLimit::EarnOnly),
        "none" => Ok(SpendLimit::Unlimited),
        number => match number.parse() {
            Ok(points) if points <= SpendLimit::POINTS_MAX => Ok(SpendLimit::UpTo(points)),
            _ => Err(format!(
                "expected earn-only, none or 0 to {}",
                SpendLimit::POINTS_MAX
            )),
        },
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        // The reader went away, as `head` does: nobody is left to be told.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match command {
        Command::NewKey { out: file } => key_file::make(file.as_deref(), &mut out)?,
        Command::ShowKey { key, jwk } => key_file::show(&key, jwk, &mut out)?,
        Command::Sign { card, at } => {
            let key = key_file::load(&card.key)?;
            let fields = CardFields {
                issued_at: at.map_or_else(clock::now, Ok)?,
                spend: card.spend_limit,
            };
            writeln!(out, "{}", key.sign(fields, &card.programme)?.to_digits())?;
        }
        Command::Verify(args) => return check::verify(&args, &mut out),
        Command::Draw(args) => picture::draw(&args, &mut out)?,
        Command::Show { card, watch } => picture::show(&card, watch, &mut out)?,
        Command::Read { file } => return picture::read(&file, &mut out),
        Command::Proof {
            key,
            programme,
            method,
            url,
            at,
        } => {
            let key: SigningKey = key_file::load(&key)?;
            let id = random_id().context("cannot name the proof")?;
            let issued_at = at.map_or_else(clock::now, Ok)?;
            let request = proof::Request {
                programme: &programme,
                issued_at,
                id: &id,
                method: &method,
                url: &url,
            };
            writeln!(out, "{}", proof::sign(&key, &request))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
