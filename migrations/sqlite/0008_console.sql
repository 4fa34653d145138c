-- What the staff console keeps: roles of clients, proposals that four eyes have to see, and who did what.

-- What a staff tool may do at the console; null for nothing.
ALTER TABLE clients ADD COLUMN role TEXT CHECK (role IN ('support', 'manager', 'auditor'));

-- Adjustments that another person has to approve. Approved ones were booked in the same transaction. scope: JSON.
CREATE TABLE proposals (
    proposal_id     BLOB   PRIMARY KEY,
    member_id       BLOB   NOT NULL,
    direction       TEXT   NOT NULL CHECK (direction IN ('grant', 'take')),
    points          INTEGER NOT NULL CHECK (points > 0),
    class           TEXT   NOT NULL,
    scope           TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    proposed_by     TEXT   NOT NULL,
    proposed_at     INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('open', 'approved', 'refused')),
    decided_by      TEXT,
    decided_at      INTEGER,
    decision_reason TEXT,
    CHECK ((state = 'open') = (decided_by IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL) AND (decided_by IS NULL) = (decision_reason IS NULL)),
    CHECK (state <> 'approved' OR decided_by <> proposed_by)
) STRICT, WITHOUT ROWID;
CREATE INDEX proposals_by_member ON proposals (member_id);
CREATE INDEX proposals_open ON proposals (proposal_id) WHERE state = 'open';

-- What staff did at the console, and why. Written before the act; outcome follows when it ended, and stays
-- "begun" where nobody knows. No personal data.
CREATE TABLE staff_acts (
    act_id  BLOB   PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    act     TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    points  INTEGER,
    outcome TEXT   NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_acts_of_points ON staff_acts (actor, at) WHERE points IS NOT NULL;
