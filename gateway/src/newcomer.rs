//! The member to make where nobody is found.

use ledger::{identity::Newcomer, member::MemberNo};
use pos_protocol::MemberId;

use crate::{
    clock::Clock,
    secrets::{SecretsError, random},
    store::{Store, StoreError},
};

/// Why there is no newcomer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewcomerError {
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    NoRandomness(#[from] SecretsError),
}

/// An id and a number that nobody has. Two callers may still draw the same number at one moment: then the
/// database refuses one of them, and the caller asks again.
pub(crate) async fn newcomer(store: &Store, clock: &Clock) -> Result<Newcomer, NewcomerError> {
    loop {
        let drawn = unchecked(clock)?;
        if store.member_by_no(&drawn.member_no).await?.is_none() {
            return Ok(drawn);
        }
    }
}

/// An id and a number that hardly anybody has: for who is known already, most likely.
pub(crate) fn unchecked(clock: &Clock) -> Result<Newcomer, SecretsError> {
    // A number has far fewer than 64 bits, so every one is as likely as any other.
    let seed = u64::from_be_bytes(random::<8>()?);
    Ok(Newcomer {
        member_id: MemberId::new(clock.new_id()),
        member_no: MemberNo::from_seed(seed),
    })
}
