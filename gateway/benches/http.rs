//! What the front door costs in process: router, layers, and a till's token that was seen before.
//!
//! `cargo bench -p gateway --bench http`

#[path = "instructions/door.rs"]
mod door;
#[allow(
    dead_code,
    reason = "shared with the bench `instructions`, which needs more of it"
)]
#[path = "instructions/gateway_here.rs"]
mod gateway_here;
#[allow(
    dead_code,
    reason = "shared with the bench `instructions`, which needs more of it"
)]
#[path = "instructions/shop.rs"]
mod shop;

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use door::Door;

fn open(directory: &Path) -> anyhow::Result<Door> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(shop::prepare(directory, 0))?;
    Door::open(directory)
}

fn front_door(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let door = open(directory.path()).expect("a gateway on SQLite");
    let mut group = c.benchmark_group("door");
    group.bench_function("open to everybody", |b| b.iter(|| door.call(door::OPEN)));
    group.bench_function("a till's token", |b| b.iter(|| door.call(door::TILL)));
    group.finish();
}

criterion_group!(benches, front_door);
criterion_main!(benches);
