//! Checks a scanned text as the gateway does, and says what each check found.
//!
//! The gateway gives a till one answer for everything that is wrong with a text. Here every reason is
//! spelled out, because the person asking is the one who set the scanner up.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use member_card::{
    CardText, CardTextError, Freshness, FreshnessWindow, ProgrammeId, PublicKey, ScannedText,
    SignedCard, SpendLimit, freshness,
};

use crate::{EitherKey, clock, key_file};

/// What to check, and against what.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The card's private key, PKCS#8 PEM, whose public half is used.
    #[arg(long, value_name = "FILE", requires = "programme")]
    key: Option<std::path::PathBuf>,
    /// The card's public key: a JWK, or an uncompressed point in base64url or hex; or a file with one of them.
    #[arg(
        long,
        value_name = "KEY|FILE",
        requires = "programme",
        conflicts_with = "key"
    )]
    public_key: Option<String>,
    /// The programme the card must be for.
    #[arg(long)]
    programme: Option<ProgrammeId>,
    /// The scanned text. Left out, every line of the standard input is a scan.
    #[arg(long)]
    text: Option<String>,
    /// Judge the age as of this time, Unix seconds; now if left out.
    #[arg(long, value_name = "UNIX")]
    now: Option<u32>,
}

/// Checks one text, or every line that comes in.
pub(crate) fn verify(args: &VerifyArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let named = EitherKey {
        key: args.key.clone(),
        public_key: args.public_key.clone(),
    };
    let against = key_file::public(&named)?.zip(args.programme.clone());
    let mut check = |scanned: &str| -> anyhow::Result<bool> {
        let now = args.now.map_or_else(clock::now, Ok)?;
        let accepted = report(scanned, against.as_ref(), Some(now), out)?;
        writeln!(out, "{}\n", if accepted { "accepted" } else { "REFUSED" })?;
        out.flush()?;
        Ok(accepted)
    };
    let mut all_accepted = true;
    if let Some(text) = &args.text {
        all_accepted = check(text)?;
    } else {
        for line in io::stdin().lines() {
            all_accepted &= check(&line?)?;
        }
    }
    Ok(if all_accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says what a scanned text is and what every check finds. Without `now` its age is not judged.
pub(crate) fn report(
    scanned: &str,
    against: Option<&(PublicKey, ProgrammeId)>,
    now: Option<u32>,
    out: &mut impl Write,
) -> anyhow::Result<bool> {
    match ScannedText::parse(scanned) {
        Err(error) => {
            writeln!(out, "shape      REFUSED: {error}")?;
            if let Some(hint) = hint(&error) {
                writeln!(out, "           {hint}")?;
            }
            Ok(false)
        }
        Ok(ScannedText::MemberCard(text)) => member_card(text, against, now, out),
        Ok(ScannedText::ShortCode(_)) => other("one-time short code", out),
        Ok(ScannedText::WalletPass(pass)) => {
            other(&format!("wallet pass {}", pass.card_number()), out)
        }
        Ok(ScannedText::OtherDigits(digits)) => other(
            &format!("{} other digits, perhaps a plastic card", digits.len()),
            out,
        ),
    }
}

fn other(kind: &str, out: &mut impl Write) -> anyhow::Result<bool> {
    writeln!(out, "kind       {kind}")?;
    writeln!(out, "shape      ok; only the gateway can tell more")?;
    Ok(true)
}

fn member_card(
    text: CardText,
    against: Option<&(PublicKey, ProgrammeId)>,
    now: Option<u32>,
    out: &mut impl Write,
) -> anyhow::Result<bool> {
    let card = text.decode();
    writeln!(out, "kind       member card, version 1")?;
    writeln!(out, "shape      ok")?;
    writeln!(out, "card       {}", card.card_id())?;
    match card.spend() {
        SpendLimit::EarnOnly => writeln!(out, "spending   not allowed, the card earns only")?,
        SpendLimit::UpTo(points) => writeln!(out, "spending   at most {points} points")?,
        SpendLimit::Unlimited => writeln!(out, "spending   no limit")?,
    }
    let genuine = match against {
        Some((key, programme)) => signature(&card, key, programme, out)?,
        None => {
            writeln!(out, "signature  not checked: no key was named")?;
            true
        }
    };
    let young = match now {
        Some(now) => age(card.issued_at(), now, out)?,
        None => {
            writeln!(out, "issued at  {}", card.issued_at())?;
            true
        }
    };
    Ok(genuine && young)
}

fn signature(
    card: &SignedCard,
    key: &PublicKey,
    programme: &ProgrammeId,
    out: &mut impl Write,
) -> anyhow::Result<bool> {
    let outcome = card.verify(key, programme);
    anyhow::ensure!(
        outcome == card.verify_portable(key, programme),
        "the two verifiers disagree"
    );
    match outcome {
        Ok(_) => writeln!(out, "signature  ok, by this key, for programme {programme}")?,
        Err(error) => {
            writeln!(
                out,
                "signature  REFUSED: {error} (key of card {}, programme {programme})",
                key.card_id()
            )?;
        }
    }
    Ok(outcome.is_ok())
}

fn age(issued_at: u32, now: u32, out: &mut impl Write) -> anyhow::Result<bool> {
    let window = FreshnessWindow::default();
    let age_s = i64::from(now) - i64::from(issued_at);
    let when = if age_s < 0 {
        format!("{} s ahead", -age_s)
    } else {
        format!("{age_s} s ago")
    };
    writeln!(out, "issued at  {issued_at}, {when}")?;
    let freshness = freshness(issued_at, i64::from(now), window);
    match freshness {
        Freshness::Fresh => writeln!(out, "age        ok")?,
        Freshness::Stale => writeln!(out, "age        REFUSED: older than {} s", window.before_s)?,
        Freshness::FromTheFuture => {
            writeln!(
                out,
                "age        REFUSED: more than {} s ahead of this clock",
                window.after_s
            )?;
        }
    }
    Ok(freshness == Freshness::Fresh)
}

/// What most likely makes a scanner produce such a text.
fn hint(error: &CardTextError) -> Option<&'static str> {
    match error {
        CardTextError::NotADigit { .. } => {
            Some("The scanner adds a prefix, or an input method rewrites what it types.")
        }
        CardTextError::WrongLength { digits: 0..=198 } => {
            Some("The input field or the scanner cuts texts short.")
        }
        CardTextError::WrongLength { .. } | CardTextError::TooLong { .. } => {
            Some("Two scans ran together: set the scanner to end each with Enter.")
        }
        CardTextError::GroupOutOfRange { .. } | CardTextError::TailOutOfRange => {
            Some("Digits were lost or swapped: try a slower keyboard speed on the scanner.")
        }
        _ => None,
    }
}
