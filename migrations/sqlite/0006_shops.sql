-- EC shops, what they sign with, and what they sent.

-- store_id, terminal_id: the store and terminal that stand for it in the ledger; settings: JSON; polled_at:
-- up to when its orders were asked for, where a platform is asked.
CREATE TABLE shops (
    shop_id     TEXT    NOT NULL PRIMARY KEY,
    platform    TEXT    NOT NULL CHECK (platform IN ('shopify', 'woocommerce', 'ec_cube', 'api')),
    name        TEXT    NOT NULL,
    base_url    TEXT,
    store_id    TEXT    NOT NULL UNIQUE REFERENCES stores (store_id),
    terminal_id TEXT    NOT NULL UNIQUE REFERENCES terminals (terminal_id),
    settings    TEXT    NOT NULL,
    polled_at   INTEGER,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT, WITHOUT ROWID;

-- What a shop signs its webhooks with. Not a hash: signatures are checked with it. ends_at: from then on it
-- is good for nothing; null for the newest.
CREATE TABLE shop_secrets (
    shop_id    TEXT    NOT NULL REFERENCES shops (shop_id),
    created_at INTEGER NOT NULL,
    secret     TEXT    NOT NULL,
    ends_at    INTEGER,
    PRIMARY KEY (shop_id, created_at)
) STRICT, WITHOUT ROWID;

ALTER TABLE clients ADD COLUMN shop_id TEXT REFERENCES shops (shop_id);

-- What shops sent, from before it is answered until some days after it is booked. body: what the shop wrote,
-- personal data included; emptied once it is booked.
CREATE TABLE ec_inbox (
    message_id  BLOB    NOT NULL PRIMARY KEY,
    shop_id     TEXT    NOT NULL,
    repeat_key  TEXT,
    topic       TEXT    NOT NULL,
    is_test     INTEGER NOT NULL CHECK (is_test IN (0, 1)),
    body        BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'ignored', 'dead')),
    attempts    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    error       TEXT,
    done_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX ec_inbox_by_repeat ON ec_inbox (shop_id, repeat_key) WHERE repeat_key IS NOT NULL;
CREATE INDEX ec_inbox_waiting ON ec_inbox (next_at, message_id) WHERE state = 'waiting';
CREATE INDEX ec_inbox_dead ON ec_inbox (message_id) WHERE state = 'dead';
CREATE INDEX ec_inbox_done ON ec_inbox (done_at) WHERE state IN ('done', 'ignored', 'dead');

INSERT INTO leases (name, holder, beat, mark) VALUES ('intake', NULL, 0, 0);

-- Each record with the one that stands for the person.
CREATE VIEW persons AS
WITH RECURSIVE person (member_id, root_id) AS (
    SELECT member_id, member_id FROM members WHERE merged_into IS NULL
    UNION ALL
    SELECT member.member_id, person.root_id FROM members AS member JOIN person ON member.merged_into = person.member_id
)
SELECT member_id, root_id FROM person;

-- Purchases that stand, each with the person's record, and whether a store or an EC shop sold. Yen and points
-- without what came back.
CREATE VIEW channel_purchases AS
SELECT person.root_id AS member_id, purchase.purchase_id,
    CASE WHEN shop.shop_id IS NULL THEN 'store' ELSE 'shop' END AS channel,
    coalesce(shop.shop_id, purchase.store_id) AS place,
    purchase.recorded_at, purchase.total - purchase.refunded_amount AS yen,
    purchase.earned_points - purchase.clawback_due AS earned,
    purchase.redeemed - purchase.restored AS redeemed
FROM purchases AS purchase
    JOIN persons AS person ON person.member_id = purchase.member_id
    LEFT JOIN shops AS shop ON shop.store_id = purchase.store_id
WHERE purchase.state = 'completed';

-- Where each person bought first.
CREATE VIEW channel_touches AS
SELECT member_id, channel, place, recorded_at FROM (
    SELECT member_id, channel, place, recorded_at,
        row_number() OVER (PARTITION BY member_id ORDER BY recorded_at, purchase_id) AS nth
    FROM channel_purchases
) WHERE nth = 1;
