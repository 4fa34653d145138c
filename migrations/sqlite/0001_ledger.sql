-- What the ledger keeps. Ids are UUIDs, times are microseconds since 1970 UTC, dates are texts
-- YYYY-MM-DD, structures are JSON texts, a card id is its 64 bits read as a signed number.
--
-- There are no foreign keys: one path writes, `gateway audit` rechecks, a check per inserted row would
-- lock and read on the hot path, and every table can be distributed by member_id.
--
-- STRICT makes SQLite hold to the declared types. Tables of short rows are stored in the tree of their
-- key (WITHOUT ROWID); those with JSON or answers in them are not.

-- One version of the programme, immutable; the highest version is in force. settings: JSON; source:
-- the text people edited.
CREATE TABLE programmes (
    version      INTEGER PRIMARY KEY CHECK (version >= 1),
    settings     TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    activated_at INTEGER NOT NULL,
    actor        TEXT    NOT NULL
) STRICT;

-- One member. Its row is the lock for all of the member's other rows. Balances are derived from
-- transfers and written with them.
CREATE TABLE members (
    member_id        BLOB    PRIMARY KEY,
    member_no        TEXT    NOT NULL UNIQUE,
    enrolled_at      INTEGER NOT NULL,
    status           TEXT    NOT NULL CHECK (status IN ('active', 'blocked')),
    rank             TEXT    NOT NULL,
    available        INTEGER NOT NULL CHECK (available >= 0),
    held             INTEGER NOT NULL CHECK (held >= 0),
    pending          INTEGER NOT NULL CHECK (pending >= 0),
    owed             INTEGER NOT NULL CHECK (owed >= 0),
    open_holds       INTEGER NOT NULL CHECK (open_holds >= 0),
    event_sequence   INTEGER NOT NULL CHECK (event_sequence >= 0),
    last_activity_on TEXT
) STRICT, WITHOUT ROWID;

-- One card: the public key of one phone, leading to one member.
CREATE TABLE cards (
    card_id     INTEGER PRIMARY KEY,
    member_id   BLOB    NOT NULL,
    public_key  BLOB    NOT NULL CHECK (length(public_key) = 65),
    enrolled_at INTEGER NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('active', 'revoked')),
    revoked_at  INTEGER,
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX cards_by_member ON cards (member_id);

-- One signed card text that was used: its key is what makes it serve one basket. issued_at: Unix
-- seconds; spend: earn_only, unlimited or the most points; purchase_id: set while the basket is
-- complete.
CREATE TABLE card_uses (
    card_id     INTEGER NOT NULL,
    issued_at   INTEGER NOT NULL CHECK (issued_at BETWEEN 0 AND 4294967295),
    member_id   BLOB    NOT NULL,
    spend       TEXT    NOT NULL,
    terminal_id TEXT    NOT NULL,
    basket_id   TEXT    NOT NULL,
    bound_at    INTEGER NOT NULL,
    purchase_id BLOB,
    PRIMARY KEY (card_id, issued_at)
) STRICT, WITHOUT ROWID;

-- One one-time code by the SHA-256 of its digits. terminal_id, basket_id and bound_at are set by
-- its first use.
CREATE TABLE short_codes (
    code_hash   BLOB    PRIMARY KEY CHECK (length(code_hash) = 32),
    card_id     INTEGER NOT NULL,
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

-- Points of one member with the same class, expiry, funding and scope. granted only grows; the
-- balances follow the transfers. scope: JSON.
CREATE TABLE lots (
    lot_id            BLOB    PRIMARY KEY,
    member_id         BLOB    NOT NULL,
    class             TEXT    NOT NULL,
    expiry            TEXT    NOT NULL CHECK (expiry IN ('never', 'fixed', 'activity')),
    funding           TEXT    NOT NULL,
    scope             TEXT    NOT NULL,
    opened_at         INTEGER NOT NULL,
    origin            TEXT    NOT NULL,
    programme_version INTEGER NOT NULL,
    expires_on        TEXT,
    granted           INTEGER NOT NULL,
    available         INTEGER NOT NULL CHECK (available >= 0),
    held              INTEGER NOT NULL CHECK (held >= 0),
    pending           INTEGER NOT NULL CHECK (pending >= 0),
    is_open           INTEGER NOT NULL GENERATED ALWAYS AS (available + held + pending > 0) STORED,
    CHECK (available + held + pending <= granted),
    CHECK ((expiry = 'never') = (expires_on IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX lots_open_by_member ON lots (member_id) WHERE is_open;
CREATE INDEX lots_open_by_expiry ON lots (expires_on) WHERE is_open AND expires_on IS NOT NULL;

-- One grant of points that cannot be spent yet; points is what is left of it. matures_on: first day
-- they can be spent, null until an act releases them.
CREATE TABLE pending (
    pending_id  BLOB    PRIMARY KEY,
    member_id   BLOB    NOT NULL,
    lot_id      BLOB    NOT NULL,
    purchase_id BLOB    NOT NULL,
    points      INTEGER NOT NULL CHECK (points >= 0),
    matures_on  TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_by_member ON pending (member_id) WHERE points > 0;
CREATE INDEX pending_by_day ON pending (matures_on) WHERE points > 0 AND matures_on IS NOT NULL;

-- One hold on named lots for one basket. All states but held are final. parts: JSON, the lots in
-- the order they are spent; card_id and issued_at, or code_hash: what allowed it.
CREATE TABLE authorizations (
    authorization_id BLOB    PRIMARY KEY,
    member_id        BLOB    NOT NULL,
    terminal_id      TEXT    NOT NULL,
    store_id         TEXT    NOT NULL,
    basket_id        TEXT    NOT NULL,
    card_id          INTEGER,
    issued_at        INTEGER,
    code_hash        BLOB,
    points           INTEGER NOT NULL CHECK (points > 0),
    parts            TEXT    NOT NULL,
    held_at          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('held', 'captured', 'voided', 'reversed', 'expired')),
    captured         INTEGER NOT NULL CHECK (captured >= 0 AND captured <= points),
    resolved_at      INTEGER,
    CHECK ((state = 'held') = (resolved_at IS NULL)),
    CHECK (captured = 0 OR state IN ('captured', 'reversed')),
    CHECK ((card_id IS NULL) = (issued_at IS NULL) AND (card_id IS NULL) <> (code_hash IS NULL))
) STRICT;
CREATE INDEX authorizations_held_by_member ON authorizations (member_id) WHERE state = 'held';
CREATE INDEX authorizations_held_by_expiry ON authorizations (expires_at) WHERE state = 'held';

-- One completed purchase with its receipt. business_date and total repeat the receipt. The last
-- five columns follow its refunds.
CREATE TABLE purchases (
    purchase_id       BLOB    PRIMARY KEY,
    member_id         BLOB    NOT NULL,
    terminal_id       TEXT    NOT NULL,
    store_id          TEXT    NOT NULL,
    basket_id         TEXT    NOT NULL,
    authorization_id  BLOB,
    card_id           INTEGER,
    issued_at         INTEGER,
    code_hash         BLOB,
    business_date     TEXT    NOT NULL,
    total             INTEGER NOT NULL CHECK (total >= 0),
    receipt           TEXT    NOT NULL,
    redeemed          INTEGER NOT NULL CHECK (redeemed >= 0),
    redeemed_parts    TEXT    NOT NULL,
    shortfall         INTEGER NOT NULL CHECK (shortfall >= 0),
    earned_points     INTEGER NOT NULL CHECK (earned_points >= 0),
    earned            TEXT    NOT NULL,
    advice            INTEGER NOT NULL CHECK (advice IN (0, 1)),
    programme_version INTEGER NOT NULL,
    recorded_at       INTEGER NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('completed', 'reversed')),
    refunded          TEXT    NOT NULL,
    refunded_amount   INTEGER NOT NULL CHECK (refunded_amount >= 0 AND refunded_amount <= total),
    restored          INTEGER NOT NULL CHECK (restored >= 0 AND restored <= redeemed),
    clawback_due      INTEGER NOT NULL CHECK (clawback_due >= 0 AND clawback_due <= earned_points),
    CHECK ((card_id IS NULL) = (issued_at IS NULL) AND (card_id IS NULL) <> (code_hash IS NULL))
) STRICT;
CREATE INDEX purchases_by_terminal_day ON purchases (terminal_id, business_date);

-- One refund, for ever, posted to the business day that was open. lines: JSON, pieces by receipt
-- line; reversal: made by undoing the purchase's request.
CREATE TABLE refunds (
    refund_id     BLOB    PRIMARY KEY,
    purchase_id   BLOB    NOT NULL,
    member_id     BLOB    NOT NULL,
    terminal_id   TEXT    NOT NULL,
    store_id      TEXT    NOT NULL,
    business_date TEXT    NOT NULL,
    lines         TEXT    NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount >= 0),
    restored      INTEGER NOT NULL CHECK (restored >= 0),
    lapsed        INTEGER NOT NULL CHECK (lapsed >= 0),
    clawed_back   INTEGER NOT NULL CHECK (clawed_back >= 0),
    owed          INTEGER NOT NULL CHECK (owed >= 0),
    shortfall     INTEGER NOT NULL CHECK (shortfall >= 0),
    reversal      INTEGER NOT NULL CHECK (reversal IN (0, 1)),
    at            INTEGER NOT NULL
) STRICT;
CREATE INDEX refunds_by_terminal_day ON refunds (terminal_id, business_date);
CREATE INDEX refunds_by_purchase ON refunds (purchase_id);

-- One answered request of a till, for ever: its key gives it one effect and one answer.
-- fingerprint: SHA-256 of what it asked; answer: byte for byte; effect: the id of what it made.
CREATE TABLE requests (
    terminal_id TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    member_id   BLOB,
    kind        TEXT    NOT NULL CHECK (kind IN ('inquiry', 'authorization', 'void', 'purchase', 'refund_quote',
                                                'refund', 'reversal', 'settlement', 'tombstone')),
    fingerprint BLOB    CHECK (length(fingerprint) = 32),
    effect      BLOB,
    answer      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (terminal_id, request_id),
    CHECK (fingerprint IS NOT NULL OR kind = 'tombstone')
) STRICT;

-- One comparison of a terminal's business day: both sides' totals, as JSON. Belongs to no member.
CREATE TABLE settlements (
    settlement_id  BLOB    PRIMARY KEY,
    terminal_id    TEXT    NOT NULL,
    store_id       TEXT    NOT NULL,
    business_date  TEXT    NOT NULL,
    till_totals    TEXT    NOT NULL,
    gateway_totals TEXT    NOT NULL,
    at             INTEGER NOT NULL
) STRICT;

-- Points that moved from one account to another, for ever. The truth: every balance is a sum of
-- these.
CREATE TABLE transfers (
    member_id     BLOB    NOT NULL,
    transfer_id   BLOB    NOT NULL,
    lot_id        BLOB,
    debit         TEXT    NOT NULL CHECK (debit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
                         'programme.issued', 'programme.breakage', 'store.redeemed', 'store.shortfall')),
    credit        TEXT    NOT NULL CHECK (credit IN ('member.available', 'member.held', 'member.pending', 'member.owed',
                         'programme.issued', 'programme.breakage', 'store.redeemed', 'store.shortfall')),
    points        INTEGER NOT NULL CHECK (points > 0),
    motive        TEXT    NOT NULL,
    source        BLOB    NOT NULL,
    store_id      TEXT,
    business_date TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (member_id, transfer_id),
    CHECK (debit <> credit)
) STRICT, WITHOUT ROWID;

-- What happened, for ever, written with its cause. stream_sequence: place in the published stream,
-- null until it is about to be sent.
CREATE TABLE events (
    event_id        BLOB    PRIMARY KEY,
    member_id       BLOB,
    member_sequence INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    data            TEXT    NOT NULL,
    stream_sequence INTEGER UNIQUE CHECK (stream_sequence > 0),
    CHECK (CASE WHEN member_id IS NULL THEN member_sequence = 0 ELSE member_sequence > 0 END)
) STRICT;
CREATE UNIQUE INDEX events_by_member ON events (member_id, member_sequence) WHERE member_id IS NOT NULL;

-- Events the broker has not confirmed yet. A row goes when its event is confirmed.
CREATE TABLE outbox (
    event_id        BLOB    PRIMARY KEY,
    member_id       BLOB,
    member_sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
