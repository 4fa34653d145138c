//! Texts that could be guessed: short codes, wallet passes, numbers of plastic cards.
//!
//! Each is paid for before anybody looks, and costs nothing if it was genuine. The password of a pass is
//! checked before its number is looked up: it follows from the number, so a wrong one takes the same work
//! whether or not there is such a pass, and reads nothing.

use jiff::{SignedDuration, Timestamp};
use ledger::{card_use::CardProof, member::CardKind};
use member_card::{CardId, WalletPass};
use wallet_pass::{CardNumber, PassSecret, totp};

use super::{
    super::{App, guesses::Try, metrics, problem::Problem},
    card::{ReadCard, Scan, short_code_hash},
};
use crate::{
    claims::{self, NumberCard},
    limits,
};

/// Seconds that one look at a password covers: its step, the one before and the one after.
const LOOK_S: i64 = 3 * totp::STEP_SECONDS as i64;

/// The generation of every pass: a pass that leaked is revoked, and another one made.
pub(in crate::http) const GENERATION: u32 = 1;

pub(super) async fn short_code(
    app: &App,
    digits: &str,
    scan: &Scan<'_>,
) -> Result<ReadCard, Problem> {
    let Some(paid) = app.guesses.pay(scan.till, None) else {
        return Ok(ReadCard::not_genuine());
    };
    let hash = short_code_hash(digits);
    let member_hint = app.store().short_code_owner(&hash).await?;
    settle(paid, member_hint.is_some(), "short_code");
    Ok(ReadCard {
        proof: CardProof::ShortCode(hash),
        member_hint,
    })
}

pub(super) async fn wallet_pass(
    app: &App,
    pass: &WalletPass,
    scan: &Scan<'_>,
) -> Result<ReadCard, Problem> {
    let (Some(secrets), Some(number)) = (
        &app.settings().secrets,
        CardNumber::parse(pass.card_number()),
    ) else {
        return Ok(ReadCard::not_genuine());
    };
    let card = claims::wallet(&secrets.index, number.as_str());
    let Some(paid) = app.guesses.pay(scan.till, Some(card.card_id)) else {
        return Ok(ReadCard::not_genuine());
    };
    let secret = secrets.pass.derive(&number, GENERATION);
    let Some(step_at) = step(&secret, pass.totp(), scan.at) else {
        settle(paid, false, "wallet_pass");
        return Ok(ReadCard::not_genuine());
    };
    let proof = |card_id| CardProof::Pass { card_id, step_at };
    known(app, &card, CardKind::Wallet, paid, proof).await
}

pub(super) async fn plastic(app: &App, digits: &str, scan: &Scan<'_>) -> Result<ReadCard, Problem> {
    let Some(secrets) = &app.settings().secrets else {
        return Ok(ReadCard::not_genuine());
    };
    let in_force = match app.store().programme_last_read() {
        Some(in_force) => Some(in_force),
        None => app.store().programme().await?,
    };
    if !in_force.is_some_and(|in_force| in_force.programme.cards.is_number(digits)) {
        return Ok(ReadCard::not_genuine());
    }
    let card = claims::plastic(&secrets.index, digits);
    let Some(paid) = app.guesses.pay(scan.till, Some(card.card_id)) else {
        return Ok(ReadCard::not_genuine());
    };
    let (terminal, basket) = (scan.till.terminal_id.as_str(), scan.basket_id.as_str());
    let proof = |card_id| CardProof::Number {
        card_id,
        used: claims::number_use(&secrets.index, card_id, terminal, basket),
    };
    known(app, &card, CardKind::Plastic, paid, proof).await
}

/// The card of this number, if there is one of this kind.
async fn known(
    app: &App,
    card: &NumberCard,
    kind: CardKind,
    paid: Try,
    proof: impl FnOnce(CardId) -> CardProof,
) -> Result<ReadCard, Problem> {
    let known = app.cards.key(card.card_id).await?;
    let known = known.filter(|known| known.is_number(kind, &card.key));
    settle(paid, known.is_some(), kind.word());
    Ok(match known {
        None => ReadCard::not_genuine(),
        Some(known) => ReadCard {
            proof: proof(card.card_id),
            member_hint: Some(known.member_id),
        },
    })
}

fn settle(paid: Try, genuine: bool, kind: &'static str) {
    if genuine {
        paid.was_genuine();
    } else {
        metrics::not_genuine(kind);
    }
}

/// When the step of a password began. A basket shows again when it pays what it showed when it began, so
/// older steps are looked for as well; whether one may still be used is decided with the basket at hand.
/// A password that is good now is taken for a new one, never for an old one that happens to be the same.
fn step(secret: &PassSecret, digits: &str, at: Timestamp) -> Option<u32> {
    let mut back = SignedDuration::ZERO;
    while back.as_secs() <= limits::PASS_LOOK_BACK_S {
        let looked = at
            .checked_sub(back)
            .ok()
            .and_then(|at| totp::verify(secret, digits, at));
        if looked.is_some() {
            return looked;
        }
        back = back.checked_add(SignedDuration::from_secs(LOOK_S))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use wallet_pass::PassKey;

    use super::*;

    #[test]
    fn a_basket_may_show_a_password_again_for_an_hour() {
        let secret = PassKey::new([7; 32]).derive(&CardNumber::from_seed(1), GENERATION);
        let begun: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let shown = totp::code(&secret, begun).unwrap();
        let step_at = Some(u32::try_from(begun.as_second()).unwrap());
        for (seconds, found) in [
            (-31, None),
            (-30, step_at),
            (0, step_at),
            (59, step_at),
            (60, step_at),
            (1_800, step_at),
            (3_600, step_at),
            (3_800, None),
        ] {
            let at = begun
                .checked_add(SignedDuration::from_secs(seconds))
                .unwrap();
            assert_eq!(step(&secret, &shown, at), found, "{seconds}");
        }
        let wrong = format!("{:08}", (shown.parse::<u32>().unwrap() + 1) % 100_000_000);
        assert_eq!(step(&secret, &wrong, begun), None);
    }
}
