//! Two members with a thousand lots each become one, and nobody else waits. How long it took is printed.

use std::{sync::Arc, time::Duration};

use acceptance::databases::{Database, Engine};
use gateway::clock;
use ledger::{
    command::{Enrol, IssueCard, Merging, OpeningLot, Operation, Unmerging},
    decision::Answer,
    identity::Newcomer,
    member::{CardKind, MemberNo},
};
use member_card::{CardId, SigningKey};
use pos_protocol::{MemberId, Points};

use crate::{Gateway, in_force};

const LOTS: u32 = 1_000;
const MERGES: u32 = 9;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lots_each_on_postgres() {
    merge(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lots_each_on_sqlite() {
    merge(Engine::Sqlite).await;
}

async fn merge(engine: Engine) {
    let database = Database::create(engine).await;
    let gateway = Arc::new(Gateway::start(&database).await);
    in_force(&gateway).await;
    let members = [1, 2].map(|_| MemberId::new(gateway.clock.new_id()));
    for (number, member_id) in (1..).zip(members) {
        let Answer::Enrolled { .. } = gateway.submit(with_lots(number, member_id)).await else {
            panic!("not issued")
        };
    }
    let bystander = tokio::spawn(stand_by(gateway.clone()));
    let (mut merges, mut unmerges) = (Vec::new(), Vec::new());
    for _ in 0..MERGES {
        let began = clock::instant();
        let merged = gateway.submit(Operation::Merge(Box::new(Merging {
            member_id: members[1],
            into: members[0],
            reason: "measured".to_owned(),
            actor: "test".to_owned(),
        })));
        assert!(matches!(merged.await, Answer::Linked { .. }));
        merges.push(began.elapsed());
        let began = clock::instant();
        let parted = gateway.submit(Operation::Unmerge(Box::new(Unmerging {
            member_id: members[1],
            reason: "measured".to_owned(),
            actor: "test".to_owned(),
        })));
        assert_eq!(parted.await, Answer::Done);
        unmerges.push(began.elapsed());
    }
    let mut waits = bystander.await.expect("nobody else failed");
    for (what, times) in [
        ("a merge", &mut merges),
        ("an unmerge", &mut unmerges),
        ("somebody else meanwhile", &mut waits),
    ] {
        times.sort_unstable();
        println!(
            "{engine:?}: {what} {:?} (median), {:?} (longest)",
            times[times.len() / 2],
            times[times.len() - 1]
        );
    }
}

/// A card that brings lots along, each with a last day of its own.
fn with_lots(number: u64, member_id: MemberId) -> Operation {
    let key = [u8::try_from(number).unwrap(); 32];
    let first = "2027-01-01".parse::<jiff::civil::Date>().unwrap();
    let lots = (0..LOTS).map(|day| OpeningLot {
        points: Points::new(10).unwrap(),
        class: "base".to_owned(),
        expires_on: Some(first.saturating_add(jiff::Span::new().days(i64::from(day)))),
    });
    Operation::IssueCard(Box::new(IssueCard {
        card_id: CardId::of_number(&key),
        key: key.to_vec(),
        kind: CardKind::Plastic,
        name: "****".to_owned(),
        asker: None,
        newcomer: Newcomer {
            member_id,
            member_no: MemberNo::from_seed(number),
        },
        lots: lots.collect(),
        origin: "import:test".to_owned(),
        actor: "test".to_owned(),
    }))
}

/// Enrols one phone after the other, as long as merges may go on; says how long each took.
async fn stand_by(gateway: Arc<Gateway>) -> Vec<Duration> {
    let mut waits = Vec::new();
    for number in 0..u64::from(MERGES) * 4 {
        let key = SigningKey::from_hex(&format!("{:064x}", number + 1)).unwrap();
        let began = clock::instant();
        let answer = gateway.submit(Operation::Enrol(Enrol {
            card_id: key.card_id(),
            public_key: key.public_key().to_sec1().to_vec(),
            member_id: MemberId::new(gateway.clock.new_id()),
            member_no: MemberNo::from_seed(100 + number),
        }));
        assert!(matches!(answer.await, Answer::Enrolled { .. }));
        waits.push(began.elapsed());
    }
    waits
}
