//! Identities, the codes that prove them, and merges.

use ledger::identity::{Claim, Identity, LinkCode, Merge, Verification};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    table::{Table, bool, bytes, int, text, uuid},
};

pub(crate) static IDENTITIES: Table = Table::new(
    "identities",
    &[bytes("identity_key")],
    &[text("kind"), text("issuer")],
    &[
        uuid("member_id"),
        text("label"),
        text("proof"),
        text("actor"),
        int("proven_at"),
        int("revoked_at"),
    ],
);

impl Row for Identity {
    fn table() -> &'static Table {
        &IDENTITIES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.key);
        row.put(&self.kind);
        row.put(&self.issuer);
        row.put(&self.member_id);
        row.put(&self.label);
        row.put(&self.proof);
        row.put(&self.actor);
        row.put(&self.proven_at);
        row.put(&self.revoked_at);
    }
}

impl FromRow for Identity {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            key: row.get()?,
            kind: row.get()?,
            issuer: row.get()?,
            member_id: row.get()?,
            label: row.get()?,
            proof: row.get()?,
            actor: row.get()?,
            proven_at: row.get()?,
            revoked_at: row.get()?,
        })
    }
}

pub(super) static LINK_CODES: Table = Table::new(
    "link_codes",
    &[bytes("code_hash")],
    &[
        uuid("member_id"),
        text("shown_by"),
        int("expires_at"),
        bool("cool_down"),
    ],
    &[int("used_at")],
);

impl Row for LinkCode {
    fn table() -> &'static Table {
        &LINK_CODES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.hash);
        row.put(&self.member_id);
        row.put(&self.shown_by);
        row.put(&self.expires_at);
        row.put(&self.cool_down);
        row.put(&self.used_at);
    }
}

impl FromRow for LinkCode {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            hash: row.get()?,
            member_id: row.get()?,
            shown_by: row.get()?,
            expires_at: row.get()?,
            cool_down: row.get()?,
            used_at: row.get()?,
        })
    }
}

pub(super) static VERIFICATIONS: Table = Table::new(
    "verifications",
    &[uuid("verification_id")],
    &[
        uuid("member_id"),
        bytes("identity_key"),
        text("kind"),
        text("issuer"),
        text("label"),
        bytes("code_hash"),
        int("expires_at"),
    ],
    &[int("attempts"), int("used_at")],
);

impl Row for Verification {
    fn table() -> &'static Table {
        &VERIFICATIONS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.claim.key);
        row.put(&self.claim.kind);
        row.put(&self.claim.issuer);
        row.put(&self.claim.label);
        row.put(&self.code_hash);
        row.put(&self.expires_at);
        row.put(&self.attempts);
        row.put(&self.used_at);
    }
}

impl FromRow for Verification {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            member_id: row.get()?,
            claim: Claim {
                key: row.get()?,
                kind: row.get()?,
                issuer: row.get()?,
                label: row.get()?,
            },
            code_hash: row.get()?,
            expires_at: row.get()?,
            attempts: row.get()?,
            used_at: row.get()?,
        })
    }
}

pub(crate) static MERGES: Table = Table::new(
    "merges",
    &[uuid("merge_id")],
    &[
        text("act"),
        uuid("member_id"),
        uuid("into_member"),
        text("proof"),
        text("reason"),
        text("actor"),
        int("at"),
    ],
    &[],
);

impl Row for Merge {
    fn table() -> &'static Table {
        &MERGES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.act);
        row.put(&self.member_id);
        row.put(&self.into);
        row.put(&self.proof);
        row.put(&self.reason);
        row.put(&self.actor);
        row.put(&self.at);
    }
}

impl FromRow for Merge {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            act: row.get()?,
            member_id: row.get()?,
            into: row.get()?,
            proof: row.get()?,
            reason: row.get()?,
            actor: row.get()?,
            at: row.get()?,
        })
    }
}
