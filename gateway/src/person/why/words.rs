//! Facts in words, English and Japanese.

use ledger::{
    account::{Motive, Transfer},
    lot::{Lot, LotExpiry},
    order::{NO_LINE, Order},
    records::{Purchase, Refund},
};

use super::{Facts, Line, gives};

/// Receipt lines named one by one, at most.
const LINES_NAMED_MAX: usize = 20;

fn line(about: &'static str, en: String, ja: String) -> Line {
    Line { about, en, ja }
}

/// Everything there is to say, the act first.
pub(super) fn lines(facts: &Facts) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.extend(facts.transfer.as_ref().map(act));
    if facts.transfer.is_none() {
        lines.extend(facts.lot.as_ref().map(lot));
    }
    let store_name = facts.store_name.as_deref();
    let sold = facts.purchase.as_ref();
    lines.extend(sold.map(|sold| receipt(sold, store_name)));
    lines.extend(facts.order.as_ref().map(order));
    let motive = facts.transfer.as_ref().map(|transfer| transfer.motive);
    if let (Some(sold), Some(refund)) = (&facts.purchase, &facts.refund) {
        lines.extend(refunded(sold, refund));
    }
    let earns = matches!(
        motive,
        None | Some(Motive::Accrual | Motive::Maturity | Motive::Clawback)
    );
    if let Some(sold) = facts.purchase.as_ref().filter(|_| earns) {
        lines.extend(arithmetic(facts, sold));
    }
    if motive == Some(Motive::Maturity) {
        lines.push(matured(facts.order.as_ref()));
    }
    if motive == Some(Motive::Expiry) {
        lines.extend(facts.lot.as_ref().map(|lot| expired(lot, facts.erased)));
    } else if facts.transfer.is_some() {
        lines.extend(facts.lot.as_ref().map(kept_in));
    }
    lines.extend(facts.adjusted.as_ref().map(|adjusted| {
        let (reason, actor) = (&adjusted.reason, &adjusted.actor);
        line(
            "adjustment",
            format!("Reason given: {reason}. By: {actor}."),
            format!("理由：{reason}。担当：{actor}。"),
        )
    }));
    lines.extend(facts.lent.as_ref().map(|lent| {
        let number = &lent.number;
        let origin = lent.lot.as_ref().map_or("", |lot| lot.origin.as_str());
        line(
            "lender",
            format!("The points were lent by your other membership {number} (from {origin})."),
            format!("統合された会員番号{number}のポイント（{origin}）から出ています。"),
        )
    }));
    lines.extend(facts.lot.as_ref().and_then(imported));
    if let Some(version) = super::programme_version(facts) {
        lines.push(line(
            "programme",
            format!("Decided by version {version} of the programme."),
            format!("プログラム第{version}版の規則によります。"),
        ));
    }
    lines
}

fn act(transfer: &Transfer) -> Line {
    let n = transfer.points;
    let day = transfer.business_date;
    let (en, ja) = match transfer.motive {
        Motive::Accrual => (
            format!("A purchase earned {n} points."),
            format!("お買い物で{n}ポイントが付与されました。"),
        ),
        Motive::DebtSettlement => (
            format!("{n} points paid what was owed after a refund."),
            format!("返品で不足していた分に{n}ポイントが充てられました。"),
        ),
        Motive::Hold => (
            format!("{n} points were promised to a basket."),
            format!("お会計のために{n}ポイントが確保されました。"),
        ),
        Motive::Release => (
            format!("{n} points that were promised to a basket went back."),
            format!("お会計のために確保された{n}ポイントが戻りました。"),
        ),
        Motive::Capture => (
            format!("{n} points paid for a purchase."),
            format!("お支払いに{n}ポイントが使われました。"),
        ),
        Motive::Shortfall => (
            format!("The till reported {n} points more than there were; the store bears them."),
            format!("残高を超えて報告された{n}ポイントは店舗が負担しました。"),
        ),
        Motive::Restoration => (
            format!("A refund gave {n} spent points back."),
            format!("返品により、使われた{n}ポイントが戻りました。"),
        ),
        Motive::Clawback => (
            format!("A refund took {n} earned points back."),
            format!("返品により、付与された{n}ポイントが取り消されました。"),
        ),
        Motive::Expiry => (
            format!("{n} points lapsed."),
            format!("{n}ポイントが失効しました。"),
        ),
        Motive::Grace => (
            format!(
                "{n} points had lapsed when the goods came back; they were granted anew for some days."
            ),
            format!("返品時に期限切れだった{n}ポイントが、短い期限で付け直されました。"),
        ),
        Motive::Maturity => (
            format!("{n} points became spendable."),
            format!("{n}ポイントが利用できるようになりました。"),
        ),
        Motive::Adjustment if gives(transfer.debit, transfer.credit) => (
            format!("{n} points were granted by hand or brought along from an older card."),
            format!("手作業または以前のカードの引継ぎで{n}ポイントが付与されました。"),
        ),
        Motive::Adjustment => (
            format!("{n} points were taken by hand."),
            format!("手作業で{n}ポイントが差し引かれました。"),
        ),
        Motive::Pooling => (
            format!("{n} points went to a basket of your other membership."),
            format!("統合された別の会員番号のお会計に{n}ポイントが回されました。"),
        ),
        Motive::PoolingReturn => (
            format!("{n} points that your other membership did not use came back."),
            format!("統合された別の会員番号で使われなかった{n}ポイントが戻りました。"),
        ),
    };
    line(
        "act",
        format!("{en} Booked on {day}."),
        format!("{ja}計上日：{day}。"),
    )
}

fn lot(lot: &Lot) -> Line {
    let (granted, available) = (lot.granted, lot.available);
    let (class, origin) = (&lot.key.class, &lot.origin);
    let (en, ja) = last_day(lot);
    line(
        "lot",
        format!(
            "A lot of class {class}, opened by {origin}: {granted} points granted in all, {available} spendable now. {en}"
        ),
        format!(
            "種類「{class}」のポイント（{origin}）：付与合計{granted}、現在利用可能{available}。{ja}"
        ),
    )
}

/// In which lot a movement's points lie, and until when.
fn kept_in(lot: &Lot) -> Line {
    let (class, origin) = (&lot.key.class, &lot.origin);
    let (en, ja) = last_day(lot);
    // Of what was lent, the lender's lot is told.
    if lot.key.lender.is_some() {
        return line(
            "lot",
            format!("The points are of class {class}. {en}"),
            format!("種類「{class}」のポイントです。{ja}"),
        );
    }
    line(
        "lot",
        format!("The points are of class {class}, of the lot opened by {origin}. {en}"),
        format!("種類「{class}」のポイントです（{origin}）。{ja}"),
    )
}

fn last_day(lot: &Lot) -> (String, String) {
    match (lot.key.expiry, lot.key.expires_on) {
        (LotExpiry::Never, _) | (_, None) => (
            "They do not expire.".into(),
            "有効期限はありません。".into(),
        ),
        (LotExpiry::Fixed, Some(day)) => (
            format!("Their last day is {day}, set when they were granted."),
            format!("有効期限は付与時に決まった{day}です。"),
        ),
        (LotExpiry::Activity, Some(day)) => (
            format!("Their last day is {day}; every purchase moves it on."),
            format!("有効期限は{day}で、お買い物のたびに延びます。"),
        ),
    }
}

fn expired(lot: &Lot, erased: bool) -> Line {
    match (erased, lot.key.expires_on) {
        (true, _) => line(
            "expiry",
            "The person was erased; what was left lapsed.".into(),
            "会員情報の消去に伴い、残りが失効しました。".into(),
        ),
        (false, _) => {
            let (en, ja) = last_day(lot);
            line("expiry", en, ja)
        }
    }
}

fn receipt(sold: &Purchase, store_name: Option<&str>) -> Line {
    let receipt = &sold.receipt;
    let (number, day, total, store) = (
        &receipt.number,
        receipt.business_date,
        receipt.total,
        store_name.unwrap_or(sold.store_id.as_str()),
    );
    line(
        "receipt",
        format!("Receipt {number} of {day} at {store}, {total} yen."),
        format!("{day}、{store}のレシート{number}、{total}円。"),
    )
}

fn order(order: &Order) -> Line {
    let (shop, id, state) = (&order.shop_id, &order.id, order.state.word());
    line(
        "order",
        format!("It is order {id} of the shop {shop} ({state})."),
        format!("ショップ{shop}の注文{id}（{state}）です。"),
    )
}

fn matured(order: Option<&Order>) -> Line {
    match order {
        Some(order) => line(
            "maturity",
            format!("They waited for order {} to go out.", order.id),
            format!("注文{}の発送を待っていました。", order.id),
        ),
        None => line(
            "maturity",
            "They waited for the time after the purchase that the programme sets.".into(),
            "お買い物後の所定の日数を待っていました。".into(),
        ),
    }
}

/// What came back, line by line, and which share of the receipt that is.
fn refunded(sold: &Purchase, refund: &Refund) -> Vec<Line> {
    let name = |line_no: u32| {
        let line = sold
            .receipt
            .lines
            .iter()
            .find(|line| line.line_no == line_no);
        line.map_or("", |line| line.name.as_str())
    };
    let mut lines: Vec<_> = refund
        .lines
        .iter()
        .filter(|(line_no, _)| **line_no != NO_LINE)
        .take(LINES_NAMED_MAX)
        .map(|(line_no, pieces)| {
            let name = name(*line_no);
            line(
                "refund",
                format!("Line {line_no} ({name}): {pieces} came back."),
                format!("{line_no}行目（{name}）：{pieces}点の返品。"),
            )
        })
        .collect();
    let (amount, total) = (refund.amount, sold.receipt.total);
    let (back, owed, shortfall) = (refund.clawed_back, refund.owed, refund.shortfall);
    lines.push(line(
        "refund",
        format!(
            "That is {amount} of {total} yen. Of the points the receipt earned, the same share goes: \
             {back} were taken back, {owed} are owed, {shortfall} yen were kept instead."
        ),
        format!(
            "{total}円のうち{amount}円分です。付与ポイントも同じ割合で取り消されます：取消{back}、不足{owed}、現金での調整{shortfall}円。"
        ),
    ));
    lines
}

/// How the points of the purchase come about; of a movement, those of its lot.
fn arithmetic(facts: &Facts, sold: &Purchase) -> Vec<Line> {
    let lot_id = facts.transfer.as_ref().and_then(|transfer| transfer.lot_id);
    let of_lot = |id| sold.earned.iter().any(|earned| Some(earned.lot_id) == id);
    let earned = sold
        .earned
        .iter()
        .filter(|earned| !of_lot(lot_id) || Some(earned.lot_id) == lot_id);
    earned
        .map(|earned| {
            let why = &earned.why;
            let ja = arithmetic_ja(why).unwrap_or_else(|| why.clone());
            line("arithmetic", format!("{why}."), format!("{ja}。"))
        })
        .collect()
}

/// The ledger's own words in Japanese; none if they are of another form.
fn arithmetic_ja(why: &str) -> Option<String> {
    let (points, rest) = why.split_once(" per ")?;
    let (per_yen, rest) = rest.split_once(" yen of ")?;
    let (basis, rest) = rest.split_once(" yen (")?;
    let (tax, rest) = rest.split_once(", ")?;
    let (paid, rest) = rest.split_once("), ")?;
    let (rounding, earned) = rest.split_once(": ")?;
    let tax = match tax {
        "tax included" => "税込",
        "without tax" => "税抜",
        _ => return None,
    };
    let paid = match paid {
        "whole receipt" => "レシート全体",
        "without the part paid with points" => "ポイント払い分を除く",
        _ => return None,
    };
    let rounding = match rounding {
        "rounded down" => "切り捨て",
        "rounded half up" => "四捨五入",
        "rounded up" => "切り上げ",
        _ => return None,
    };
    Some(format!(
        "{basis}円（{tax}、{paid}）の{per_yen}円ごとに{points}ポイント、端数{rounding}で{earned}ポイント"
    ))
}

fn imported(lot: &Lot) -> Option<Line> {
    let file = lot.origin.strip_prefix("import:")?;
    Some(line(
        "origin",
        format!("They were brought along from an older system ({file})."),
        format!("以前のシステム（{file}）から引き継がれました。"),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{Timestamp, civil::date};
    use ledger::{
        account::Account,
        lot::{LotKey, Scope},
    };
    use pos_protocol::{LotId, MemberId, Points, TransferId};
    use uuid::Uuid;

    use super::*;
    use crate::person::why::{Adjusted, explain};

    fn member() -> MemberId {
        MemberId::new(Uuid::from_u128(1))
    }

    fn facts(motive: Motive, debit: Account, credit: Account) -> Facts {
        let lot_id = LotId::new(Uuid::from_u128(9));
        let lot = Lot {
            id: lot_id,
            member_id: member(),
            key: LotKey {
                class: "base".into(),
                expiry: LotExpiry::Activity,
                expires_on: Some(date(2027, 11, 30)),
                funding: "programme".into(),
                scope: Scope::default(),
                lender: None,
            },
            granted: Points::new(50).unwrap(),
            available: Points::new(10).unwrap(),
            held: Points::ZERO,
            pending: Points::ZERO,
            opened_at: Timestamp::UNIX_EPOCH,
            origin: "import:base.csv".into(),
            programme_version: 3,
        };
        Facts {
            entry: Uuid::from_u128(2),
            transfer: Some(Transfer {
                id: TransferId::new(Uuid::from_u128(2)),
                member_id: member(),
                lot_id: Some(lot_id),
                debit,
                credit,
                points: Points::new(12).unwrap(),
                motive,
                source: Uuid::from_u128(3),
                store_id: None,
                business_date: date(2026, 11, 22),
                at: Timestamp::UNIX_EPOCH,
            }),
            lot: Some(lot),
            ..Facts::default()
        }
    }

    #[test]
    fn every_motive_is_told_in_both_languages_and_differently() {
        let mut told = BTreeMap::new();
        for motive in Motive::ALL {
            let facts = facts(*motive, Account::ProgrammeIssued, Account::MemberAvailable);
            let act = explain(&facts).lines.remove(0);
            assert!(act.en.contains("12"), "{act:?}");
            assert!(act.ja.contains("12"), "{act:?}");
            assert!(act.en.contains("2026-11-22") && act.ja.contains("2026-11-22"));
            told.insert((act.en, act.ja), motive);
        }
        assert_eq!(told.len(), Motive::ALL.len());
    }

    #[test]
    fn an_expiry_names_the_last_day_and_its_rule() {
        let mut facts = facts(
            Motive::Expiry,
            Account::MemberAvailable,
            Account::ProgrammeBreakage,
        );
        let text = explain(&facts).text;
        assert!(
            text.en
                .contains("last day is 2027-11-30; every purchase moves it on")
        );
        assert!(text.ja.contains("2027-11-30"));
        facts.erased = true;
        assert!(explain(&facts).text.en.contains("erased"));
    }

    #[test]
    fn an_adjustment_names_reason_actor_and_origin() {
        let mut facts = facts(
            Motive::Adjustment,
            Account::ProgrammeIssued,
            Account::MemberAvailable,
        );
        facts.adjusted = Some(Adjusted {
            reason: "apology".into(),
            actor: "cli:hanako".into(),
        });
        let told = explain(&facts);
        assert!(
            told.text
                .en
                .contains("Reason given: apology. By: cli:hanako.")
        );
        assert!(told.text.en.contains("older system (base.csv)"));
        assert_eq!(told.programme_version, Some(3));
        let taken = super::tests::facts(
            Motive::Adjustment,
            Account::MemberAvailable,
            Account::ProgrammeIssued,
        );
        assert!(explain(&taken).text.en.contains("taken by hand"));
    }

    #[test]
    fn the_ledgers_arithmetic_is_understood() {
        let why = "1 per 100 yen of 1980 yen (tax included, whole receipt), rounded down: 19";
        assert_eq!(
            arithmetic_ja(why).unwrap(),
            "1980円（税込、レシート全体）の100円ごとに1ポイント、端数切り捨てで19ポイント"
        );
        assert_eq!(arithmetic_ja("a gift"), None);
        assert_eq!(arithmetic_ja(&why.replace("whole", "half")), None);
    }
}
