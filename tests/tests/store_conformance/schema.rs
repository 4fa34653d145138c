//! Migrations and statements.

use acceptance::{databases::Database, on_each_database};
use gateway::store::{PoolSizes, SchemaState, Store};

on_each_database!(
    an_empty_database_gets_every_migration_once,
    a_database_of_a_newer_program_is_left_alone,
    a_migration_applied_with_another_text_is_noticed,
    every_statement_is_understood,
);

async fn an_empty_database_gets_every_migration_once(database: Database) {
    let store = database.open(PoolSizes::default()).await;
    let all = match store.schema_state().await.unwrap() {
        SchemaState::Behind(all) => all,
        other => panic!("an empty database is {other:?}"),
    };
    assert_eq!(all.first(), Some(&1));
    let applied = store.migrate().await.unwrap();
    let numbers: Vec<_> = applied.iter().map(|done| done.version).collect();
    assert_eq!(numbers, all);
    assert_eq!(
        applied.first().map(|done| done.name.as_str()),
        Some("ledger")
    );
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::UpToDate);
    assert_eq!(store.migrate().await.unwrap(), []);
}

async fn execute(store: &Store, text: &'static str) {
    match store {
        Store::Postgres { write, .. } => sqlx::raw_sql(text).execute(write).await.map(drop),
        Store::Sqlite { write, .. } => sqlx::raw_sql(text).execute(write).await.map(drop),
    }
    .unwrap();
}

async fn a_database_of_a_newer_program_is_left_alone(database: Database) {
    let store = database.migrated().await;
    execute(
        &store,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    assert_eq!(
        store.schema_state().await.unwrap(),
        SchemaState::Ahead(vec![9999])
    );
    let refused = store.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("9999"), "{refused}");
}

async fn a_migration_applied_with_another_text_is_noticed(database: Database) {
    let store = database.migrated().await;
    execute(&store, "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations ORDER BY version DESC LIMIT 1) || checksum WHERE version = 1").await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Altered(1));
    store.migrate().await.unwrap_err();
}

async fn every_statement_is_understood(database: Database) {
    let store = database.migrated().await;
    assert!(store.check_statements().await.unwrap() > 60);
}
