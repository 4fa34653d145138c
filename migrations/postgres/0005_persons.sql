-- One person, many records: merges, identities, cards that are numbers, personal data, orders of EC shops.

ALTER TABLE members
    ADD COLUMN merged_into     UUID,
    ADD COLUMN merged          TEXT,
    ADD COLUMN earn_only_until BIGINT,
    ADD COLUMN erased_at       BIGINT;
COMMENT ON COLUMN members.merged_into IS 'The record this one is an alias of. The reader of one end finds the other: merged lists, as JSON, the records merged into this one.';

ALTER TABLE cards
    ADD COLUMN kind TEXT NOT NULL DEFAULT 'device' CHECK (kind IN ('device', 'wallet', 'plastic')),
    ADD COLUMN name TEXT NOT NULL DEFAULT '',
    DROP CONSTRAINT cards_public_key_check,
    ADD CONSTRAINT cards_public_key_check CHECK (length(public_key) = CASE kind WHEN 'device' THEN 65 ELSE 32 END) NOT VALID;
COMMENT ON TABLE cards IS 'What a till scans, leading to one member: the public key of a phone, or the keyed hash of a number.';

ALTER TABLE short_codes ALTER COLUMN card_id DROP NOT NULL;
COMMENT ON TABLE short_codes IS
    'One one-time code by the SHA-256 of its digits; or what a plastic card''s number, or an order, stands for in one basket. terminal_id, basket_id and bound_at are set by its first use.';

-- A lot with a lender holds what a basket took from the lot of another record of the same person.
ALTER TABLE lots
    ADD COLUMN lender_member UUID,
    ADD COLUMN lender_lot    UUID,
    ADD CONSTRAINT lots_lender_check CHECK ((lender_member IS NULL) = (lender_lot IS NULL)) NOT VALID;

-- The shop whose order a purchase stands for; null for a till's.
ALTER TABLE purchases
    ADD COLUMN shop_id   TEXT    COLLATE "C",
    ADD COLUMN fee_earns BOOLEAN NOT NULL DEFAULT true;

-- Not valid: what is there was written under narrower checks.
ALTER TABLE transfers
    DROP CONSTRAINT transfers_debit_check,
    DROP CONSTRAINT transfers_credit_check,
    ADD CONSTRAINT transfers_debit_check CHECK (debit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
        'programme.issued', 'programme.breakage', 'programme.clearing', 'store.redeemed', 'store.shortfall')) NOT VALID,
    ADD CONSTRAINT transfers_credit_check CHECK (credit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
        'programme.issued', 'programme.breakage', 'programme.clearing', 'store.redeemed', 'store.shortfall')) NOT VALID;

CREATE TABLE identities (
    identity_key BYTEA  PRIMARY KEY CHECK (length(identity_key) = 32),
    kind         TEXT   NOT NULL CHECK (kind IN ('ec_customer', 'ec_guest', 'email', 'phone', 'openid')),
    issuer       TEXT   NOT NULL,
    member_id    UUID   NOT NULL,
    label        TEXT   NOT NULL,
    proof        TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    proven_at    BIGINT NOT NULL,
    revoked_at   BIGINT
);
CREATE INDEX identities_by_member ON identities (member_id);
COMMENT ON TABLE identities IS
    'What leads to a member besides cards, by a keyed hash of its value; the value is not here. Deleted when the person is erased.';

CREATE TABLE link_codes (
    code_hash  BYTEA  PRIMARY KEY CHECK (length(code_hash) = 32),
    member_id  UUID   NOT NULL,
    shown_by   TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    cool_down  BOOLEAN NOT NULL,
    used_at    BIGINT
);
CREATE INDEX link_codes_by_expiry ON link_codes (expires_at);
COMMENT ON TABLE link_codes IS 'One-time codes that link whoever enters them to the member. Removed some time after they ended.';

CREATE TABLE verifications (
    verification_id UUID   PRIMARY KEY,
    member_id       UUID   NOT NULL,
    identity_key    BYTEA  NOT NULL CHECK (length(identity_key) = 32),
    kind            TEXT   NOT NULL,
    issuer          TEXT   NOT NULL,
    label           TEXT   NOT NULL,
    code_hash       BYTEA  NOT NULL CHECK (length(code_hash) = 32),
    expires_at      BIGINT NOT NULL,
    attempts        BIGINT NOT NULL CHECK (attempts >= 0),
    used_at         BIGINT
);
CREATE INDEX verifications_by_expiry ON verifications (expires_at);
COMMENT ON TABLE verifications IS 'Addresses a member wants to prove, and the code that was sent there. Removed some time after they ended.';

CREATE TABLE merges (
    merge_id    UUID   PRIMARY KEY,
    act         TEXT   NOT NULL CHECK (act IN ('merged', 'unmerged')),
    member_id   UUID   NOT NULL,
    into_member UUID   NOT NULL,
    proof       TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    tell_at     BIGINT NOT NULL DEFAULT 0,
    told_at     BIGINT,
    CHECK (member_id <> into_member)
);
CREATE INDEX merges_by_member ON merges (member_id);
CREATE INDEX merges_by_other ON merges (into_member);
CREATE INDEX merges_untold ON merges (tell_at) WHERE told_at IS NULL AND act = 'merged' AND proof <> 'staff';
COMMENT ON TABLE merges IS
    'Merges of two records and their undoing, for ever. Which stand is in members.merged_into. tell_at: when to send the notice next; told_at: when that was done, or given up.';

CREATE TABLE ec_orders (
    shop_id     TEXT   COLLATE "C" NOT NULL,
    order_id    TEXT   COLLATE "C" NOT NULL,
    terminal_id TEXT   COLLATE "C" NOT NULL,
    first_at    BIGINT NOT NULL,
    member_id   UUID,
    state       TEXT   NOT NULL CHECK (state IN ('placed', 'announced', 'anonymous', 'paid', 'partly_shipped', 'shipped',
                                                 'returned', 'cancelled')),
    facts       TEXT   NOT NULL,
    purchase_id UUID,
    remark      TEXT,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (shop_id, order_id)
);
CREATE INDEX ec_orders_by_member ON ec_orders (member_id) WHERE member_id IS NOT NULL;
COMMENT ON TABLE ec_orders IS
    'One order of an EC shop. facts: JSON, all that was ever stated of it; purchase_id: the purchase that stands for it. Without the customer''s address.';

CREATE TABLE profiles (
    member_id   UUID   PRIMARY KEY,
    version     BIGINT NOT NULL CHECK (version >= 1),
    key_id      TEXT   NOT NULL,
    wrapped_key BYTEA  NOT NULL,
    sealed      BYTEA  NOT NULL,
    email_term  BYTEA,
    phone_term  BYTEA,
    person_term BYTEA,
    kana_term   BYTEA,
    changed_at  BIGINT NOT NULL
);
CREATE INDEX profiles_by_email ON profiles (email_term) WHERE email_term IS NOT NULL;
CREATE INDEX profiles_by_phone ON profiles (phone_term) WHERE phone_term IS NOT NULL;
CREATE INDEX profiles_by_person ON profiles (person_term) WHERE person_term IS NOT NULL;
CREATE INDEX profiles_by_kana ON profiles (kana_term) WHERE kana_term IS NOT NULL;
CREATE INDEX profiles_by_key ON profiles (key_id);
COMMENT ON TABLE profiles IS
    'Personal data of a member, encrypted under a key of its own that a master key wraps. Terms are keyed hashes to search by. Empty once the person is erased.';
