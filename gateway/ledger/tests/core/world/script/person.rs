//! The words about persons: merges, identities, cards that are numbers, personal data.
//!
//! An identity is written with a stroke: `email/ann` is an address, `ec/7` a customer of the shop `main`. A
//! side of a link is an identity, a card (`ann`), or a member that staff names (`@ann`).

use ledger::{
    command::{
        Confirm, EnterLinkCode, Erasure, IssueCard, Link, MakeLinkCode, Merging, OpeningLot,
        Operation, ProfileChange, Side, StartVerification, Unmerging,
    },
    decision::{Answer, Decision},
    identity::{Claim, IdentityKind, Newcomer, Proof},
    member::CardKind,
    profile::{SealedProfile, Terms},
};
use pos_protocol::Points;

use super::{
    super::{
        World,
        names::{card_id, claim, hash, member_id, newcomer},
    },
    Words, points,
};

/// Text that must never be told: it stands for names, addresses and codes.
pub(crate) const SECRET: &str = "Hanako";

impl World {
    /// What is asked about a person; none if these are no such words.
    pub(super) fn person(&mut self, words: &Words<'_>) -> Option<Decision> {
        let operation = match words.bare.as_slice() {
            ["verify", name, card, address] => {
                let decision =
                    self.run(Operation::StartVerification(Box::new(StartVerification {
                        card_id: card_id(card),
                        claim: claim(address),
                        code_hash: hash(words.get("code").expect("a code")),
                    })));
                if let Answer::CodeMade { id, .. } = decision.answer {
                    self.names.verifications.insert((*name).to_owned(), id);
                }
                return Some(decision);
            }
            ["confirm", name, card] => Operation::Confirm(Box::new(Confirm {
                id: self.names.verifications[*name],
                card_id: card_id(card),
                code_hash: hash(words.get("code").expect("a code")),
                agreed: words.is("agreed"),
            })),
            ["plastic" | "wallet", name] => {
                self.names.numbers.insert((*name).to_owned());
                issue(words, name)
            }
            _ => linking(words).or_else(|| records(words))?,
        };
        Some(self.run(operation))
    }
}

fn linking(words: &Words<'_>) -> Option<Operation> {
    Some(match words.bare.as_slice() {
        ["link", asker, other] => Operation::Link(Box::new(Link {
            asker: side(asker),
            other: side(other),
            proof: Proof::ShopStatement,
            actor: "shop:main".to_owned(),
            agreed: words.is("agreed"),
            only_known: words.is("known"),
            cool_down: words.is("cool"),
            newcomer: Some(of(words, asker)),
        })),
        ["link-code", name, shown_to] => Operation::MakeLinkCode(Box::new(MakeLinkCode {
            hash: hash(name),
            side: side(shown_to),
            shown_by: "card".to_owned(),
            newcomer: of(words, shown_to),
        })),
        ["enter", name, by] => Operation::EnterLinkCode(Box::new(EnterLinkCode {
            hash: hash(name),
            side: side(by),
            actor: "shop:main".to_owned(),
            agreed: words.is("agreed"),
        })),
        ["unlink", member, identity] => Operation::RevokeIdentity {
            member_id: member_id(member),
            key: claim(identity).key,
        },
        _ => return None,
    })
}

fn records(words: &Words<'_>) -> Option<Operation> {
    let (reason, actor) = ("asked".to_owned(), "staff".to_owned());
    Some(match words.bare.as_slice() {
        ["merge", alias, "into", root] => Operation::Merge(Box::new(Merging {
            member_id: member_id(alias),
            into: member_id(root),
            reason,
            actor,
        })),
        ["unmerge", alias] => Operation::Unmerge(Box::new(Unmerging {
            member_id: member_id(alias),
            reason,
            actor,
        })),
        ["erase", name] => Operation::Erase(Box::new(Erasure {
            member_id: member_id(name),
            reason,
            actor,
        })),
        ["profile", name] => Operation::SetProfile(Box::new(profile(name, words.count("from")))),
        ["name-card", card, "of", owner] => Operation::NameCard {
            member_id: member_id(owner),
            card_id: card_id(card),
            name: SECRET.to_owned(),
        },
        _ => return None,
    })
}

/// A profile that replaces this version.
pub(crate) fn profile(name: &str, replaces: u32) -> ProfileChange {
    let terms = Terms {
        email: Some(hash(name)),
        ..Terms::default()
    };
    ProfileChange {
        member_id: member_id(name),
        replaces: i64::from(replaces),
        sealed: SealedProfile {
            key_id: "k1".to_owned(),
            wrapped_key: vec![1],
            sealed: SECRET.as_bytes().to_vec(),
            terms,
        },
        actor: "staff".to_owned(),
    }
}

fn side(name: &str) -> Side {
    match name.strip_prefix('@') {
        Some(member) => Side::Member(member_id(member)),
        None if name.contains('/') => Side::Identity(claim(name)),
        None => Side::Card(card_id(name)),
    }
}

/// The member to make for a name; another one if the words say so.
pub(super) fn of(words: &Words<'_>, name: &str) -> Newcomer {
    newcomer(words.get("new").unwrap_or(name))
}

/// `lots=base:100:2026-12-31+ever:50`, and `of=` the card that asks.
fn issue(words: &Words<'_>, name: &str) -> Operation {
    let lots = words
        .get("lots")
        .into_iter()
        .flat_map(|text| text.split('+'));
    let kind = match words.bare.first() {
        Some(&"wallet") => CardKind::Wallet,
        _ => CardKind::Plastic,
    };
    Operation::IssueCard(Box::new(IssueCard {
        card_id: card_id(name),
        key: hash(words.get("key").unwrap_or(name)).to_vec(),
        kind,
        name: "1234".to_owned(),
        asker: words.get("of").map(card_id),
        newcomer: of(words, name),
        lots: lots.map(opening_lot).collect(),
        origin: "import:base.csv".to_owned(),
        actor: "staff".to_owned(),
    }))
}

fn opening_lot(text: &str) -> OpeningLot {
    let mut parts = text.split(':');
    let class = parts.next().expect("a class").to_owned();
    OpeningLot {
        class,
        points: parts.next().map_or(Points::ZERO, points),
        expires_on: parts.next().map(|day| day.parse().unwrap()),
    }
}

/// The kind of identity that a name's first part says, and its issuer.
pub(in super::super) fn kind(name: &str) -> (IdentityKind, String) {
    let (kind, _) = name.split_once('/').expect("kind/name");
    let issuer = |issuer: &str| issuer.to_owned();
    match kind {
        "email" => (IdentityKind::Email, String::new()),
        "phone" => (IdentityKind::Phone, String::new()),
        "ec" => (IdentityKind::EcCustomer, issuer("main")),
        "openid" => (IdentityKind::OpenId, issuer("https://id.example")),
        _ => panic!("{name} is no identity"),
    }
}

/// A claim of the identity of this name.
pub(in super::super) fn claim_of(name: &str) -> Claim {
    let (kind, issuer) = kind(name);
    Claim {
        key: ledger::identity::IdentityKey(hash(name)),
        kind,
        issuer,
        label: format!("{SECRET} {name}"),
    }
}
