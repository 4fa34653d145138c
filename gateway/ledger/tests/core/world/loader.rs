//! What a database does for a batch: load the rows that the keys name, and no others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::{
    command::Command,
    keys::Keys,
    lot::{Lot, Pending},
    records::{Authorization, HoldState},
    state::State,
};

/// The rows that a store would load, from all there are, for commands that are decided at these times.
pub(crate) fn load<'a>(
    all: &State,
    commands: impl IntoIterator<Item = (&'a Command, Timestamp)>,
) -> State {
    let mut keys = Keys::default();
    for (command, now) in commands {
        keys.add(command, now);
    }
    loop {
        let loaded = named(all, &keys);
        let before = keys.clone();
        keys.follow(&loaded);
        if keys == before {
            return loaded;
        }
    }
}

fn named(all: &State, keys: &Keys) -> State {
    let lot = |lot: &Lot| {
        keys.lots.contains(&lot.id) || (keys.members.contains(&lot.member_id) && lot.is_open())
    };
    let pending =
        |grant: &Pending| keys.members.contains(&grant.member_id) && !grant.points.is_zero();
    let authorization = |hold: &Authorization| {
        keys.authorizations.contains(&hold.id)
            || (keys.members.contains(&hold.member_id)
                && hold.state == HoldState::Held
                && (hold.expires_at <= keys.until || keys.holders.contains(&hold.member_id)))
    };
    State {
        in_force: all.in_force.clone(),
        members: pick(&all.members, |id, _| keys.members.contains(id)),
        cards: pick(&all.cards, |id, _| keys.cards.contains(id)),
        card_uses: pick(&all.card_uses, |key, _| keys.card_uses.contains(key)),
        short_codes: pick(&all.short_codes, |hash, _| keys.short_codes.contains(hash)),
        lots: pick(&all.lots, |_, row| lot(row)),
        pending: pick(&all.pending, |_, row| pending(row)),
        authorizations: pick(&all.authorizations, |_, row| authorization(row)),
        purchases: pick(&all.purchases, |id, _| keys.purchases.contains(id)),
        identities: pick(&all.identities, |key, row| {
            keys.identities.contains(key) || keys.erased.contains(&row.member_id)
        }),
        link_codes: pick(&all.link_codes, |hash, _| keys.link_codes.contains(hash)),
        verifications: pick(&all.verifications, |id, _| keys.verifications.contains(id)),
        proposals: pick(&all.proposals, |id, _| keys.proposals.contains(id)),
        orders: pick(&all.orders, |key, _| keys.orders.contains(key)),
        profiles: pick(&all.profiles, |id, _| keys.profiles.contains(id)),
        requests: pick(&all.requests, |key, _| keys.requests.contains(key)),
        totals: pick(&all.totals, |key, _| keys.totals.contains(key)),
    }
}

fn pick<K: Ord + Clone, T: Clone>(
    rows: &BTreeMap<K, T>,
    wanted: impl Fn(&K, &T) -> bool,
) -> BTreeMap<K, T> {
    rows.iter()
        .filter(|(key, row)| wanted(key, row))
        .map(|(key, row)| (key.clone(), row.clone()))
        .collect()
}
