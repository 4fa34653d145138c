//! What deciding costs: one command of each kind over the rows a store would load for it, and a batch
//! of 32 as the writer folds it.
//!
//! `cargo bench -p ledger`

mod shop;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ledger::{command::Command, decide};
use shop::{Shop, fold, is_approved};

const BATCH: u64 = 32;
const MEMBERS: u64 = 2 * BATCH;

fn one(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    type Make = fn(&mut Shop, u64) -> Command;
    let kinds: [(&str, Make); 3] = [
        ("authorization", Shop::authorization),
        ("purchase", Shop::purchase),
        ("refund", Shop::refund),
    ];
    for (name, make) in kinds {
        let mut shop = Shop::open(MEMBERS);
        let command = make(&mut shop, 7);
        let state = match name {
            // What a refund reads has a history.
            "refund" => shop.state.clone(),
            _ => shop.loaded(std::slice::from_ref(&command)),
        };
        assert!(is_approved(&decide(&state, &command, shop.now).answer));
        group.bench_function(name, |b| {
            b.iter(|| decide(black_box(&state), black_box(&command), shop.now));
        });
    }
    group.finish();
}

fn batch(c: &mut Criterion) {
    let mut shop = Shop::open(MEMBERS);
    let commands: Vec<Command> = (0..BATCH)
        .map(|member| shop.authorization(member))
        .collect();
    let state = shop.loaded(&commands);
    c.bench_function("fold 32 authorizations", |b| {
        b.iter(|| fold(black_box(&state), black_box(&commands), shop.now));
    });
}

criterion_group!(benches, one, batch);
criterion_main!(benches);
