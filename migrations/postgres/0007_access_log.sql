-- Who opened whose personal data, and what for.
CREATE TABLE access_log (
    access_id UUID   PRIMARY KEY,
    at        BIGINT NOT NULL,
    member_id UUID   NOT NULL,
    actor     TEXT   NOT NULL,
    what      TEXT   NOT NULL,
    purpose   TEXT   NOT NULL
);
COMMENT ON TABLE access_log IS 'Personal data that somebody else than its owner opened. Only added to; ids and words, no personal data. Stays when the person is erased.';
CREATE INDEX access_log_by_member ON access_log (member_id);
