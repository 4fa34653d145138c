-- How events leave: the order in which they wait, the place each got in the published stream, and who
-- sends them.

-- The place of an event in the published stream, from 1 without a gap, for ever. Written before the
-- event is first sent.
CREATE TABLE event_stream (
    stream_sequence INTEGER PRIMARY KEY CHECK (stream_sequence > 0),
    event_id        BLOB    NOT NULL UNIQUE,
    member_id       BLOB
) STRICT;
INSERT INTO event_stream (stream_sequence, event_id, member_id)
SELECT stream_sequence, event_id, member_id FROM events WHERE stream_sequence IS NOT NULL;

-- What happened, for ever, written with its cause. A unique column cannot be dropped, so the table is
-- made anew without it.
CREATE TABLE events_kept (
    event_id        BLOB    PRIMARY KEY,
    member_id       BLOB,
    member_sequence INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    data            TEXT    NOT NULL,
    CHECK (CASE WHEN member_id IS NULL THEN member_sequence = 0 ELSE member_sequence > 0 END)
) STRICT;
INSERT INTO events_kept (event_id, member_id, member_sequence, kind, subject, at, data)
SELECT event_id, member_id, member_sequence, kind, subject, at, data FROM events ORDER BY rowid;
DROP TABLE events;
ALTER TABLE events_kept RENAME TO events;
CREATE UNIQUE INDEX events_by_member ON events (member_id, member_sequence) WHERE member_id IS NOT NULL;

-- Events with their places; null where an event was never about to be sent.
CREATE VIEW event_log AS
SELECT event.event_id, event.member_id, event.member_sequence, event.kind, event.subject,
    place.stream_sequence, event.at, event.data
FROM events AS event LEFT JOIN event_stream AS place ON place.event_id = event.event_id;

-- Events the broker has not confirmed yet. A row goes when its event is confirmed. position: within one
-- member it rises with member_sequence; between members it says nothing. It is never given twice.
CREATE TABLE outbox_kept (
    position        INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id        BLOB    NOT NULL,
    member_id       BLOB,
    member_sequence INTEGER NOT NULL
) STRICT;
INSERT INTO outbox_kept (event_id, member_id, member_sequence)
SELECT event_id, member_id, member_sequence FROM outbox ORDER BY member_sequence, event_id;
DROP TABLE outbox;
ALTER TABLE outbox_kept RENAME TO outbox;

-- Who does what only one gateway may do. beat: raised with every change and by the holder as long as it
-- lives; mark: what the holder leaves for the next one.
CREATE TABLE leases (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder BLOB,
    beat   INTEGER NOT NULL,
    mark   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO leases (name, holder, beat, mark)
SELECT 'relay', NULL, 0, coalesce(max(position), 0)
FROM outbox WHERE event_id IN (SELECT event_id FROM event_stream);
