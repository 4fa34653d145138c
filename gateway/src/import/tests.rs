use std::{fmt::Write as _, fs, sync::Arc};

use jiff::Timestamp;
use ledger::{
    command::{Activation, Command, Operation},
    decision::Answer,
    programme::Programme,
};
use pos_protocol::CommandId;
use tempfile::TempDir;

use super::*;
use crate::{
    claims,
    clock::Clock,
    programme_file,
    secrets::Secrets,
    store::{DatabaseUrl, PoolSizes, Store},
    writer::{Lanes, Writer, WriterOptions},
};

const RANGES: &str = "[cards]\n\
    plastic = [{ from = \"2999000000000\", to = \"2999999999999\" }, { from = \"100000\", to = \"199999\", check = \"luhn\" }]\n\
    apple_range = { from = \"29800000000000\", to = \"29899999999999\", check = \"luhn\" }\n";

/// A database with a programme, and a directory for files.
struct Bench {
    directory: TempDir,
    store: Store,
    writer: Writer,
    clock: Clock,
    secrets: Secrets,
    programme: Arc<Programme>,
    _lanes: Lanes,
}

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("points.db"));
        let store = Store::open(&url, PoolSizes::default()).await.unwrap();
        store.migrate().await.unwrap();
        let start: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let clock = Clock::manual(start);
        let options = WriterOptions {
            answer_deadline: Duration::from_secs(60),
            ..WriterOptions::for_store(&store)
        };
        let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
        let source = format!("{}\n{RANGES}", programme_file::DEMO);
        let programme = Arc::new(programme_file::parse("demo.toml", &source).unwrap());
        let activation = Activation {
            replaces: 0,
            programme: programme.clone(),
            source,
            actor: "test".into(),
        };
        let command = Command {
            id: CommandId::new(clock.new_id()),
            operation: Operation::ActivateProgramme(Box::new(activation)),
        };
        let answer = writer.submit(command, None).await.unwrap();
        assert_eq!(answer, Answer::ProgrammeActivated { version: 1 });
        let path = directory.path().join("secrets.toml");
        fs::write(&path, Secrets::fresh().unwrap().as_str()).unwrap();
        Self {
            secrets: Secrets::read(&path).unwrap(),
            directory,
            store,
            writer,
            clock,
            programme,
            _lanes: lanes,
        }
    }

    fn intake(&self) -> Intake<'_> {
        Intake {
            store: &self.store,
            writer: &self.writer,
            clock: &self.clock,
            secrets: &self.secrets,
            programme: &self.programme,
            origin: "import:base.csv",
            actor: "test",
            dry_run: false,
        }
    }

    fn order(&self, text: &str) -> Order {
        let file = self.directory.path().join("base.csv");
        fs::write(&file, text).unwrap();
        Order {
            file,
            options: Options::default(),
            report: self.directory.path().join("report.csv"),
            resume: false,
        }
    }

    fn report(&self) -> String {
        fs::read_to_string(self.directory.path().join("report.csv")).unwrap()
    }

    /// Rows of a table, and the sum of a column.
    async fn sum(&self, table: &str, column: &str) -> (i64, i64) {
        let Store::Sqlite { read, .. } = &self.store else {
            panic!("opened as SQLite")
        };
        let text = format!("SELECT count(*), coalesce(sum({column}), 0) FROM {table}");
        let query = sqlx::query_as(sqlx::AssertSqlSafe(text));
        query.fetch_one(read).await.unwrap()
    }

    async fn points_of(&self, number: &str) -> i64 {
        let card = claims::plastic(&self.secrets.index, number);
        let cards = self.store.cards(&[card.card_id].into()).await.unwrap();
        let record = self.store.member(cards[0].member_id).await.unwrap();
        record.unwrap().member.available.get()
    }
}

const MIXED: &str = "\
card_number,balance,expires_on,class,name,email,shop
2999000000001,120,2027-03-31,,山田太郎,taro@example.jp,1
2999000000002,50,2026-11-21,bonus,,,1
2999000000003,70,,gold,,,1
4999000000004,10,,,,,1
70020000000000000000,10,,,,,1
29800000000000,10,,,,,1
100000,10,,,,,1
2999000000005,30,,,花子,not-an-address,1
2999000000001,99,,,,,2
2999000000006,1.5,,,,,1
2999-0000-0000-7,0,,,,,1
";

const TOLD: &str = "\
line,row,field,reason,detail
3,2,expires_on,lapsed,the last day of points has passed; they lapse at once
4,3,class,unknown_class,the programme has no such class of points
5,4,card_number,number_outside_ranges,the card number lies in no range of the programme (cards.plastic)
6,5,card_number,number_reserved,\"the card number begins with 7001, 7002 or 7003, which are this system's own\"
7,6,card_number,number_reserved,the card number lies in the range of wallet passes
8,7,card_number,number_check_digit,the last digit of the card number is not what its range says
9,8,email,profile_rejected,the card is taken without the profile: email is not an e-mail address
10,9,card_number,number_twice,\"the card number has come before, first in line 2\"
11,10,balance,points_fraction,the points have decimals
";

#[tokio::test]
async fn each_row_is_taken_or_told() {
    let bench = Bench::new().await;
    let order = bench.order(MIXED);
    let dry = Intake {
        dry_run: true,
        ..bench.intake()
    };
    let foretold = run(&dry, &order, |_| {}).await.unwrap();
    assert_eq!(bench.sum("members", "0").await.0, 0);
    let tally = run(&bench.intake(), &order, |_| {}).await.unwrap();
    assert_eq!(foretold, tally);
    assert_eq!(bench.report(), TOLD);
    let sums = (tally.rows, tally.imported, tally.already_there);
    assert_eq!((sums, tally.left_out), ((11, 4, 0), 7));
    assert_eq!((tally.points, tally.profiles), (200, 1));
    assert_eq!(tally.unknown_columns, ["shop"]);
    assert_eq!(bench.points_of("2999000000001").await, 120);
    // What was past its day lapsed at once.
    assert_eq!(bench.points_of("2999000000002").await, 0);
    assert_eq!(bench.sum("profiles", "version").await, (1, 1));

    let again = run(&bench.intake(), &order, |_| {}).await.unwrap();
    assert_eq!((again.imported, again.already_there), (0, 4));
    assert_eq!((again.points, again.profiles), (0, 0));
    assert_eq!(bench.sum("members", "available").await, (4, 150));
    assert_eq!(bench.sum("profiles", "version").await, (1, 1));
}

/// Every tenth row has no points that can be read.
fn many(rows: u32) -> String {
    let mut text = String::from("card_number,balance,name\n");
    for row in 1..=rows {
        let balance = if row % 10 == 0 { "x" } else { "3" };
        writeln!(text, "2999{row:09},{balance},N{row}").unwrap();
    }
    text
}

#[tokio::test]
async fn a_run_that_broke_off_goes_on_and_counts_nothing_twice() {
    let bench = Bench::new().await;
    let whole = bench.order(&many(2_500));
    let broken_off = |rows_max| Order {
        options: Options {
            rows_max,
            ..Options::default()
        },
        ..whole.clone()
    };
    let resumed = |order: Order| Order {
        resume: true,
        ..order
    };
    // It breaks off before the first position, then after one, each time with rows under way.
    let failed = run(&bench.intake(), &broken_off(700), |_| {}).await;
    assert!(matches!(failed, Err(ImportError::Read(..))), "{failed:?}");
    let anew = run(&bench.intake(), &whole, |_| {}).await.unwrap_err();
    assert!(anew.to_string().contains("--resume"), "{anew}");
    let failed = run(&bench.intake(), &resumed(broken_off(1_800)), |_| {}).await;
    assert!(matches!(failed, Err(ImportError::Read(..))), "{failed:?}");
    let tally = run(&bench.intake(), &resumed(whole.clone()), |_| {})
        .await
        .unwrap();

    assert_eq!((tally.rows, tally.left_out), (2_500, 250));
    assert_eq!(tally.imported + tally.already_there, 2_250);
    assert!(tally.already_there > 0, "nothing was under way");
    assert_eq!(bench.sum("members", "available").await, (2_250, 6_750));
    assert_eq!(bench.sum("cards", "0").await.0, 2_250);
    assert_eq!(bench.sum("profiles", "version").await, (2_250, 2_250));
    let report = bench.report();
    let told: Vec<&str> = report.lines().skip(1).collect();
    assert_eq!(told.len(), 250);
    for (place, line) in told.iter().enumerate() {
        let row = (place + 1) * 10;
        assert!(
            line.starts_with(&format!("{},{row},balance,", row + 1)),
            "{line}"
        );
    }
    // Nothing is left beside the report: it may be run anew.
    assert!(run(&bench.intake(), &whole, |_| {}).await.is_ok());
}

#[tokio::test]
async fn another_file_is_not_gone_on_with() {
    let bench = Bench::new().await;
    let order = Order {
        options: Options {
            rows_max: 1_800,
            ..Options::default()
        },
        ..bench.order(&many(2_000))
    };
    run(&bench.intake(), &order, |_| {}).await.unwrap_err();
    let other = bench.order(&many(2_000).replace("N500", "N5"));
    let other = Order {
        resume: true,
        ..other
    };
    let refused = run(&bench.intake(), &other, |_| {}).await.unwrap_err();
    assert!(
        refused.to_string().contains("not the same file"),
        "{refused}"
    );
}
