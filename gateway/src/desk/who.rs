//! Members as people name them: by number or by id.

use std::str::FromStr;

use ledger::member::MemberNo;
use pos_protocol::MemberId;

use crate::store::{Store, StoreError};

/// A member number (12 digits, the last a check digit) or a member id (UUID).
#[derive(Debug, Clone)]
pub(crate) enum Who {
    Number(MemberNo),
    Id(MemberId),
}

/// Why a member was not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFound {
    /// There is none.
    #[error("there is no such member")]
    Nobody,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FromStr for Who {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(number) = MemberNo::parse(text) {
            return Ok(Self::Number(number));
        }
        text.parse().map(Self::Id).map_err(|_| {
            "a member is named by 12 digits, the last a check digit, or by a UUID".to_owned()
        })
    }
}

impl Who {
    /// The member's id.
    pub(crate) async fn find(&self, store: &Store) -> Result<MemberId, NotFound> {
        let found = match self {
            Self::Number(number) => store.member_by_no(number).await?.map(|member| member.id),
            Self::Id(id) => store.member(*id).await?.map(|record| record.member.id),
        };
        found.ok_or(NotFound::Nobody)
    }
}
