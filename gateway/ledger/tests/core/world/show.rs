//! Decisions in words, one line for the answer and one for each transfer and event.

use ledger::{
    account::{Account, Transfer},
    decision::{Answer, Decision},
    state::State,
};
use serde_json::Value;

/// The answer of a decision, in one line.
pub(super) fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Message(text) => message(&serde_json::from_str(text).unwrap()),
        Answer::RequestIdReused => "request id reused".to_owned(),
        Answer::Enrolled { created: true, .. } => "enrolled".to_owned(),
        Answer::Enrolled { .. } => "enrolled before".to_owned(),
        Answer::ShortCodeMade => "short code made".to_owned(),
        Answer::CardRevoked { changed: true } => "revoked".to_owned(),
        Answer::CardRevoked { .. } => "revoked before".to_owned(),
        Answer::ProgrammeActivated { version } => format!("version {version} in force"),
        Answer::ProgrammeMoved { version } => format!("version {version} came first"),
        Answer::Done => "done".to_owned(),
        Answer::Refused(reason) => format!("refused {}", reason.word()),
        Answer::Denied(denial) => format!("denied {}", denial.word()),
        Answer::NotFound => "not found".to_owned(),
        Answer::Linked { merged: None, .. } => "linked".to_owned(),
        Answer::Linked { .. } => "merged".to_owned(),
        Answer::WouldMerge { .. } => "would merge".to_owned(),
        Answer::CodeMade { .. } => "code made".to_owned(),
        Answer::OrderBooked { state, .. } => format!("order {}", state.word().replace('_', " ")),
        other => format!("{other:?}"),
    }
}

fn message(answer: &Value) -> String {
    let mut words = Vec::new();
    if answer["outcome"] == "declined" {
        let code = answer["response_code"].as_str().unwrap();
        let reason = answer["reason"].as_str().unwrap();
        words.push(format!("declined {code} {reason}"));
    } else {
        assert_eq!(answer["outcome"], "approved", "{answer}");
        assert_eq!(answer["response_code"], "00", "{answer}");
        words.push("approved".to_owned());
    }
    if let Some(effect) = answer["effect"].as_str() {
        words.push(effect.replace('_', " "));
    }
    if let Some(original) = answer["original"].as_object() {
        let [operation, state] = ["operation", "state"].map(|key| original[key].as_str().unwrap());
        words.push(format!("{operation} {state}"));
    }
    amounts(&answer["authorization"], &[("points", "held")], &mut words);
    let purchase = [
        ("points_redeemed", "redeemed"),
        ("points_shortfall", "shortfall"),
        ("points_earned", "earned"),
    ];
    amounts(&answer["purchase"], &purchase, &mut words);
    let refund = [
        ("amount", "goods"),
        ("points_restored", "restored"),
        ("points_lapsed", "lapsed"),
        ("points_clawed_back", "clawed back"),
        ("points_owed", "owed"),
        ("shortfall_yen", "yen kept"),
    ];
    amounts(&answer["refund"], &refund, &mut words);
    if let Some(differences) = answer["differences"].as_array() {
        for row in differences {
            let field = row["field"].as_str().unwrap();
            words.push(format!("{field} {} here {}", row["till"], row["gateway"]));
        }
        if differences.is_empty() {
            words.push("agreed".to_owned());
        }
    }
    if let Some(points) = answer["points"].as_object() {
        words.push(format!("available {}", points["available"]));
        if let Some(spendable) = points.get("spendable") {
            words.push(format!("spendable {spendable}"));
        }
    }
    words.join(", ")
}

/// Every amount above zero, with its word.
fn amounts(view: &Value, fields: &[(&str, &str)], words: &mut Vec<String>) {
    for (field, word) in fields {
        match view[field].as_i64() {
            None | Some(0) => {}
            Some(amount) => words.push(format!("{word} {amount}")),
        }
    }
}

/// The transfers of a decision, one a line.
pub(super) fn transfers(state: &State, decision: &Decision) -> Vec<String> {
    let all = decision.changes.transfers.iter();
    all.map(|transfer| show_transfer(state, transfer)).collect()
}

fn show_transfer(state: &State, transfer: &Transfer) -> String {
    let name = |account: Account| account.word().split_once('.').unwrap().1;
    let mut line = format!(
        "{} {}: {} > {}",
        transfer.motive.word().replace('_', " "),
        transfer.points,
        name(transfer.debit),
        name(transfer.credit),
    );
    if let Some(lot_id) = transfer.lot_id {
        let key = &state.lots[&(transfer.member_id, lot_id)].key;
        let until = key
            .expires_on
            .map_or("ever".to_owned(), |day| day.to_string());
        line.push_str(&format!(", {} {until}", key.class));
    }
    line
}

/// The events of a decision, one a line.
pub(super) fn events(decision: &Decision) -> Vec<String> {
    let all = decision.changes.events.iter();
    all.map(|event| format!("event {}", event.kind.word()))
        .collect()
}
