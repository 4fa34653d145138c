-- What the staff console keeps: roles of clients, proposals that four eyes have to see, and who did what.

ALTER TABLE clients ADD COLUMN role TEXT CHECK (role IN ('support', 'manager', 'auditor'));
COMMENT ON COLUMN clients.role IS 'What a staff tool may do at the console; null for nothing.';

CREATE TABLE proposals (
    proposal_id     UUID   PRIMARY KEY,
    member_id       UUID   NOT NULL,
    direction       TEXT   NOT NULL CHECK (direction IN ('grant', 'take')),
    points          BIGINT NOT NULL CHECK (points > 0),
    class           TEXT   NOT NULL,
    scope           TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    proposed_by     TEXT   NOT NULL,
    proposed_at     BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('open', 'approved', 'refused')),
    decided_by      TEXT,
    decided_at      BIGINT,
    decision_reason TEXT,
    CHECK ((state = 'open') = (decided_by IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL) AND (decided_by IS NULL) = (decision_reason IS NULL)),
    CHECK (state <> 'approved' OR decided_by <> proposed_by)
);
CREATE INDEX proposals_by_member ON proposals (member_id);
CREATE INDEX proposals_open ON proposals (proposal_id) WHERE state = 'open';
COMMENT ON TABLE proposals IS
    'Adjustments that another person has to approve. Approved ones were booked in the same transaction. scope: JSON.';

CREATE TABLE staff_acts (
    act_id  UUID   PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT   COLLATE "C" NOT NULL,
    role    TEXT   NOT NULL,
    act     TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    points  BIGINT,
    outcome TEXT   NOT NULL
);
CREATE INDEX staff_acts_of_points ON staff_acts (actor, at) WHERE points IS NOT NULL;
COMMENT ON TABLE staff_acts IS
    'What staff did at the console, and why. Written before the act; outcome follows when it ended, and stays "begun" where nobody knows. No personal data.';
