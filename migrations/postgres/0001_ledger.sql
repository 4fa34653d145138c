-- What the ledger keeps. Ids are UUIDs, times are microseconds since 1970 UTC, dates are texts
-- YYYY-MM-DD, structures are JSON texts, a card id is its 64 bits read as a signed number.
--
-- There are no foreign keys: one path writes, `gateway audit` rechecks, a check per inserted row would
-- lock and read on the hot path, and every table can be distributed by member_id.
-- An index that serves a state costs nothing while the state stands: an update that leaves indexed
-- columns alone stays within its page (HOT), for which members and lots keep room.

CREATE TABLE programmes (
    version      BIGINT PRIMARY KEY CHECK (version >= 1),
    settings     TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    activated_at BIGINT NOT NULL,
    actor        TEXT   NOT NULL
);
COMMENT ON TABLE programmes IS
    'One version of the programme, immutable; the highest version is in force. settings: JSON; source: the text people edited.';

CREATE TABLE members (
    member_id        UUID   PRIMARY KEY,
    member_no        TEXT   COLLATE "C" NOT NULL UNIQUE,
    enrolled_at      BIGINT NOT NULL,
    status           TEXT   NOT NULL CHECK (status IN ('active', 'blocked')),
    rank             TEXT   NOT NULL,
    available        BIGINT NOT NULL CHECK (available >= 0),
    held             BIGINT NOT NULL CHECK (held >= 0),
    pending          BIGINT NOT NULL CHECK (pending >= 0),
    owed             BIGINT NOT NULL CHECK (owed >= 0),
    open_holds       BIGINT NOT NULL CHECK (open_holds >= 0),
    event_sequence   BIGINT NOT NULL CHECK (event_sequence >= 0),
    last_activity_on TEXT   COLLATE "C"
) WITH (fillfactor = 70);
COMMENT ON TABLE members IS
    'One member. Its row is the lock for all of the member''s other rows. Balances are derived from transfers and written with them.';

CREATE TABLE cards (
    card_id     BIGINT PRIMARY KEY,
    member_id   UUID   NOT NULL,
    public_key  BYTEA  NOT NULL CHECK (length(public_key) = 65),
    enrolled_at BIGINT NOT NULL,
    status      TEXT   NOT NULL CHECK (status IN ('active', 'revoked')),
    revoked_at  BIGINT,
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL))
);
CREATE INDEX cards_by_member ON cards (member_id);
COMMENT ON TABLE cards IS 'One card: the public key of one phone, leading to one member.';

CREATE TABLE card_uses (
    card_id     BIGINT NOT NULL,
    issued_at   BIGINT NOT NULL CHECK (issued_at BETWEEN 0 AND 4294967295),
    member_id   UUID   NOT NULL,
    spend       TEXT   NOT NULL,
    terminal_id TEXT   COLLATE "C" NOT NULL,
    basket_id   TEXT   COLLATE "C" NOT NULL,
    bound_at    BIGINT NOT NULL,
    purchase_id UUID,
    PRIMARY KEY (card_id, issued_at)
);
COMMENT ON TABLE card_uses IS
    'One signed card text that was used: its key is what makes it serve one basket. issued_at: Unix seconds; spend: earn_only, unlimited or the most points; purchase_id: set while the basket is complete.';

CREATE TABLE short_codes (
    code_hash   BYTEA  PRIMARY KEY CHECK (length(code_hash) = 32),
    card_id     BIGINT NOT NULL,
    member_id   UUID   NOT NULL,
    spend       TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL,
    terminal_id TEXT   COLLATE "C",
    basket_id   TEXT   COLLATE "C",
    bound_at    BIGINT,
    purchase_id UUID,
    CHECK ((terminal_id IS NULL) = (basket_id IS NULL) AND (terminal_id IS NULL) = (bound_at IS NULL)),
    CHECK (purchase_id IS NULL OR terminal_id IS NOT NULL)
);
COMMENT ON TABLE short_codes IS
    'One one-time code by the SHA-256 of its digits. terminal_id, basket_id and bound_at are set by its first use.';

CREATE TABLE lots (
    lot_id            UUID    PRIMARY KEY,
    member_id         UUID    NOT NULL,
    class             TEXT    NOT NULL,
    expiry            TEXT    NOT NULL CHECK (expiry IN ('never', 'fixed', 'activity')),
    funding           TEXT    NOT NULL,
    scope             TEXT    NOT NULL,
    opened_at         BIGINT  NOT NULL,
    origin            TEXT    NOT NULL,
    programme_version BIGINT  NOT NULL,
    expires_on        TEXT    COLLATE "C",
    granted           BIGINT  NOT NULL,
    available         BIGINT  NOT NULL CHECK (available >= 0),
    held              BIGINT  NOT NULL CHECK (held >= 0),
    pending           BIGINT  NOT NULL CHECK (pending >= 0),
    is_open           BOOLEAN NOT NULL GENERATED ALWAYS AS (available + held + pending > 0) STORED,
    CHECK (available + held + pending <= granted),
    CHECK ((expiry = 'never') = (expires_on IS NULL))
) WITH (fillfactor = 70);
-- By the flag and not by the balances: an index that names a balance would end HOT updates.
CREATE INDEX lots_open_by_member ON lots (member_id) WHERE is_open;
CREATE INDEX lots_open_by_expiry ON lots (expires_on) WHERE is_open AND expires_on IS NOT NULL;
COMMENT ON TABLE lots IS
    'Points of one member with the same class, expiry, funding and scope. granted only grows; the balances follow the transfers. scope: JSON.';

CREATE TABLE pending (
    pending_id  UUID   PRIMARY KEY,
    member_id   UUID   NOT NULL,
    lot_id      UUID   NOT NULL,
    purchase_id UUID   NOT NULL,
    points      BIGINT NOT NULL CHECK (points >= 0),
    matures_on  TEXT   COLLATE "C"
);
CREATE INDEX pending_by_member ON pending (member_id) WHERE points > 0;
CREATE INDEX pending_by_day ON pending (matures_on) WHERE points > 0 AND matures_on IS NOT NULL;
COMMENT ON TABLE pending IS
    'One grant of points that cannot be spent yet; points is what is left of it. matures_on: first day they can be spent, null until an act releases them.';

CREATE TABLE authorizations (
    authorization_id UUID   PRIMARY KEY,
    member_id        UUID   NOT NULL,
    terminal_id      TEXT   COLLATE "C" NOT NULL,
    store_id         TEXT   COLLATE "C" NOT NULL,
    basket_id        TEXT   COLLATE "C" NOT NULL,
    card_id          BIGINT,
    issued_at        BIGINT,
    code_hash        BYTEA,
    points           BIGINT NOT NULL CHECK (points > 0),
    parts            TEXT   NOT NULL,
    held_at          BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    state            TEXT   NOT NULL CHECK (state IN ('held', 'captured', 'voided', 'reversed', 'expired')),
    captured         BIGINT NOT NULL CHECK (captured >= 0 AND captured <= points),
    resolved_at      BIGINT,
    CHECK ((state = 'held') = (resolved_at IS NULL)),
    CHECK (captured = 0 OR state IN ('captured', 'reversed')),
    CHECK ((card_id IS NULL) = (issued_at IS NULL) AND (card_id IS NULL) <> (code_hash IS NULL))
);
CREATE INDEX authorizations_held_by_member ON authorizations (member_id) WHERE state = 'held';
CREATE INDEX authorizations_held_by_expiry ON authorizations (expires_at) WHERE state = 'held';
COMMENT ON TABLE authorizations IS
    'One hold on named lots for one basket. All states but held are final. parts: JSON, the lots in the order they are spent; card_id and issued_at, or code_hash: what allowed it.';

CREATE TABLE purchases (
    purchase_id       UUID    PRIMARY KEY,
    member_id         UUID    NOT NULL,
    terminal_id       TEXT    COLLATE "C" NOT NULL,
    store_id          TEXT    COLLATE "C" NOT NULL,
    basket_id         TEXT    COLLATE "C" NOT NULL,
    authorization_id  UUID,
    card_id           BIGINT,
    issued_at         BIGINT,
    code_hash         BYTEA,
    business_date     TEXT    COLLATE "C" NOT NULL,
    total             BIGINT  NOT NULL CHECK (total >= 0),
    receipt           TEXT    NOT NULL,
    redeemed          BIGINT  NOT NULL CHECK (redeemed >= 0),
    redeemed_parts    TEXT    NOT NULL,
    shortfall         BIGINT  NOT NULL CHECK (shortfall >= 0),
    earned_points     BIGINT  NOT NULL CHECK (earned_points >= 0),
    earned            TEXT    NOT NULL,
    advice            BOOLEAN NOT NULL,
    programme_version BIGINT  NOT NULL,
    recorded_at       BIGINT  NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('completed', 'reversed')),
    refunded          TEXT    NOT NULL,
    refunded_amount   BIGINT  NOT NULL CHECK (refunded_amount >= 0 AND refunded_amount <= total),
    restored          BIGINT  NOT NULL CHECK (restored >= 0 AND restored <= redeemed),
    clawback_due      BIGINT  NOT NULL CHECK (clawback_due >= 0 AND clawback_due <= earned_points),
    CHECK ((card_id IS NULL) = (issued_at IS NULL) AND (card_id IS NULL) <> (code_hash IS NULL))
);
CREATE INDEX purchases_by_terminal_day ON purchases (terminal_id, business_date);
COMMENT ON TABLE purchases IS
    'One completed purchase with its receipt. business_date and total repeat the receipt. The last five columns follow its refunds.';

CREATE TABLE refunds (
    refund_id     UUID    PRIMARY KEY,
    purchase_id   UUID    NOT NULL,
    member_id     UUID    NOT NULL,
    terminal_id   TEXT    COLLATE "C" NOT NULL,
    store_id      TEXT    COLLATE "C" NOT NULL,
    business_date TEXT    COLLATE "C" NOT NULL,
    lines         TEXT    NOT NULL,
    amount        BIGINT  NOT NULL CHECK (amount >= 0),
    restored      BIGINT  NOT NULL CHECK (restored >= 0),
    lapsed        BIGINT  NOT NULL CHECK (lapsed >= 0),
    clawed_back   BIGINT  NOT NULL CHECK (clawed_back >= 0),
    owed          BIGINT  NOT NULL CHECK (owed >= 0),
    shortfall     BIGINT  NOT NULL CHECK (shortfall >= 0),
    reversal      BOOLEAN NOT NULL,
    at            BIGINT  NOT NULL
);
CREATE INDEX refunds_by_terminal_day ON refunds (terminal_id, business_date);
CREATE INDEX refunds_by_purchase ON refunds (purchase_id);
COMMENT ON TABLE refunds IS
    'One refund, for ever, posted to the business day that was open. lines: JSON, pieces by receipt line; reversal: made by undoing the purchase''s request.';

CREATE TABLE requests (
    terminal_id TEXT   COLLATE "C" NOT NULL,
    request_id  TEXT   COLLATE "C" NOT NULL,
    member_id   UUID,
    kind        TEXT   NOT NULL CHECK (kind IN ('inquiry', 'authorization', 'void', 'purchase', 'refund_quote',
                                                'refund', 'reversal', 'settlement', 'tombstone')),
    fingerprint BYTEA  CHECK (length(fingerprint) = 32),
    effect      UUID,
    answer      TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (terminal_id, request_id),
    CHECK (fingerprint IS NOT NULL OR kind = 'tombstone')
);
COMMENT ON TABLE requests IS
    'One answered request of a till, for ever: its key gives it one effect and one answer. fingerprint: SHA-256 of what it asked; answer: byte for byte; effect: the id of what it made.';

CREATE TABLE settlements (
    settlement_id  UUID   PRIMARY KEY,
    terminal_id    TEXT   COLLATE "C" NOT NULL,
    store_id       TEXT   COLLATE "C" NOT NULL,
    business_date  TEXT   COLLATE "C" NOT NULL,
    till_totals    TEXT   NOT NULL,
    gateway_totals TEXT   NOT NULL,
    at             BIGINT NOT NULL
);
COMMENT ON TABLE settlements IS
    'One comparison of a terminal''s business day: both sides'' totals, as JSON. Belongs to no member.';

CREATE TABLE transfers (
    member_id     UUID   NOT NULL,
    transfer_id   UUID   NOT NULL,
    lot_id        UUID,
    debit         TEXT   NOT NULL CHECK (debit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
                         'programme.issued', 'programme.breakage', 'store.redeemed', 'store.shortfall')),
    credit        TEXT   NOT NULL CHECK (credit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
                         'programme.issued', 'programme.breakage', 'store.redeemed', 'store.shortfall')),
    points        BIGINT NOT NULL CHECK (points > 0),
    motive        TEXT   NOT NULL,
    source        UUID   NOT NULL,
    store_id      TEXT   COLLATE "C",
    business_date TEXT   COLLATE "C" NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (member_id, transfer_id),
    CHECK (debit <> credit)
);
COMMENT ON TABLE transfers IS
    'Points that moved from one account to another, for ever. The truth: every balance is a sum of these.';

CREATE TABLE events (
    event_id        UUID   PRIMARY KEY,
    member_id       UUID,
    member_sequence BIGINT NOT NULL,
    kind            TEXT   COLLATE "C" NOT NULL,
    subject         TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    data            TEXT   NOT NULL,
    stream_sequence BIGINT UNIQUE CHECK (stream_sequence > 0),
    CHECK (CASE WHEN member_id IS NULL THEN member_sequence = 0 ELSE member_sequence > 0 END)
);
CREATE UNIQUE INDEX events_by_member ON events (member_id, member_sequence) WHERE member_id IS NOT NULL;
COMMENT ON TABLE events IS
    'What happened, for ever, written with its cause. stream_sequence: place in the published stream, null until it is about to be sent.';

CREATE TABLE outbox (
    event_id        UUID   PRIMARY KEY,
    member_id       UUID,
    member_sequence BIGINT NOT NULL
);
COMMENT ON TABLE outbox IS 'Events the broker has not confirmed yet. A row goes when its event is confirmed.';
