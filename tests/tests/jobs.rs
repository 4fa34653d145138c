//! Jobs: what happens without anybody asking.

use std::{sync::Arc, time::Duration};

use acceptance::{databases::Database, on_each_database};
use gateway::{
    clock::Clock,
    jobs::sweep::{Round, Sweep},
    programme_file,
    writer::{Writer, WriterOptions},
};
use jiff::SignedDuration;
use ledger::{
    card_use::{CardProof, Till},
    command::{Activation, Adjustment, Ask, Command, Direction, Enrol, Operation, PosCommand},
    decision::Answer,
    lot::Scope,
    member::MemberNo,
};
use member_card::{SigningKey, SpendLimit};
use pos_protocol::{BasketId, CommandId, MemberId, Points, RequestId, StoreId, TerminalId};
use tokio_util::sync::CancellationToken;

on_each_database!(the_sweep_settles_what_is_due_and_then_finds_nothing);

const MEMBERS: u8 = 20;

async fn submit(writer: &Writer, clock: &Clock, operation: Operation) -> Answer {
    let id = CommandId::new(clock.new_id());
    let command = Command { id, operation };
    writer.submit(command, None).await.unwrap()
}

/// A member with points of class `bonus`, all of them but ten held for a basket.
async fn hold(writer: &Writer, clock: &Clock, number: u8) -> MemberId {
    let key = SigningKey::from_hex(&format!("{:064x}", u32::from(number) + 1)).unwrap();
    let member_id = MemberId::new(clock.new_id());
    let enrol = Operation::Enrol(Enrol {
        card_id: key.card_id(),
        public_key: key.public_key().to_sec1().to_vec(),
        member_id,
        member_no: MemberNo::from_seed(number.into()),
    });
    submit(writer, clock, enrol).await;
    let grant = Operation::Adjust(Adjustment {
        member_id,
        direction: Direction::Grant,
        points: Points::new(110).unwrap(),
        class: "bonus".into(),
        scope: Scope::default(),
        reason: "test".into(),
        actor: "test".into(),
    });
    assert_eq!(submit(writer, clock, grant).await, Answer::Done);
    let ask = Operation::Pos(PosCommand {
        till: Till {
            terminal_id: TerminalId::new("till-1").unwrap(),
            store_id: StoreId::new("store-1").unwrap(),
        },
        request_id: RequestId::new(&format!("hold-{number}")).unwrap(),
        fingerprint: [0; 32],
        ask: Ask::Authorization {
            basket_id: BasketId::new(&format!("basket-{number}")).unwrap(),
            card: CardProof::Text {
                card_id: key.card_id(),
                issued_at: u32::try_from(clock.now().as_second()).unwrap(),
                spend: SpendLimit::Unlimited,
            },
            points: Points::new(100).unwrap(),
        },
    });
    let Answer::Message(text) = submit(writer, clock, ask).await else {
        panic!("no answer");
    };
    assert!(text.contains("\"approved\""), "{text}");
    member_id
}

async fn the_sweep_settles_what_is_due_and_then_finds_nothing(database: Database) {
    let store = database.migrated().await;
    let clock = Clock::manual("2026-11-22T03:00:00Z".parse().unwrap());
    let options = WriterOptions {
        answer_deadline: Duration::from_secs(60),
        ..WriterOptions::for_store(&store)
    };
    let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
    let sweep = Sweep {
        store: store.clone(),
        writer: writer.clone(),
        clock: clock.clone(),
        every: Duration::from_millis(1),
    };
    assert_eq!(sweep.round().await.unwrap(), Round::default());
    let programme = programme_file::parse("demo", programme_file::DEMO).unwrap();
    let activation = Operation::ActivateProgramme(Box::new(Activation {
        replaces: 0,
        programme: Arc::new(programme),
        source: programme_file::DEMO.into(),
        actor: "test".into(),
    }));
    submit(&writer, &clock, activation).await;
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        members.push(hold(&writer, &clock, number).await);
    }
    // Not yet.
    assert_eq!(sweep.round().await.unwrap(), Round::default());
    let points = async |member_id| {
        let member = store.member(member_id).await.unwrap().unwrap().member;
        (member.available.get(), member.held.get(), member.open_holds)
    };
    assert_eq!(points(members[0]).await, (10, 100, 1));
    // Holds run out.
    clock.advance(SignedDuration::from_mins(31));
    let all = u32::from(MEMBERS);
    assert_eq!(
        sweep.round().await.unwrap(),
        Round {
            due: all,
            swept: all
        }
    );
    assert_eq!(points(members[0]).await, (110, 0, 0));
    assert_eq!(sweep.round().await.unwrap(), Round::default());
    // Lots pass their last day; this time the job runs by itself.
    clock.advance(SignedDuration::from_hours(24 * 200));
    let stop = CancellationToken::new();
    let job = tokio::spawn(sweep.run(stop.clone()));
    for member_id in members {
        while points(member_id).await != (0, 0, 0) {
            tokio::task::yield_now().await;
        }
    }
    stop.cancel();
    job.await.unwrap();
    drop(writer);
    lanes.drained().await;
    let report = gateway::audit::run(&store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.first);
    store.close().await;
}
