//! A database with a till, members and points, and card texts that are each used once.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use gateway::{
    clock::Clock,
    programme_file,
    store::{ClientScope, ClientSecret, NewClient, PoolSizes, Store},
    writer::{Writer, WriterOptions},
};
use jiff::Timestamp;
use ledger::{
    command::{Activation, Adjustment, Command, Direction, Enrol, Operation},
    lot::Scope,
    member::MemberNo,
    programme::Seconds,
};
use member_card::{CardFields, ProgrammeId, SigningKey, SpendLimit};
use pos_protocol::{CommandId, MemberId, Points, StoreId, TerminalId};
use sqlx::{
    ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use uuid::Uuid;

/// Requests that are sent at once, at most.
pub(crate) const WAVE_MAX: usize = 32;
/// Members, each of whom shows a genuine card once: a member has one hold at a time.
pub(crate) const MEMBERS: u32 = 352;

pub(crate) const CLIENT: &str = "till-1";
pub(crate) const SECRET: &str = "till-1-secret";

/// When everything here happens.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_795_316_400).unwrap_or_default()
}

/// The store in this directory.
pub(crate) async fn store(directory: &Path) -> Result<Store> {
    rehearse(&directory.join("gateway.db")).await?;
    let url = format!("sqlite://{}", directory.join("gateway.db").display());
    Ok(Store::open(&url.parse()?, PoolSizes::default()).await?)
}

/// Opens and reads a database once without the store, which gives up after less than a second: valgrind
/// takes that long for code it has not seen yet.
async fn rehearse(file: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let mut connection = options.connect().await?;
    sqlx::query("SELECT count(*), max(name) FROM sqlite_schema WHERE name > $1 ORDER BY name")
        .bind("a")
        .fetch_all(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// Makes database and texts.
pub(crate) async fn prepare(directory: &Path, members: u32) -> Result<()> {
    let store = store(directory).await?;
    store.migrate().await?;
    let clock = Clock::manual(start());
    open_shop(&store, clock.now()).await?;
    let options = WriterOptions {
        answer_deadline: Duration::from_secs(600),
        ..WriterOptions::for_store(&store)
    };
    let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
    let send = async |id: Uuid, operation| {
        let id = CommandId::new(id);
        writer.submit(Command { id, operation }, None).await
    };
    send(
        clock.new_id(),
        Operation::ActivateProgramme(Box::new(programme()?)),
    )
    .await?;
    let mut texts = (String::new(), String::new());
    for number in 0..members {
        let key = phone(number)?;
        let member_id = MemberId::new(id(number, 0));
        send(
            id(number, 1),
            Operation::Enrol(enrol(&key, member_id, number)),
        )
        .await?;
        send(id(number, 2), Operation::Adjust(grant(member_id)?)).await?;
        for (texts, programme) in [(&mut texts.0, "another"), (&mut texts.1, "demo")] {
            texts.push_str(&text(&key, programme)?);
            texts.push('\n');
        }
    }
    drop(writer);
    lanes.drained().await;
    store.close().await;
    std::fs::write(directory.join("forged"), texts.0)?;
    std::fs::write(directory.join("genuine"), texts.1)?;
    Ok(())
}

async fn open_shop(store: &Store, now: Timestamp) -> Result<()> {
    let shop = StoreId::new("ginza")?;
    let terminal = TerminalId::new("ginza-1")?;
    store.create_store(&shop, "Ginza", now).await?;
    store.create_terminal(&terminal, &shop, now).await?;
    let client = NewClient {
        id: CLIENT,
        secret: &ClientSecret::given(SECRET),
        scopes: &[ClientScope::Pos].into(),
        terminal: Some(&terminal),
        shop: None,
        role: None,
    };
    store.create_client(&client, now).await?;
    Ok(())
}

fn programme() -> Result<Activation> {
    let mut programme = programme_file::parse("demo.toml", programme_file::DEMO)?;
    programme.cards.fresh_before_seconds = Seconds::new(3_600).context("in range")?;
    Ok(Activation {
        replaces: 0,
        programme: Arc::new(programme),
        source: programme_file::DEMO.to_owned(),
        actor: "bench".to_owned(),
    })
}

/// Ids as the edge makes them: time first, the low 16 bits free.
fn id(member: u32, which: u32) -> Uuid {
    let milliseconds = u128::try_from(start().as_millisecond()).unwrap_or_default();
    let count = u128::from(member) * 4 + u128::from(which);
    Uuid::from_u128((milliseconds << 80) | (7 << 76) | (2 << 62) | (count << 16))
}

/// A phone with the same key in every run.
pub(crate) fn phone(number: u32) -> Result<SigningKey> {
    let bits = (u128::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Ok(SigningKey::from_hex(&format!(
        "{:032x}{bits:032x}",
        bits >> 1
    ))?)
}

fn enrol(key: &SigningKey, member_id: MemberId, number: u32) -> Enrol {
    Enrol {
        card_id: key.card_id(),
        public_key: key.public_key().to_sec1().to_vec(),
        member_id,
        member_no: MemberNo::from_seed(u64::from(number)),
    }
}

fn grant(member_id: MemberId) -> Result<Adjustment> {
    Ok(Adjustment {
        member_id,
        direction: Direction::Grant,
        points: Points::new(1_000)?,
        class: "base".to_owned(),
        scope: Scope::default(),
        reason: "bench".to_owned(),
        actor: "bench".to_owned(),
    })
}

pub(crate) fn text(key: &SigningKey, programme: &str) -> Result<String> {
    let fields = CardFields {
        issued_at: u32::try_from(start().as_second())?,
        spend: SpendLimit::Unlimited,
    };
    let programme = ProgrammeId::new(programme)?;
    Ok(key.sign(fields, &programme)?.to_digits())
}

/// The texts of a prepared directory.
pub(crate) struct Requests {
    forged: Vec<String>,
    genuine: Vec<String>,
}

impl Requests {
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        let lines = |name: &str| -> Result<Vec<String>> {
            let text = std::fs::read_to_string(directory.join(name))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        Ok(Self {
            forged: lines("forged")?,
            genuine: lines("genuine")?,
        })
    }

    /// A forged text of every card, and genuine ones: one wave that does not count, and `count`.
    pub(crate) fn split(&self, count: usize) -> Result<(&[String], &[String])> {
        let genuine = self.genuine.get(..WAVE_MAX + count);
        let genuine = genuine.context("there are not that many members")?;
        Ok((&self.forged, genuine))
    }
}
