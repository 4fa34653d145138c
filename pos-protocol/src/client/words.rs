//! What the cashier reads, in Japanese and English. Short, and first what to do.

use super::verdict::{Decline, Language, Refusal, Verdict, Why};
use crate::Reason;

/// Words for a verdict.
pub(crate) fn verdict<A>(verdict: &Verdict<A>, language: Language) -> String {
    let (english, japanese) = match verdict {
        Verdict::Approved(_) => ("Approved.", "承認されました。"),
        Verdict::Declined(decline) => return self::decline(decline, language).to_owned(),
        Verdict::NotAsked {
            why: Why::Operator(message),
            ..
        } => {
            return match language {
                Language::English => {
                    format!("Take the points off. This till is set up wrongly: {message}")
                }
                Language::Japanese => {
                    format!("ポイントを外してください。レジの設定に誤りがあります: {message}")
                }
            };
        }
        Verdict::NotAsked { undoing: true, .. } => (
            "Take the points off: the gateway could not be asked. What may have happened is being undone.",
            "ポイントを外してください。センターに確認できませんでした。取消を自動で送ります。",
        ),
        Verdict::NotAsked { undoing: false, .. } => (
            "Take the points off: the gateway could not be asked.",
            "ポイントを外してください。センターに確認できませんでした。",
        ),
        Verdict::Queued { .. } => (
            "It counts. The points follow as soon as the gateway can be reached.",
            "受け付けました。ポイントは後ほど反映されます。",
        ),
        Verdict::Refused(refusal) => refused(refusal),
        Verdict::Unknown => (
            "The till broke down: what became of this is not known yet. Do not enter it again. Start the till again and look.",
            "レジが停止し、結果が不明です。再登録せず、レジを再起動して確認してください。",
        ),
    };
    pick(language, english, japanese).to_owned()
}

fn refused(refusal: &Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::JournalUnwritable(_) => (
            "Sell without points: this till cannot write its journal. Call support.",
            "ポイントなしで会計してください。レジに記録できません。サポートに連絡してください。",
        ),
        Refusal::BasketCompleted => (
            "This basket has its sale already. Do not sell it again.",
            "この会計は受付済みです。もう一度登録しないでください。",
        ),
        Refusal::Unsettled(_) => (
            "Requests of the day are still unanswered. Settle again later.",
            "未確定の処理が残っています。しばらくしてから精算してください。",
        ),
        Refusal::Malformed(_) | Refusal::Defect { .. } | Refusal::Closed => (
            "Sell without points: this till made a mistake. Call support.",
            "ポイントなしで会計してください。レジの不具合です。サポートに連絡してください。",
        ),
    }
}

/// Words for a decline.
pub(crate) fn decline(decline: &Decline, language: Language) -> &'static str {
    let (english, japanese) = match decline.known() {
        Some(reason) => reason_words(reason),
        None => (
            "Declined. Sell without points.",
            "承認されませんでした。ポイントなしで会計してください。",
        ),
    };
    pick(language, english, japanese)
}

fn reason_words(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::UnknownCard => (
            "The card cannot be read. Ask the shopper to open it again, then scan.",
            "カードを確認できません。会員証を開き直してもらい、もう一度読み取ってください。",
        ),
        Reason::CardBlocked | Reason::MemberBlocked => (
            "This card is blocked. The shopper can ask the help desk.",
            "このカードは利用停止中です。お客様窓口をご案内ください。",
        ),
        Reason::CardTextExpired => (
            "The code is too old. Scan the code that the phone shows now.",
            "コードの有効時間が過ぎました。画面の新しいコードを読み取ってください。",
        ),
        Reason::CardTextFromFuture => (
            "A clock is wrong, the phone's or this till's. Scan again.",
            "スマートフォンかレジの時計がずれています。もう一度読み取ってください。",
        ),
        Reason::CardAlreadyUsed => (
            "This code was used for another sale. Scan the code that the phone shows now.",
            "このコードは使用済みです。画面の新しいコードを読み取ってください。",
        ),
        Reason::SpendNotAllowed => (
            "The shopper has not switched spending on. Ask them to, then scan again.",
            "ポイント利用がオフです。お客様にオンにしてもらい、読み取り直してください。",
        ),
        Reason::AboveCardLimit => (
            "More than the shopper allowed. Use fewer points, or scan again with a higher limit.",
            "お客様の設定した上限を超えています。ポイントを減らしてください。",
        ),
        Reason::AboveProgrammeLimit => (
            "More than one sale may use. Use fewer points.",
            "一回の利用上限を超えています。ポイントを減らしてください。",
        ),
        Reason::AboveReceiptTotal => (
            "More points than the sale is worth. Use fewer points.",
            "会計額を超えています。ポイントを減らしてください。",
        ),
        Reason::AboveHold => (
            "More than was held. Use fewer points, or hold again.",
            "お預かりしたポイントを超えています。ポイントを減らしてください。",
        ),
        Reason::AboveRefundable => (
            "More than is left to return on this receipt.",
            "このレシートの返品可能数を超えています。",
        ),
        Reason::ZeroPoints => (
            "No points were asked for.",
            "ポイント数が入力されていません。",
        ),
        Reason::TooManyHolds => (
            "Too many open baskets of this member. Finish or void one.",
            "この会員の未完了の会計が多すぎます。先に完了か取消をしてください。",
        ),
        Reason::AmountTooLarge => (
            "The amount is too large for points.",
            "金額が大きすぎるためポイントを扱えません。",
        ),
        Reason::InsufficientPoints => (
            "Not enough points. Use fewer points.",
            "ポイントが足りません。ポイントを減らしてください。",
        ),
        Reason::UnknownAuthorization => (
            "The held points are not known. Hold again.",
            "お預かりしたポイントが見つかりません。もう一度お預かりしてください。",
        ),
        Reason::UnknownPurchase => (
            "This sale is not known here. Check the receipt.",
            "この売上が見つかりません。レシートを確認してください。",
        ),
        Reason::UnknownLine => (
            "This line is not on the receipt.",
            "この明細はレシートにありません。",
        ),
        Reason::HoldExpired => (
            "The held points went back after their time. Hold again.",
            "お預かりの時間が過ぎました。もう一度お預かりしてください。",
        ),
        Reason::AlreadyVoided => (
            "The held points were let go already.",
            "お預かりは取消済みです。",
        ),
        Reason::AlreadyCaptured => (
            "The held points were paid already.",
            "お預かりのポイントは支払済みです。",
        ),
        Reason::Reversed => ("This was undone.", "この処理は取り消されています。"),
        Reason::BasketCompleted => (
            "This basket has its sale already.",
            "この会計は完了しています。",
        ),
        Reason::BusinessDateNotOpen => (
            "The business day is not open. Check the till's date.",
            "営業日が一致しません。レジの日付を確認してください。",
        ),
        Reason::AdviceTooLate => (
            "Told too late: no points for this sale.",
            "通知が遅すぎたため、この売上にポイントは付きません。",
        ),
        Reason::NotReversible => ("This cannot be undone.", "この処理は取り消せません。"),
    }
}

fn pick(language: Language, english: &'static str, japanese: &'static str) -> &'static str {
    match language {
        Language::English => english,
        Language::Japanese => japanese,
    }
}
