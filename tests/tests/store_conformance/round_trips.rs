//! What a batch costs on PostgreSQL: round trips, counted between the gateway and the server.

use std::{
    collections::BTreeSet,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use acceptance::databases::{Database, Engine};
use gateway::{
    clock::Clock,
    store::{DatabaseUrl, PoolSizes, Store},
    writer::{Writer, WriterOptions},
};
use ledger::{
    card_use::{CardProof, Till},
    command::{Ask, Command, Operation, PosCommand},
    decide,
    decision::Answer,
    keys::Keys,
    state::Changes,
};
use member_card::SpendLimit;
use pos_protocol::CommandId;
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

use crate::samples::*;

/// Stands between client and server and counts what the client waits for, transaction by transaction.
struct Counter {
    url: DatabaseUrl,
    /// Round trips of each transaction that sent its COMMIT, `BEGIN` and `COMMIT` among them.
    counts: Counts,
}

type Counts = Arc<Mutex<Vec<u32>>>;

impl Counter {
    async fn before(database: &Database) -> Self {
        let server = PgConnectOptions::from_str(database.url()).unwrap();
        let place = (server.get_host().to_owned(), server.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = server
            .host("127.0.0.1")
            .port(port)
            .ssl_mode(sqlx::postgres::PgSslMode::Disable);
        let counts = Counts::default();
        let counted = counts.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(place.clone()).await.unwrap();
                let (mut answers, requests) = server.into_split();
                let (from_client, mut to_client) = client.into_split();
                tokio::spawn(forward(from_client, requests, counted.clone()));
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut to_client).await });
            }
        });
        Self {
            url: DatabaseUrl::from_str(url.to_url_lossy().as_ref()).unwrap(),
            counts,
        }
    }
}

/// Forwards the client's messages; counts each that asks the server to answer all before it.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    counts: Counts,
) -> std::io::Result<()> {
    let mut kind = None; // the first message has none
    let mut count = 0;
    loop {
        let length = from.read_u32().await?;
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        from.read_exact(&mut body).await?;
        if kind == Some(b'Q') && body.starts_with(b"BEGIN") {
            count = 0;
        }
        if matches!(kind, Some(b'Q' | b'S')) {
            count += 1;
        }
        if kind == Some(b'Q') && body.starts_with(b"COMMIT") {
            counts.lock().unwrap().push(count);
        }
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend(length.to_be_bytes());
        message.extend(body);
        to.write_all(&message).await?;
        kind = Some(from.read_u8().await?);
    }
}

fn authorize(round: u32, number: u128) -> Command {
    Command {
        id: CommandId::new(uuid(u128::from(round) << 32 | number << 16)),
        operation: Operation::Pos(PosCommand {
            till: Till {
                terminal_id: terminal("till-1"),
                store_id: shop("ginza"),
            },
            request_id: request_id(&format!("r{round}-{number}")),
            fingerprint: [1; 32],
            ask: Ask::Authorization {
                basket_id: basket(&format!("b{round}-{number}")),
                card: CardProof::Text {
                    card_id: card_id(u64::try_from(number).unwrap()),
                    issued_at: 1_790_000_000 + round,
                    spend: SpendLimit::Unlimited,
                },
                points: points(1),
            },
        }),
    }
}

/// Two members are one person: the card of each spends the points of both.
fn merged_pairs(shoppers: u128) -> Changes {
    let merged = |number: u128| {
        let mut row = member(number);
        row.available = points(1_000);
        if number % 2 == 1 {
            row.merged = BTreeSet::from([member_id(number + 1)]);
        } else {
            row.merged_into = Some(member_id(number - 1));
        }
        row
    };
    Changes {
        cards: made(
            (1..=shoppers).map(|n| card(u64::try_from(n).unwrap(), member_id(n))),
            |row| row.id,
        ),
        lots: made((1..=shoppers).map(|n| lot(n, member_id(n), 1_000)), |row| {
            (row.member_id, row.id)
        }),
        ..with_members((1..=shoppers).map(merged))
    }
}

/// One batch, as the writer runs it: every member is known beforehand.
async fn run(store: &Store, commands: &[Command], members: &BTreeSet<pos_protocol::MemberId>) {
    let mut keys = Keys::default();
    commands
        .iter()
        .for_each(|command| keys.add(command, time(0)));
    let mut batch = store.begin(members).await.unwrap();
    let mut state = batch.load(&mut keys).await.unwrap();
    assert_eq!(batch.unlocked(&state), BTreeSet::new());
    let mut changes = Changes::default();
    for command in commands {
        let decision = decide(&state, command, time(0));
        assert!(
            matches!(&decision.answer, Answer::Message(_))
                && !decision.changes.authorizations.is_empty(),
            "{:?}",
            decision.answer
        );
        state.apply(&decision.changes);
        changes.absorb(decision.changes);
    }
    batch.write(&changes).await.unwrap();
    batch.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merged_members_cost_no_round_trip_more() {
    const SHOPPERS: u128 = 20;
    let database = Database::create(Engine::Postgres).await;
    let store = seeded(&database).await;
    commit(&store, &merged_pairs(SHOPPERS)).await;
    let counter = Counter::before(&database).await;
    let sizes = PoolSizes { write: 1, read: 1 };
    let store = Store::open(&counter.url, sizes).await.unwrap();
    let clock = Clock::system();
    let options = WriterOptions {
        lanes: 1,
        answer_deadline: Duration::from_secs(60),
        ..WriterOptions::for_store(&store)
    };
    let (writer, lanes) = Writer::start(&store, clock, &options);
    let now = u32::try_from(Clock::system().now().as_second()).unwrap();
    for round in 0..6 {
        // Only the aliases show their cards, and only they are known beforehand.
        let aliases = (1..=SHOPPERS / 2).map(|pair| 2 * pair);
        let answers = aliases.map(|alias| {
            let mut command = authorize(round, alias);
            if let Operation::Pos(pos) = &mut command.operation {
                pos.ask = spend(alias, round, now - round);
            }
            writer.submit(command, Some(member_id(alias)))
        });
        for answer in futures_util::future::join_all(answers).await {
            let Ok(Answer::Message(answer)) = answer else {
                panic!("{answer:?}")
            };
            assert!(answer.contains("approved"), "{answer}");
        }
    }
    drop(writer);
    lanes.drained().await;
    let counts = counter.counts.lock().unwrap().clone();
    assert_eq!(counts.last(), Some(&5), "{counts:?}");
}

/// A card that is fresh now. The older lot pays first, and that is the other record's.
fn spend(number: u128, round: u32, issued_at: u32) -> Ask {
    Ask::Authorization {
        basket_id: basket(&format!("b{round}-{number}")),
        card: CardProof::Text {
            card_id: card_id(u64::try_from(number).unwrap()),
            issued_at,
            spend: SpendLimit::Unlimited,
        },
        points: points(30),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_authorizations_takes_few_round_trips_however_many_they_are() {
    const SHOPPERS: u128 = 36;
    let database = Database::create(Engine::Postgres).await;
    let store = seeded(&database).await;
    let changes = Changes {
        cards: made(
            (1..=SHOPPERS).map(|n| card(u64::try_from(n).unwrap(), member_id(n))),
            |row| row.id,
        ),
        lots: made((1..=SHOPPERS).map(|n| lot(n, member_id(n), 100)), |row| {
            (row.member_id, row.id)
        }),
        ..with_members((1..=SHOPPERS).map(member))
    };
    commit(&store, &changes).await;

    let counter = Counter::before(&database).await;
    let sizes = PoolSizes { write: 1, read: 1 };
    let store = Store::open(&counter.url, sizes).await.unwrap();
    let members: BTreeSet<_> = changes.members.keys().copied().collect();
    for round in 0..4 {
        let shoppers = if round == 3 { 1 } else { SHOPPERS };
        let commands: Vec<_> = (1..=shoppers)
            .map(|number| authorize(round, number))
            .collect();
        run(&store, &commands, &members).await;
    }
    let counts = counter.counts.lock().unwrap().clone();
    // BEGIN, lock, read, write, COMMIT. The first batch prepares the statements, the second the one that
    // reads open holds as well.
    assert_eq!(counts.get(2..), Some([5, 5].as_slice()), "{counts:?}");
}
