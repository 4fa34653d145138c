//! Where there is no PostgreSQL: one loop that writes straight into SQLite the rows that the gateway
//! writes, one transaction for each authorization.
//!
//! It is spared what can be spared: which member and lot belong to a card is known beforehand, and a
//! transaction is one text, prepared once. Like the gateway it syncs at each commit.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    database::{Databases, Which},
    part::{Kind, Meter, Part},
    pgbench::Span,
    written::{Value, Written},
};
use crate::{clock, figures::per_second, load::Moment};

/// Steps from one card to the next: prime, so that all are used and no two beside each other.
const STRIDE: usize = 7_919;

/// The loop, ready to run.
#[derive(Debug)]
pub struct Direct {
    databases: Databases,
    transaction: String,
    cards: Vec<Card>,
}

/// A card with what belongs to it.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Card {
    card_id: i64,
    member_id: Vec<u8>,
    lot_id: Vec<u8>,
}

impl Direct {
    /// Reads the cards.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn prepare(databases: &Databases, written: &Written) -> anyhow::Result<Self> {
        let mut connection = connect(databases, Which::Base).await?;
        let cards = sqlx::query_as(
            "SELECT card_id, member_id, lot_id FROM cards JOIN lots USING (member_id) WHERE is_open",
        )
        .fetch_all(&mut connection)
        .await?;
        connection.close().await?;
        Ok(Self {
            databases: databases.clone(),
            transaction: transaction(written),
            cards,
        })
    }

    /// Runs on a fresh copy of the database.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn run(&self, span: Span) -> anyhow::Result<Part> {
        self.databases.copy(Which::Base, Which::Copy).await?;
        let mut connection = connect(&self.databases, Which::Copy).await?;
        let mut meter = Meter::new(None, None, Some(std::process::id()));
        let mut number = 0;
        self.write(&mut connection, span.warm_up, span.per_s, &mut number)
            .await?;
        meter.note(Moment::Begins);
        let begun = clock::instant();
        let latency_us = self
            .write(&mut connection, span.measured, span.per_s, &mut number)
            .await?;
        let elapsed = begun.elapsed();
        meter.note(Moment::Ended);
        connection.close().await?;
        self.wrote_all(number).await?;
        Ok(Part {
            kind: span.per_s.map_or(Kind::Direct, |_| Kind::DirectAtRate),
            clients: 1,
            requests: latency_us.len(),
            others: BTreeMap::new(),
            per_s: per_second(latency_us.len(), elapsed),
            p50_us: latency_us.value_at_quantile(0.5),
            p99_us: latency_us.value_at_quantile(0.99),
            costs: meter.costs(),
            steal_per_cent: meter.steal_per_cent(),
        })
    }

    /// Each transaction has left its request, and an event that the member's row knows of.
    async fn wrote_all(&self, transactions: i64) -> anyhow::Result<()> {
        let query = "SELECT CAST(count(DISTINCT requests.request_id) AS TEXT) FROM requests \
            JOIN events ON event_id = effect JOIN members ON members.member_id = events.member_id \
            WHERE terminal_id = 'loadtest-0' AND request_id LIKE 'loadtest-request-%' \
            AND member_sequence <= event_sequence";
        let written = self.databases.texts(Which::Copy, query).await?;
        let written = written.first().context("a count")?;
        ensure!(
            *written == transactions.to_string(),
            "{transactions} transactions of the direct writer made {written} requests"
        );
        Ok(())
    }

    /// Writes for so long. At a given rate latency counts from the moment an authorization was due.
    async fn write(
        &self,
        connection: &mut SqliteConnection,
        time: Duration,
        per_s: Option<u32>,
        number: &mut i64,
    ) -> anyhow::Result<Histogram<u64>> {
        let mut latency_us = Histogram::new(3)?;
        let begun = clock::instant();
        let mut due = begun;
        while due.saturating_duration_since(begun) < time {
            match per_s {
                None => due = clock::instant(),
                Some(_) => tokio::time::sleep_until(due.into()).await,
            }
            self.authorize(connection, *number).await?;
            let took = u64::try_from(due.elapsed().as_micros())?;
            latency_us.record(took.max(1))?;
            *number += 1;
            if let Some(per_s) = per_s {
                due += Duration::from_secs(1) / per_s;
            }
        }
        Ok(latency_us)
    }

    async fn authorize(
        &self,
        connection: &mut SqliteConnection,
        number: i64,
    ) -> anyhow::Result<()> {
        let place = usize::try_from(number)?.wrapping_mul(STRIDE) % self.cards.len().max(1);
        let card = self.cards.get(place).context("a card")?;
        // Rises with time and is no id of the gateway's: those begin with the year.
        let id = (0xF << 124) | u128::try_from(number)?;
        sqlx::query(AssertSqlSafe(self.transaction.as_str()))
            .bind(card.card_id)
            .bind(number)
            .bind(card.member_id.as_slice())
            .bind(card.lot_id.as_slice())
            .bind("loadtest-0")
            .bind(format!("loadtest-request-{number}"))
            .bind(id.to_be_bytes().as_slice())
            .bind(clock::now().as_microsecond())
            .execute(connection)
            .await?;
        Ok(())
    }
}

async fn connect(databases: &Databases, which: Which) -> anyhow::Result<SqliteConnection> {
    let file = databases.sqlite(which).context("this needs SQLite")?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    Ok(options.connect().await?)
}

/// All that one authorization writes, in one text.
fn transaction(written: &Written) -> String {
    let term = |value| match value {
        Value::Card => "$1",
        Value::Issued => "$2",
        Value::Member => "$3",
        Value::Lot => "$4",
        Value::Terminal => "$5",
        Value::Request => "$6",
        Value::Id => "$7",
        Value::At => "$8",
        Value::Sequence => "(SELECT event_sequence FROM members WHERE member_id = $3)",
    };
    let mut statements = vec![
        "BEGIN IMMEDIATE".to_owned(),
        format!(
            "UPDATE members SET {} WHERE member_id = $3 AND available >= 1",
            written.member
        ),
        format!("UPDATE lots SET {} WHERE lot_id = $4", written.lot),
    ];
    for made in &written.made {
        let values = made.values.iter();
        let values = values.map(|(column, value)| (column.as_str(), term(*value)));
        let constants = made.constants.iter();
        let constants = constants.map(|(column, literal)| (column.as_str(), literal.as_str()));
        let (columns, terms): (Vec<&str>, Vec<&str>) = values.chain(constants).unzip();
        statements.push(format!(
            "INSERT INTO {} ({}) VALUES ({})",
            made.table,
            columns.join(", "),
            terms.join(", ")
        ));
    }
    statements.push("COMMIT".to_owned());
    statements.join(";\n")
}

#[cfg(test)]
mod tests {
    use super::super::written::Made;
    use super::*;

    #[test]
    fn a_transaction_is_all_of_it() {
        let written = Written {
            made: vec![Made {
                table: "outbox".into(),
                values: vec![
                    ("event_id".into(), Value::Id),
                    ("member_sequence".into(), Value::Sequence),
                ],
                constants: vec![("kind".into(), "'held'".into())],
            }],
            member: "held = held + (1)".into(),
            lot: "held = held + (1)".into(),
        };
        assert_eq!(
            transaction(&written),
            "BEGIN IMMEDIATE;\n\
             UPDATE members SET held = held + (1) WHERE member_id = $3 AND available >= 1;\n\
             UPDATE lots SET held = held + (1) WHERE lot_id = $4;\n\
             INSERT INTO outbox (event_id, member_sequence, kind) VALUES \
             ($7, (SELECT event_sequence FROM members WHERE member_id = $3), 'held');\n\
             COMMIT"
        );
    }
}
