//! Proposals of the desk.

use ledger::{command::Adjustment, proposal::Proposal};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    table::{Table, int, text, uuid},
};

pub(crate) static PROPOSALS: Table = Table::new(
    "proposals",
    &[uuid("proposal_id")],
    &[
        uuid("member_id"),
        text("direction"),
        int("points"),
        text("class"),
        text("scope"),
        text("reason"),
        text("proposed_by"),
        int("proposed_at"),
        int("expires_at"),
    ],
    &[
        text("state"),
        text("decided_by"),
        int("decided_at"),
        text("decision_reason"),
    ],
);

impl Row for Proposal {
    fn table() -> &'static Table {
        &PROPOSALS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.adjustment.member_id);
        row.put(&self.adjustment.direction);
        row.put(&self.adjustment.points);
        row.put(&self.adjustment.class);
        row.put_json(&self.adjustment.scope);
        row.put(&self.adjustment.reason);
        row.put(&self.adjustment.actor);
        row.put(&self.proposed_at);
        row.put(&self.expires_at);
        row.put(&self.state);
        row.put(&self.decided_by);
        row.put(&self.decided_at);
        row.put(&self.decision_reason);
    }
}

impl FromRow for Proposal {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        let id = row.get()?;
        let member_id = row.get()?;
        let direction = row.get()?;
        let points = row.get()?;
        let class = row.get()?;
        let scope = row.get_json()?;
        let reason = row.get()?;
        let actor = row.get()?;
        Ok(Self {
            id,
            adjustment: Adjustment {
                member_id,
                direction,
                points,
                class,
                scope,
                reason,
                actor,
            },
            proposed_at: row.get()?,
            expires_at: row.get()?,
            state: row.get()?,
            decided_by: row.get()?,
            decided_at: row.get()?,
            decision_reason: row.get()?,
        })
    }
}
