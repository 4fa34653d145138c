-- Who opened whose personal data, and what for. Only added to; ids and words, no personal data. Stays when
-- the person is erased.
CREATE TABLE access_log (
    access_id BLOB    PRIMARY KEY,
    at        INTEGER NOT NULL,
    member_id BLOB    NOT NULL,
    actor     TEXT    NOT NULL,
    what      TEXT    NOT NULL,
    purpose   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_log_by_member ON access_log (member_id);
