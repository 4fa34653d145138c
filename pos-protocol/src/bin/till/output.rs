//! What the cashier sees: plain lines, or one JSON object for each result.

use std::{
    io::{self, Write},
    sync::Arc,
};

use pos_protocol::{
    BasketId, Points, RequestId, SettlementTotals,
    client::{
        Answered, Language, Notice, Opening, Operation, RequestStatus, Standing, Untold, Verdict,
    },
};
use serde_json::{Value, json};

use crate::basket::Basket;

/// Where results go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Output(Arc<Form>);

struct Form {
    json: bool,
    language: Language,
}

impl Output {
    pub(crate) fn new(json: bool, language: Language) -> Self {
        Self(Arc::new(Form { json, language }))
    }

    /// Prints whichever of the two forms is wanted.
    pub(crate) fn say(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        let shown = if self.0.json {
            json().to_string()
        } else {
            text()
        };
        if shown.is_empty() {
            return;
        }
        let mut out = io::stdout().lock();
        // Whoever read may have gone away, as `head` does; the till goes on.
        let _ = writeln!(out, "{shown}").and_then(|()| out.flush());
    }

    pub(crate) fn opened(&self, opening: &Opening) {
        let json = || {
            json!({"ready": true, "unsettled": opening.unsettled, "torn_bytes": opening.torn_bytes,
                "damaged_records": opening.damaged_records, "open_holds": opening.open_holds.len(), "in_clear": opening.in_clear})
        };
        let text = || {
            let mut lines = vec!["Till ready. Scan a card, or type help.".to_owned()];
            if opening.in_clear {
                lines.push("ATTENTION: secret and card texts go to the gateway unencrypted (http://). Use https://.".to_owned());
            }
            if opening.torn_bytes > 0 {
                let bytes = opening.torn_bytes;
                lines.push(format!("The last record was half written ({bytes} bytes) and was cut off; nothing was sent for it."));
            }
            if opening.damaged_records > 0 {
                let count = opening.damaged_records;
                lines.push(format!("ATTENTION: {count} damaged records were set aside in journal.damaged. Call support."));
            }
            if opening.unsettled > 0 {
                let count = opening.unsettled;
                lines.push(format!(
                    "{count} requests of an earlier run are being settled."
                ));
            }
            lines.join("\n")
        };
        self.say(json, text);
    }

    /// What the last run may not have said.
    pub(crate) fn untold(&self, untold: &[Untold]) {
        for sale in untold {
            let (operation, language) = (sale.operation, self.0.language);
            let json = || {
                let mut line = verdict_json(&sale.verdict, operation, language);
                line["untold"] = json!(operation);
                line["request_id"] = json!(sale.request_id);
                line["basket_id"] = json!(sale.basket_id);
                line["receipt"] = json!(sale.receipt);
                line
            };
            let text = || {
                let name = sale.receipt.as_deref();
                let name = name.unwrap_or(sale.request_id.as_str());
                let words = match &sale.verdict {
                    Verdict::Approved(answer) => approved(answer),
                    verdict => verdict.words(operation, language),
                };
                format!("ATTENTION, not told before the till stopped: {name}: {words}")
            };
            self.say(json, text);
        }
    }

    /// A command's verdict.
    pub(crate) fn answered(
        &self,
        (command, operation): (&str, Operation),
        basket_id: Option<&BasketId>,
        answered: &Answered<Value>,
    ) {
        let verdict = &answered.verdict;
        let json = || {
            let mut line = verdict_json(verdict, operation, self.0.language);
            line["command"] = json!(command);
            line["request_id"] = json!(answered.request_id);
            line["basket_id"] = json!(basket_id);
            line
        };
        let text = || match verdict {
            Verdict::Approved(answer) => approved(answer),
            verdict => format!("** {}", verdict.words(operation, self.0.language)),
        };
        self.say(json, text);
    }

    pub(crate) fn notice(&self, notice: &Notice) {
        let json = || notice_json(notice, self.0.language);
        let text = || match notice {
            Notice::Settled {
                operation, verdict, ..
            } => {
                let asked = serde_json::to_value(operation).unwrap_or_default();
                let asked = asked.as_str().unwrap_or_default().to_owned();
                match verdict {
                    Verdict::Approved(answer) => {
                        format!("(later) {asked}: {}", approved(answer))
                    }
                    verdict => {
                        let words = verdict.words(*operation, self.0.language);
                        format!("(later) ATTENTION, {asked}: {words}")
                    }
                }
            }
            Notice::Away => {
                "The gateway does not answer. Sales are queued; no points are taken.".to_owned()
            }
            Notice::Back => "The gateway answers again.".to_owned(),
            Notice::ClockWrong { seconds } => {
                let way = if *seconds > 0 { "behind" } else { "ahead" };
                format!(
                    "ATTENTION: this till's clock is {} seconds {way}. Set it.",
                    seconds.abs()
                )
            }
            Notice::Operator(what) => format!("ATTENTION: {what}"),
            Notice::RequestIdTaken { request_id, .. } => format!(
                "ATTENTION: the request id {request_id} was used by another till with this journal's names. New names were drawn."
            ),
            Notice::JournalUnwritable(why) => {
                format!("ATTENTION: the journal cannot be written: {why}")
            }
            Notice::JournalWritable => "The journal can be written again.".to_owned(),
            other => format!("{other:?}"),
        };
        self.say(json, text);
    }

    pub(crate) fn wrong(&self, line: &str, error: &str) {
        let command = line.split_whitespace().next().unwrap_or_default();
        self.say(
            || json!({"command": command, "error": error}),
            || format!("?? {error}"),
        );
    }

    pub(crate) fn basket(&self, basket: &Basket) {
        self.say(
            || {
                json!({"command": "basket", "basket_id": basket.id, "lines": basket.lines,
                    "total": basket.total(), "tax": basket.tax(), "held": basket.hold.map(|(_, points)| points),
                    "spendable": basket.spendable})
            },
            || draw(basket),
        );
    }

    pub(crate) fn totals(&self, command: &str, day: jiff::civil::Date, totals: &SettlementTotals) {
        self.say(
            || json!({"command": command, "business_date": day, "totals": totals}),
            || {
                format!(
                    "{day}: {} sales, {} yen, {} points paid with, {} earned; {} refunds, {} points given back, {} taken back",
                    totals.purchases,
                    totals.purchase_total,
                    totals.points_redeemed,
                    totals.points_earned,
                    totals.refunds,
                    totals.points_restored,
                    totals.points_clawed_back
                )
            },
        );
    }

    pub(crate) fn standing(&self, command: &str, standing: Standing) {
        let Standing {
            unsettled,
            away,
            writable,
        } = standing;
        self.say(
            || json!({"command": command, "unsettled": unsettled, "away": away, "writable": writable}),
            || {
                let line = if away { "away" } else { "not known to be away" };
                let disk = if writable { "written" } else { "NOT writable" };
                format!("{unsettled} requests unsettled; the gateway is {line}; the journal is {disk}")
            },
        );
    }

    pub(crate) fn status(&self, request_id: &RequestId, status: &RequestStatus) {
        let json = || match status {
            RequestStatus::Answered(answer) => {
                json!({"command": "status", "request_id": request_id, "status": "answered", "answer": answer})
            }
            RequestStatus::Unknown => {
                json!({"command": "status", "request_id": request_id, "status": "unknown"})
            }
            RequestStatus::NotAsked(why) => {
                json!({"command": "status", "request_id": request_id, "status": "not_asked", "why": why.word()})
            }
        };
        self.say(json, || match status {
            RequestStatus::Answered(answer) => answer.to_string(),
            RequestStatus::Unknown => "The gateway never got this request.".to_owned(),
            RequestStatus::NotAsked(why) => {
                format!("The gateway could not be asked: {}", why.word())
            }
        });
    }
}

fn verdict_json(verdict: &Verdict, operation: Operation, language: Language) -> Value {
    let words = verdict.words(operation, language);
    let mut line = json!({"verdict": verdict.word(), "words": words});
    match verdict {
        Verdict::Approved(answer) => line["answer"] = answer.clone(),
        Verdict::Declined(decline) => {
            line["reason"] = json!(decline.reason);
            line["response_code"] = json!(decline.response_code);
            line["points"] = json!(decline.points);
        }
        Verdict::NotAsked { why, undoing } => {
            line["why"] = json!(why.word());
            line["undoing"] = json!(undoing);
        }
        Verdict::Queued { why } => line["why"] = json!(why.word()),
        Verdict::Unknown => {}
        Verdict::Refused(refusal) => {
            line["refusal"] = json!(refusal.word());
            line["detail"] = json!(refusal.to_string());
        }
    }
    line
}

fn notice_json(notice: &Notice, language: Language) -> Value {
    match notice {
        Notice::Settled {
            request_id,
            replaces,
            basket_id,
            operation,
            verdict,
        } => {
            let mut line = verdict_json(verdict, *operation, language);
            line["notice"] = json!("settled");
            line["request_id"] = json!(request_id);
            line["replaces"] = json!(replaces);
            line["basket_id"] = json!(basket_id);
            line["operation"] = json!(operation);
            line
        }
        Notice::Away => json!({"notice": "away"}),
        Notice::Back => json!({"notice": "back"}),
        Notice::ClockWrong { seconds } => json!({"notice": "clock_wrong", "seconds": seconds}),
        Notice::Operator(what) => json!({"notice": "operator", "detail": what}),
        Notice::RequestIdTaken {
            request_id,
            renamed,
        } => {
            json!({"notice": "request_id_taken", "request_id": request_id, "renamed": renamed})
        }
        Notice::JournalUnwritable(why) => json!({"notice": "journal_unwritable", "detail": why}),
        Notice::JournalWritable => json!({"notice": "journal_writable"}),
        other => json!({"notice": "other", "detail": format!("{other:?}")}),
    }
}

/// What an approval means to a cashier.
fn approved(answer: &Value) -> String {
    let number = |pointer| answer.pointer(pointer).and_then(Value::as_i64);
    let word = |pointer| answer.pointer(pointer).and_then(Value::as_str);
    let mut said = Vec::new();
    if let (Some(name), Some(masked)) = (
        word("/member/display_name"),
        word("/member/member_no_masked"),
    ) {
        said.push(format!("{name} {masked}"));
    }
    for (pointer, label) in [
        ("/authorization/points", "points held"),
        ("/purchase/points_redeemed", "points paid"),
        ("/purchase/points_earned", "points earned"),
        ("/purchase/points_shortfall", "points borne by the store"),
        ("/refund/points_restored", "points given back"),
        ("/refund/points_clawed_back", "points taken back"),
        ("/refund/shortfall_yen", "yen to keep from the cash"),
        ("/points/spendable", "can be spent"),
        ("/points/available", "available"),
    ] {
        if let Some(number) =
            number(pointer).filter(|number| *number > 0 || pointer.starts_with("/points"))
        {
            said.push(format!("{number} {label}"));
        }
    }
    if let Some(effect) = word("/effect") {
        said.push(effect.replace('_', " "));
    }
    if let Some(differences) = answer.get("differences").and_then(Value::as_array) {
        said.push(match differences.as_slice() {
            [] => "both sides agree".to_owned(),
            differences => format!("DIFFERENCES: {}", Value::from(differences)),
        });
    }
    if said.is_empty() {
        said.push("done".to_owned());
    }
    format!("OK {}", said.join(", "))
}

fn draw(basket: &Basket) -> String {
    let mut lines = vec![format!("-- {} {}", basket.id, "-".repeat(20))];
    for line in &basket.lines {
        lines.push(format!(
            "{:>3}  {:<18} x{:<3} {:>3}% {:>9}",
            line.line_no,
            line.name,
            line.quantity,
            line.tax_rate,
            line.amount.get()
        ));
    }
    lines.push(format!("{:>31} {:>10}", "total", basket.total().get()));
    lines.push(format!("{:>31} {:>10}", "of which tax", basket.tax().get()));
    if let Some((_, points)) = basket.hold {
        let rest = basket.total().get().saturating_sub(points.get()).max(0);
        lines.push(format!("{:>31} {:>10}", "points", -points.get()));
        lines.push(format!("{:>31} {:>10}", "to pay", rest));
    } else if let Some(spendable) = basket.spendable.filter(|points| *points > Points::ZERO) {
        lines.push(format!("{:>31} {:>10}", "can be spent", spendable.get()));
    }
    lines.join("\n")
}
