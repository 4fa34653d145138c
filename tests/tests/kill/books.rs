//! What the tills know: every acknowledged answer, what it did to whose points, and which basket each
//! card text was accepted for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use acceptance::{ask::Ask, installation::YEN_PER_POINT, phone::Shown, reply::Reply, till::Till};
use member_card::CardId;

/// One member's points, by the acknowledged answers.
#[derive(Debug, Default)]
pub(crate) struct Book {
    available: AtomicI64,
    held: AtomicI64,
}

impl Book {
    /// A book that begins with `available` points.
    pub(crate) fn with(available: i64) -> Self {
        Self {
            available: AtomicI64::new(available),
            held: AtomicI64::new(0),
        }
    }

    /// (available, held).
    pub(crate) fn points(&self) -> (i64, i64) {
        let read = |account: &AtomicI64| account.load(Ordering::SeqCst);
        (read(&self.available), read(&self.held))
    }

    /// Books what an approval says. Declines change nothing.
    pub(crate) fn post(&self, deed: Deed, reply: &Reply) {
        if !reply.is_approved() {
            return;
        }
        let (available, held) = deed.change(reply);
        self.available.fetch_add(available, Ordering::SeqCst);
        self.held.fetch_add(held, Ordering::SeqCst);
    }
}

/// What a request does if it is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Nothing; with a card.
    Look,
    /// Nothing.
    Quote,
    /// Holds points.
    Hold,
    /// Lets go a hold of so many points.
    LetGo { held: i64 },
    /// A sale for so many yen, with what was held for it.
    Sale { yen: i64, held: i64 },
    /// Goods come back.
    Refund,
    /// Undoes what held so many points, or a sale.
    Undo { held: i64 },
}

impl Deed {
    /// What the approval adds to (available, held).
    fn change(self, reply: &Reply) -> (i64, i64) {
        match self {
            Self::Look | Self::Quote => (0, 0),
            Self::Hold => {
                let points = reply.number("/authorization/points");
                (-points, points)
            }
            Self::LetGo { held } => (held, -held),
            Self::Sale { yen, held } => {
                let earned = reply.number("/purchase/points_earned");
                assert_eq!(earned, yen / YEN_PER_POINT, "{reply:?}");
                let redeemed = reply.number("/purchase/points_redeemed");
                (held - redeemed + earned, -held)
            }
            Self::Refund => (taken_back(reply), 0),
            Self::Undo { held } => match reply.word("/effect").as_str() {
                "reversed" => (held, -held),
                "refunded" => (taken_back(reply), 0),
                "nothing_to_reverse" => (0, 0),
                other => panic!("unknown effect {other}"),
            },
        }
    }
}

fn taken_back(reply: &Reply) -> i64 {
    reply.number("/refund/points_restored") - reply.number("/refund/points_clawed_back")
}

/// An answer that the gateway gave.
#[derive(Debug, Clone)]
struct Acknowledged {
    ask: Ask,
    reply: Reply,
}

/// Baskets, as terminal and basket id, in which each card text was accepted.
type Accepted = BTreeMap<(CardId, u32), BTreeSet<(String, String)>>;

/// What all tills know together.
#[derive(Debug, Default)]
pub(crate) struct Books {
    answers: Mutex<BTreeMap<String, Vec<Acknowledged>>>,
    accepted: Mutex<Accepted>,
    lost: AtomicI64,
    refused: AtomicI64,
}

impl Books {
    /// Keeps an answer, to be asked for again at the end.
    pub(crate) fn keep(&self, till: &Till, ask: &Ask, reply: &Reply) {
        let mut answers = self.answers.lock().unwrap();
        let (ask, reply) = (ask.clone(), reply.clone());
        let of_till = answers.entry(till.terminal.to_string()).or_default();
        of_till.push(Acknowledged { ask, reply });
    }

    /// Notes which basket a text was shown in, if it was accepted there.
    pub(crate) fn accept(&self, till: &Till, basket: &str, shown: &Shown, reply: &Reply) {
        if reply.is_approved() {
            let mut accepted = self.accepted.lock().unwrap();
            let baskets = accepted
                .entry((shown.card_id, shown.issued_at))
                .or_default();
            baskets.insert((till.terminal.to_string(), basket.to_owned()));
        } else if reply.reason() == Some(pos_protocol::Reason::CardAlreadyUsed) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts an answer that did not come.
    pub(crate) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// No text was accepted for two baskets.
    pub(crate) fn check_texts(&self) {
        let accepted = self.accepted.lock().unwrap();
        for (text, baskets) in accepted.iter() {
            assert_eq!(baskets.len(), 1, "{text:?} served {baskets:?}");
        }
        assert!(!accepted.is_empty(), "no card was ever accepted");
        let refused = self.refused.load(Ordering::Relaxed);
        assert!(
            refused > 0,
            "no replay was ever refused: the test shows nothing"
        );
    }

    /// Every acknowledged answer of a till is still given, byte for byte: to the same request, and to
    /// a question about it.
    pub(crate) async fn check_answers(&self, bases: &[String], till: &Till) {
        let answers = {
            let answers = self.answers.lock().unwrap();
            answers.get(&*till.terminal).cloned().unwrap_or_default()
        };
        for (number, Acknowledged { ask, reply }) in answers.iter().enumerate() {
            let till = till.at(&bases[number % bases.len()]);
            let stored = till.insist_on_status(&ask.request_id).await;
            assert_same(reply, &stored, ask);
            let repeated = till.insist(ask).await;
            assert_same(reply, &repeated, ask);
        }
    }

    /// What the run was made of.
    pub(crate) fn summary(&self) -> String {
        let answers = self.answers.lock().unwrap();
        let all = || answers.values().flatten();
        let approved = all().filter(|one| one.reply.is_approved()).count();
        let mut reasons = BTreeMap::<String, usize>::new();
        for reason in all().filter_map(|one| one.reply.reason()) {
            *reasons.entry(reason.word().to_owned()).or_default() += 1;
        }
        format!(
            "{} acknowledged answers, {approved} approvals, declines {reasons:?}; {} answers lost on the way; {} texts",
            all().count(),
            self.lost.load(Ordering::Relaxed),
            self.accepted.lock().unwrap().len(),
        )
    }
}

/// Both answers are the same bytes.
pub(crate) fn assert_same(first: &Reply, again: &Reply, ask: &Ask) {
    assert_eq!(
        (again.status, again.text()),
        (first.status, first.text()),
        "another answer to {} under {}",
        ask.path,
        ask.request_id
    );
}
