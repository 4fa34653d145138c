-- A decision reads the holds of its members that ran out, and no others: the index says which they are,
-- without a look at those that still run.

DROP INDEX authorizations_held_by_member;
CREATE INDEX authorizations_held_by_member ON authorizations (member_id, expires_at) WHERE state = 'held';
