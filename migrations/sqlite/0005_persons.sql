-- One person, many records: merges, identities, cards that are numbers, personal data, orders of EC shops.

-- merged_into: the record this one is an alias of; merged: JSON, the records merged into this one.
ALTER TABLE members ADD COLUMN merged_into BLOB;
ALTER TABLE members ADD COLUMN merged TEXT;
ALTER TABLE members ADD COLUMN earn_only_until INTEGER;
ALTER TABLE members ADD COLUMN erased_at INTEGER;

-- A lot with a lender holds what a basket took from the lot of another record of the same person.
ALTER TABLE lots ADD COLUMN lender_member BLOB;
ALTER TABLE lots ADD COLUMN lender_lot BLOB CHECK ((lender_member IS NULL) = (lender_lot IS NULL));

-- The shop whose order a purchase stands for; null for a till's.
ALTER TABLE purchases ADD COLUMN shop_id TEXT;
ALTER TABLE purchases ADD COLUMN fee_earns INTEGER NOT NULL DEFAULT 1 CHECK (fee_earns IN (0, 1));

-- SQLite changes a check only with its table.

-- What a till scans, leading to one member: the public key of a phone, or the keyed hash of a number.
CREATE TABLE wider_cards (
    card_id     INTEGER PRIMARY KEY,
    member_id   BLOB    NOT NULL,
    public_key  BLOB    NOT NULL,
    enrolled_at INTEGER NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('active', 'revoked')),
    revoked_at  INTEGER,
    kind        TEXT    NOT NULL DEFAULT 'device' CHECK (kind IN ('device', 'wallet', 'plastic')),
    name        TEXT    NOT NULL DEFAULT '',
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
    CHECK (length(public_key) = CASE kind WHEN 'device' THEN 65 ELSE 32 END)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_cards (card_id, member_id, public_key, enrolled_at, status, revoked_at)
SELECT card_id, member_id, public_key, enrolled_at, status, revoked_at FROM cards;
DROP TABLE cards;
ALTER TABLE wider_cards RENAME TO cards;
CREATE INDEX cards_by_member ON cards (member_id);

-- One one-time code by the SHA-256 of its digits; or what a plastic card's number, or an order, stands for
-- in one basket. terminal_id, basket_id and bound_at are set by its first use.
CREATE TABLE wider_short_codes (
    code_hash   BLOB    PRIMARY KEY CHECK (length(code_hash) = 32),
    card_id     INTEGER,
    member_id   BLOB    NOT NULL,
    spend       TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    terminal_id TEXT,
    basket_id   TEXT,
    bound_at    INTEGER,
    purchase_id BLOB,
    CHECK ((terminal_id IS NULL) = (basket_id IS NULL) AND (terminal_id IS NULL) = (bound_at IS NULL)),
    CHECK (purchase_id IS NULL OR terminal_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_short_codes SELECT * FROM short_codes;
DROP TABLE short_codes;
ALTER TABLE wider_short_codes RENAME TO short_codes;

CREATE TABLE wider_transfers (
    member_id     BLOB    NOT NULL,
    transfer_id   BLOB    NOT NULL,
    lot_id        BLOB,
    debit         TEXT    NOT NULL CHECK (debit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
                         'programme.issued', 'programme.breakage', 'programme.clearing', 'store.redeemed',
                         'store.shortfall')),
    credit        TEXT    NOT NULL CHECK (credit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
                         'programme.issued', 'programme.breakage', 'programme.clearing', 'store.redeemed',
                         'store.shortfall')),
    points        INTEGER NOT NULL CHECK (points > 0),
    motive        TEXT    NOT NULL,
    source        BLOB    NOT NULL,
    store_id      TEXT,
    business_date TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (member_id, transfer_id),
    CHECK (debit <> credit)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_transfers SELECT * FROM transfers;
DROP TABLE transfers;
ALTER TABLE wider_transfers RENAME TO transfers;

-- What leads to a member besides cards, by a keyed hash of its value; the value is not here.
-- Deleted when the person is erased.
CREATE TABLE identities (
    identity_key BLOB  PRIMARY KEY CHECK (length(identity_key) = 32),
    kind         TEXT   NOT NULL CHECK (kind IN ('ec_customer', 'ec_guest', 'email', 'phone', 'openid')),
    issuer       TEXT   NOT NULL,
    member_id    BLOB   NOT NULL,
    label        TEXT   NOT NULL,
    proof        TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    proven_at    INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_member ON identities (member_id);

-- One-time codes that link whoever enters them to the member. Removed some time after they ended.
CREATE TABLE link_codes (
    code_hash  BLOB  PRIMARY KEY CHECK (length(code_hash) = 32),
    member_id  BLOB   NOT NULL,
    shown_by   TEXT   NOT NULL,
    expires_at INTEGER NOT NULL,
    cool_down  INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX link_codes_by_expiry ON link_codes (expires_at);

-- Addresses a member wants to prove, and the code that was sent there. Removed some time after they
-- ended.
CREATE TABLE verifications (
    verification_id BLOB   PRIMARY KEY,
    member_id       BLOB   NOT NULL,
    identity_key    BLOB  NOT NULL CHECK (length(identity_key) = 32),
    kind            TEXT   NOT NULL,
    issuer          TEXT   NOT NULL,
    label           TEXT   NOT NULL,
    code_hash       BLOB  NOT NULL CHECK (length(code_hash) = 32),
    expires_at      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    used_at         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX verifications_by_expiry ON verifications (expires_at);

-- Merges of two records and their undoing, for ever. Which stand is in members.merged_into.
CREATE TABLE merges (
    merge_id    BLOB   PRIMARY KEY,
    act         TEXT   NOT NULL CHECK (act IN ('merged', 'unmerged')),
    member_id   BLOB   NOT NULL,
    into_member BLOB   NOT NULL,
    proof       TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    at          INTEGER NOT NULL,
    tell_at     INTEGER NOT NULL DEFAULT 0,
    told_at     INTEGER,
    CHECK (member_id <> into_member)
) STRICT, WITHOUT ROWID;
CREATE INDEX merges_by_member ON merges (member_id);
CREATE INDEX merges_by_other ON merges (into_member);
CREATE INDEX merges_untold ON merges (tell_at) WHERE told_at IS NULL AND act = 'merged' AND proof <> 'staff';

-- One order of an EC shop. facts: JSON, all that was ever stated of it; purchase_id: the purchase
-- that stands for it. Without the customer's address.
CREATE TABLE ec_orders (
    shop_id     TEXT   NOT NULL,
    order_id    TEXT   NOT NULL,
    terminal_id TEXT   NOT NULL,
    first_at    INTEGER NOT NULL,
    member_id   BLOB,
    state       TEXT   NOT NULL CHECK (state IN ('placed', 'announced', 'anonymous', 'paid', 'partly_shipped', 'shipped',
                                                 'returned', 'cancelled')),
    facts       TEXT   NOT NULL,
    purchase_id BLOB,
    remark      TEXT,
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (shop_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ec_orders_by_member ON ec_orders (member_id) WHERE member_id IS NOT NULL;

-- Personal data of a member, encrypted under a key of its own that a master key wraps. Terms are
-- keyed hashes to search by. Empty once the person is erased.
CREATE TABLE profiles (
    member_id   BLOB   PRIMARY KEY,
    version     INTEGER NOT NULL CHECK (version >= 1),
    key_id      TEXT   NOT NULL,
    wrapped_key BLOB  NOT NULL,
    sealed      BLOB  NOT NULL,
    email_term  BLOB,
    phone_term  BLOB,
    person_term BLOB,
    kana_term   BLOB,
    changed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX profiles_by_email ON profiles (email_term) WHERE email_term IS NOT NULL;
CREATE INDEX profiles_by_phone ON profiles (phone_term) WHERE phone_term IS NOT NULL;
CREATE INDEX profiles_by_person ON profiles (person_term) WHERE person_term IS NOT NULL;
CREATE INDEX profiles_by_kana ON profiles (kana_term) WHERE kana_term IS NOT NULL;
CREATE INDEX profiles_by_key ON profiles (key_id);
