-- A decision reads the holds of its members that ran out, and no others: the index says which they are,
-- without a look at those that still run.

DROP INDEX authorizations_held_by_member;
CREATE INDEX authorizations_held_by_member ON authorizations (member_id, expires_at) WHERE state = 'held';

-- The sweep looks for holds of anybody. Its index has a condition of its own, which only the sweep
-- states: a plan made while there are few holds would read all of them for one member, for ever.
DROP INDEX authorizations_held_by_expiry;
CREATE INDEX authorizations_held_by_expiry ON authorizations (expires_at) WHERE state = 'held' AND expires_at > 0;
