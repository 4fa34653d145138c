//! What the cashier reads, in Japanese and English. Short, and first what to do.

#[cfg(test)]
mod tests;

use super::{
    message::Operation,
    verdict::{Decline, Language, Refusal, Verdict, Why},
};
use crate::Reason;

/// English and Japanese.
type Words = (&'static str, &'static str);

/// Words for the verdict on an operation.
pub(crate) fn verdict<A>(verdict: &Verdict<A>, operation: Operation, language: Language) -> String {
    let pick = |words| pick(language, words);
    match verdict {
        Verdict::Approved(_) => pick(("Approved.", "承認されました。")).to_owned(),
        Verdict::Declined(decline) => self::decline(decline, operation, language).to_owned(),
        Verdict::NotAsked { why, undoing } => {
            let mut said = pick(not_asked(operation)).to_owned();
            if *undoing {
                let undoing = (
                    " What may have happened is being undone.",
                    "取消を自動で送ります。",
                );
                said.push_str(pick(undoing));
            }
            said + &operator(why, language)
        }
        Verdict::Queued { why } => pick(queued(operation)).to_owned() + &operator(why, language),
        Verdict::Refused(refusal) => refused(refusal, operation, language),
        Verdict::Unknown => pick((
            "The till broke down: what became of this is not known yet. Do not enter it again. Start the till again and look.",
            "レジが停止し、結果が不明です。再登録せず、レジを再起動して確認してください。",
        ))
        .to_owned(),
    }
}

/// What to do when the gateway could not be asked.
fn not_asked(operation: Operation) -> Words {
    match operation {
        Operation::Inquiry => (
            "The gateway could not be asked. Go on without using points; points are still earned.",
            "センターに確認できませんでした。ポイント利用なしで会計してください。付与は後ほど反映されます。",
        ),
        Operation::Authorization | Operation::Purchase => (
            "Take the points off: the gateway could not be asked.",
            "ポイントを外してください。センターに確認できませんでした。",
        ),
        Operation::RefundQuote => (
            "The refund could not be looked up: the gateway could not be asked. Try again.",
            "返品の内容を確認できませんでした。もう一度お試しください。",
        ),
        Operation::Settlement => (
            "The day is not settled: the gateway could not be asked. Settle again later.",
            "精算できませんでした。しばらくしてからもう一度精算してください。",
        ),
        Operation::Void | Operation::Refund | Operation::Reversal => (
            "This was not done: the gateway could not be asked.",
            "処理できませんでした。センターに確認できませんでした。",
        ),
    }
}

/// What it means that the gateway is told later.
fn queued(operation: Operation) -> Words {
    match operation {
        Operation::Purchase => (
            "It counts. The points follow as soon as the gateway can be reached.",
            "受け付けました。ポイントは後ほど反映されます。",
        ),
        Operation::Void => (
            "The held points go back as soon as the gateway can be reached.",
            "お預かりのポイントは後ほど戻ります。",
        ),
        Operation::Refund => (
            "The refund counts; its points follow. What is to be kept from the cash is not known yet.",
            "返品を受け付けました。ポイントは後ほど反映されます。現金から差し引く額はまだ不明です。",
        ),
        Operation::Reversal => (
            "It will be undone as soon as the gateway can be reached.",
            "取消を受け付けました。後ほど自動で取り消されます。",
        ),
        Operation::Inquiry
        | Operation::Authorization
        | Operation::RefundQuote
        | Operation::Settlement => (
            "It is done as soon as the gateway can be reached.",
            "受け付けました。後ほど処理されます。",
        ),
    }
}

/// What the till did not do, and what to do instead.
fn not_done(operation: Operation) -> Words {
    match operation {
        Operation::Inquiry | Operation::Authorization | Operation::Purchase => {
            ("Sell without points: ", "ポイントなしで会計してください。")
        }
        Operation::Void => (
            "The held points are not let go yet: ",
            "お預かりのポイントを取り消せません。",
        ),
        Operation::RefundQuote => (
            "The refund could not be looked up: ",
            "返品の内容を確認できません。",
        ),
        Operation::Refund => (
            "The refund was not done. Give nothing back: ",
            "返品は処理されていません。返金しないでください。",
        ),
        Operation::Reversal => ("Nothing was undone: ", "取り消されていません。"),
        Operation::Settlement => ("The day is not settled: ", "精算されていません。"),
    }
}

fn refused(refusal: &Refusal, operation: Operation, language: Language) -> String {
    let cause = match refusal {
        Refusal::BasketCompleted => {
            return pick(
                language,
                (
                    "This basket has its sale already. Do not sell it again.",
                    "この会計は受付済みです。もう一度登録しないでください。",
                ),
            )
            .to_owned();
        }
        Refusal::Unsettled(_) => {
            return pick(
                language,
                (
                    "Requests of the day are still unanswered. Settle again later.",
                    "未確定の処理が残っています。しばらくしてから精算してください。",
                ),
            )
            .to_owned();
        }
        Refusal::JournalUnwritable(_) => (
            "this till cannot write its journal. Call support.",
            "レジに記録できません。サポートに連絡してください。",
        ),
        Refusal::Malformed(_) | Refusal::Defect { .. } => (
            "this till made a mistake. Call support.",
            "レジの不具合です。サポートに連絡してください。",
        ),
        Refusal::Closed => ("this till is closed.", "レジは終了しています。"),
    };
    pick(language, not_done(operation)).to_owned() + pick(language, cause)
}

/// What an operator has to mend, if that is why.
fn operator(why: &Why, language: Language) -> String {
    match (why, language) {
        (Why::Operator(message), Language::English) => {
            format!(" This till is set up wrongly: {message}")
        }
        (Why::Operator(message), Language::Japanese) => {
            format!("レジの設定に誤りがあります: {message}")
        }
        _ => String::new(),
    }
}

/// Words for a decline.
pub(crate) fn decline(decline: &Decline, operation: Operation, language: Language) -> &'static str {
    let words = match (decline.known(), operation) {
        (Some(reason), _) => reason_words(reason),
        (None, Operation::Inquiry | Operation::Authorization | Operation::Purchase) => (
            "Declined. Sell without points.",
            "承認されませんでした。ポイントなしで会計してください。",
        ),
        (None, _) => (
            "Declined. Call support.",
            "承認されませんでした。サポートに連絡してください。",
        ),
    };
    pick(language, words)
}

fn reason_words(reason: Reason) -> Words {
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

fn pick(language: Language, (english, japanese): Words) -> &'static str {
    match language {
        Language::English => english,
        Language::Japanese => japanese,
    }
}
