-- Small tables of reference data: who may call, where tills stand, which keys sign access tokens.
-- Times are microseconds since 1970, UTC.

CREATE TABLE stores (
    store_id   TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE terminals (
    terminal_id TEXT    NOT NULL PRIMARY KEY,
    store_id    TEXT    NOT NULL REFERENCES stores (store_id),
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE clients (
    client_id   TEXT    NOT NULL PRIMARY KEY,
    -- SHA-256 of the secret.
    secret_hash BLOB    NOT NULL,
    -- Words, separated by single spaces, in alphabetical order.
    scopes      TEXT    NOT NULL,
    terminal_id TEXT    REFERENCES terminals (terminal_id),
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE signing_keys (
    -- RFC 7638 thumbprint of the public key.
    kid          TEXT    NOT NULL PRIMARY KEY,
    -- PKCS#8 DER.
    private_key  BLOB    NOT NULL,
    -- SEC1, uncompressed.
    public_key   BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    active_from  INTEGER NOT NULL,
    -- From here on nothing it signed is valid any more; null while it is the newest key.
    retire_after INTEGER
) STRICT;
