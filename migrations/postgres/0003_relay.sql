-- How events leave: the order in which they wait, the place each got in the published stream, and who
-- sends them.

CREATE TABLE event_stream (
    stream_sequence BIGINT PRIMARY KEY CHECK (stream_sequence > 0),
    event_id        UUID   NOT NULL UNIQUE,
    member_id       UUID
);
COMMENT ON TABLE event_stream IS
    'The place of an event in the published stream, from 1 without a gap, for ever. Written before the event is first sent.';

INSERT INTO event_stream (stream_sequence, event_id, member_id)
SELECT stream_sequence, event_id, member_id FROM events WHERE stream_sequence IS NOT NULL;
ALTER TABLE events DROP COLUMN stream_sequence;
COMMENT ON TABLE events IS 'What happened, for ever, written with its cause.';

CREATE VIEW event_log AS
SELECT event.event_id, event.member_id, event.member_sequence, event.kind, event.subject,
    place.stream_sequence, event.at, event.data
FROM events AS event LEFT JOIN event_stream AS place ON place.event_id = event.event_id;
COMMENT ON VIEW event_log IS 'Events with their places; null where an event was never about to be sent.';

-- Rows come and go by the thousand: vacuum by their number, not by the share of a table that is empty
-- most of the time.
CREATE TEMPORARY TABLE waiting ON COMMIT DROP AS SELECT event_id, member_id, member_sequence FROM outbox;
DROP TABLE outbox;
CREATE TABLE outbox (
    position        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id        UUID   NOT NULL,
    member_id       UUID,
    member_sequence BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
COMMENT ON TABLE outbox IS
    'Events the broker has not confirmed yet. A row goes when its event is confirmed. position: within one member it rises with member_sequence; between members it says nothing.';
INSERT INTO outbox (event_id, member_id, member_sequence)
SELECT event_id, member_id, member_sequence FROM waiting ORDER BY member_sequence, event_id;

CREATE TABLE leases (
    name   TEXT   COLLATE "C" PRIMARY KEY,
    holder UUID,
    beat   BIGINT NOT NULL,
    mark   BIGINT NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE leases IS
    'Who does what only one gateway may do. beat: raised with every change and by the holder as long as it lives; mark: what the holder leaves for the next one.';
INSERT INTO leases (name, holder, beat, mark)
SELECT 'relay', NULL, 0, coalesce(max(position), 0)
FROM outbox WHERE event_id IN (SELECT event_id FROM event_stream);
