//! The one entrance: state, command and time in; answer and changes out.

use jiff::Timestamp;
use pos_protocol::DeclineAnswer;

use crate::{
    command::{Ask, Command, Operation, PosCommand},
    decision::{Answer, Broken, Decision, Stop},
    posting::Posting,
    purchase::{Channel, Sale},
    records::{RequestKind, StoredRequest},
    reply::Reply,
    state::{Changes, State},
};

/// Decides one command. Total: every state and command has a decision, and a decline is one.
///
/// `state` holds the rows that [`Keys`](crate::keys::Keys) names for the command; `now` is the
/// gateway's clock when the command arrived.
#[must_use]
pub fn decide(state: &State, command: &Command, now: Timestamp) -> Decision {
    let mut posting = Posting::new(state, command, now);
    let decided = match &command.operation {
        Operation::Pos(pos) => answer_till(&mut posting, pos),
        Operation::Enrol(enrol) => posting.enrol(enrol),
        Operation::RevokeCard { member_id, card_id } => {
            Ok(posting.revoke_card(*member_id, *card_id))
        }
        Operation::MakeShortCode {
            card_id,
            hash,
            spend,
        } => Ok(posting.make_short_code(*card_id, *hash, *spend)),
        Operation::Sweep { member_id } => posting
            .settle_due(*member_id)
            .map(|()| Answer::Done)
            .map_err(Stop::from),
        Operation::Adjust(adjustment) => posting.adjust(adjustment),
        Operation::RequestAdjustment(request) => posting.request_adjustment(request),
        Operation::DecideProposal(decision) => posting.decide_proposal(decision),
        Operation::SetBlocked {
            member_id,
            blocked,
            reason,
            actor,
        } => Ok(posting.set_blocked(*member_id, *blocked, reason, actor)),
        Operation::ActivateProgramme(activation) => Ok(posting.activate_programme(activation)),
        Operation::Link(link) => posting.link(link),
        Operation::MakeLinkCode(make) => Ok(posting.make_link_code(make)),
        Operation::EnterLinkCode(enter) => posting.enter_link_code(enter),
        Operation::StartVerification(start) => Ok(posting.start_verification(start)),
        Operation::Confirm(confirm) => posting.confirm(confirm),
        Operation::RevokeIdentity { member_id, key } => posting.revoke_identity(*member_id, *key),
        Operation::NameCard {
            member_id,
            card_id,
            name,
        } => Ok(posting.name_card(*member_id, *card_id, name)),
        Operation::IssueCard(issue) => posting.issue_card(issue),
        Operation::Merge(merging) => posting.merge(merging),
        Operation::Unmerge(unmerging) => posting.unmerge(unmerging),
        Operation::ReportOrder(report) => posting.report_order(report),
        Operation::SetProfile(change) => Ok(posting.set_profile(change)),
        Operation::Erase(erasure) => posting.erase(erasure),
    };
    match decided {
        Ok(answer) => Decision {
            answer,
            changes: posting.changes,
        },
        Err(Stop::Decline(reason, _)) => Decision {
            answer: Answer::Refused(reason),
            changes: Changes::default(),
        },
        Err(Stop::Broken(Broken(what))) => Decision {
            answer: Answer::Fault(what),
            changes: Changes::default(),
        },
    }
}

/// One (terminal, request id) has one effect and one answer: a repeated request gets the stored one,
/// another request under the same id is refused.
fn answer_till(posting: &mut Posting<'_>, pos: &PosCommand) -> Result<Answer, Stop> {
    let key = (pos.till.terminal_id.clone(), pos.request_id.clone());
    if let Some(stored) = posting.state.requests.get(&key) {
        return Ok(match stored.fingerprint {
            Some(fingerprint) if fingerprint != pos.fingerprint => Answer::RequestIdReused,
            _ => Answer::Message(stored.answer.clone()),
        });
    }
    let reply = match ask(posting, pos) {
        Ok(reply) => reply,
        Err(Stop::Decline(reason, member_id)) => {
            let points = member_id.and_then(|id| posting.balance(id));
            let decline = DeclineAnswer::new(pos.request_id.clone(), reason, points);
            Reply {
                member_id,
                ..Reply::new(kind(&pos.ask), &decline)
            }
        }
        Err(broken @ Stop::Broken(_)) => return Err(broken),
    };
    let answer = reply.answer.clone();
    posting.changes.requests.push(StoredRequest {
        terminal_id: pos.till.terminal_id.clone(),
        request_id: pos.request_id.clone(),
        member_id: reply.member_id,
        kind: reply.kind,
        fingerprint: Some(pos.fingerprint),
        effect: reply.effect,
        answer: reply.answer,
        at: posting.now,
    });
    Ok(Answer::Message(answer))
}

fn ask(posting: &mut Posting<'_>, pos: &PosCommand) -> Result<Reply, Stop> {
    let PosCommand {
        till,
        request_id,
        ask,
        ..
    } = pos;
    match ask {
        Ask::Inquiry { basket_id, card } => posting.inquire(till, request_id, basket_id, card),
        Ask::Authorization {
            basket_id,
            card,
            points,
        } => posting.authorize(till, request_id, basket_id, card, *points),
        Ask::Void { authorization_id } => posting.void(till, request_id, *authorization_id),
        Ask::Purchase {
            basket_id,
            payment,
            receipt,
            advice,
        } => {
            let advice = advice.as_ref();
            posting.purchase(
                Sale {
                    till,
                    basket_id,
                    receipt,
                    advice,
                    channel: Channel::Store,
                },
                request_id,
                payment,
            )
        }
        Ask::Refund {
            purchase_id,
            lines,
            quote: true,
        } => posting.quote(till, request_id, *purchase_id, lines.as_deref()),
        Ask::Refund {
            purchase_id,
            lines,
            quote: false,
        } => posting.refund(till, request_id, *purchase_id, lines.as_deref()),
        Ask::Reversal {
            original_request_id,
        } => posting.reverse(till, request_id, original_request_id),
        Ask::Settlement {
            business_date,
            totals,
        } => Ok(posting.settle(till, request_id, *business_date, *totals)),
    }
}

fn kind(ask: &Ask) -> RequestKind {
    match ask {
        Ask::Inquiry { .. } => RequestKind::Inquiry,
        Ask::Authorization { .. } => RequestKind::Authorization,
        Ask::Void { .. } => RequestKind::Void,
        Ask::Purchase { .. } => RequestKind::Purchase,
        Ask::Refund { quote: true, .. } => RequestKind::RefundQuote,
        Ask::Refund { quote: false, .. } => RequestKind::Refund,
        Ask::Reversal { .. } => RequestKind::Reversal,
        Ask::Settlement { .. } => RequestKind::Settlement,
    }
}
