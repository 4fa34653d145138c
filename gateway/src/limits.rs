//! Every limit of the gateway in one place. The unit is the last word of the name.
//!
//! Reaching a limit is a clear answer, never a crash. What an operator may change starts from these
//! values (see [`ServerLimits`](crate::http::ServerLimits) and [`Rates`](crate::http::Rates)); the
//! rest are compiled in. [`check`] proves at start that they fit together.

// The writer.

/// Commands one lane runs as one transaction.
pub const BATCH_COMMANDS_MAX: usize = 128;
/// Commands that may wait in one lane before callers are told to come back.
pub const LANE_QUEUE_COMMANDS_MAX: usize = 1_024;
/// How long a caller is asked to wait when a queue is full, or the database is away.
pub const RETRY_AFTER_UNAVAILABLE_S: u32 = 1;

// The database.

/// How long a short read outside the write path may take in all, waiting for a connection included.
/// Callers get their 503 within a second.
pub const DATABASE_READ_TIMEOUT_MS: u64 = 800;

/// Cards read in one query.
pub const CARD_READ_ROWS_MAX: usize = 128;
/// Scans that may wait for their card to be read before callers are told to come back.
pub const CARD_READS_WAITING_MAX: usize = 4_096;

// Events.

/// Bytes of an event in a message. Whoever takes CloudEvents takes 64 KiB on the wire; the rest of
/// them is left to the broker's own frames.
pub const EVENT_MESSAGE_BYTES_MAX: usize = 64 * 1_024 - 1_024;
/// Bytes of an event besides its data.
pub const EVENT_ATTRIBUTES_BYTES_MAX: usize = 1_024;
/// Characters in a reason or name that staff gives for the record.
pub const REMARK_CHARS_MAX: usize = 200;

// Jobs.

/// How long a hold may be over its time before an alarm is due: no gateway sweeps.
pub const OVERDUE_HOLD_ALARM_S: i64 = 300;

// Requests.

/// Bytes in a request body. A receipt of 1,000 lines with long names fits.
pub const BODY_BYTES_MAX: usize = 512 * 1_024;
/// Bytes in the form of a token request.
pub const TOKEN_FORM_BYTES_MAX: usize = 8 * 1_024;
/// How deep objects and arrays may nest in a body. The deepest message has four levels.
pub const JSON_DEPTH_MAX: usize = 16;
/// Bytes in a scanned text, before anything looks at it. 199 full-width digits, as a Japanese input
/// method leaves them, take 597.
pub const CARD_TEXT_BYTES_MAX: usize = 1_024;
/// Bytes in a bearer token.
pub const BEARER_TOKEN_BYTES_MAX: usize = 4 * 1_024;
/// Characters in a request id given by the caller.
pub const REQUEST_ID_CHARS_MAX: usize = 64;
/// How long a body may take to arrive.
pub const BODY_TIMEOUT_S: u64 = 10;
/// How long the readiness check waits for the database.
pub const READINESS_TIMEOUT_MS: u64 = 900;
/// How long the state of the database, once looked at, stands for readiness: however often that is
/// asked, the database is not.
pub const READINESS_CACHE_MS: u64 = 1_000;
/// Events on one page of a member's history, unless the caller asks for fewer or more.
pub const HISTORY_PAGE_EVENTS_DEFAULT: u32 = 20;
/// Events on one page of a member's history.
pub const HISTORY_PAGE_EVENTS_MAX: u32 = 100;
/// Cards named in a member's own view.
pub const CARDS_SHOWN_MAX: usize = 100;

// Connections.

/// Connections one gateway keeps open.
pub const CONNECTIONS_MAX: usize = 10_000;
/// How long a TLS handshake may take.
pub const TLS_HANDSHAKE_TIMEOUT_MS: u64 = 5_000;
/// How long the head of a request may take, from its first byte.
pub const HEADER_TIMEOUT_MS: u64 = 10_000;
/// How long a connection may stay open between two requests.
pub const IDLE_TIMEOUT_MS: u64 = 75_000;
/// How long the other side may refuse to take what is sent to it.
pub const WRITE_STALL_TIMEOUT_MS: u64 = 30_000;
/// How long a gateway that was asked to stop goes on serving while its readiness is false already.
pub const DRAIN_S_DEFAULT: u64 = 2;
/// How long requests in flight may take to finish once the gateway shuts down.
pub const SHUTDOWN_GRACE_MS: u64 = 20_000;
/// How long to pause when the system has no more file descriptors.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// Header fields of one request.
pub const HEADER_FIELDS_MAX: usize = 64;
/// Bytes in the head of one request.
pub const HEADER_BYTES_MAX: usize = 16 * 1_024;
/// Requests at once on one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 128;
/// How often a quiet HTTP/2 connection with work in flight is asked whether it lives; also how long
/// it may take to say so.
pub const HTTP2_PING_S: u64 = 20;

// Tokens and card proofs.

/// Life of an access token.
pub const ACCESS_TOKEN_LIFE_S: i64 = 3_600;
/// Life of the token of staff that signed in with OpenID. Nobody can take it back before.
pub const STAFF_SESSION_S: i64 = 900;
/// By how much another gateway's clock may differ when a token is checked.
pub const ACCESS_TOKEN_LEEWAY_S: i64 = 5;
/// How long a new signing key is published before it signs. Everybody who keeps keys for
/// [`JWKS_MAX_AGE_S`] has it by then.
pub const SIGNING_KEY_LEAD_S: i64 = 600;
/// How long others may keep the published keys.
pub const JWKS_MAX_AGE_S: i64 = 300;
/// How often a gateway reads the signing keys again.
pub const SIGNING_KEYS_REFRESH_S: u64 = 60;
/// How soon an unknown key id may make a gateway read the signing keys again.
pub const SIGNING_KEYS_UNKNOWN_REFRESH_S: i64 = 5;
/// How long a gateway believes what it last read of a client: how soon a disabled client is shut out.
pub const CLIENT_STANDING_S: u64 = 30;
/// Longest life of a card proof.
pub const CARD_PROOF_LIFE_S_MAX: i64 = 60;
/// By how much a phone's clock may run ahead or behind when a card proof is checked.
pub const CARD_PROOF_LEEWAY_S: i64 = 15;
/// Characters in the `jti` of a card proof.
pub const CARD_PROOF_ID_CHARS_MAX: usize = 128;

// Caches. None of them decides anything; what is not there is looked up.

/// Access tokens whose signature was checked.
pub const TOKEN_CACHE_ENTRIES_MAX: u64 = 50_000;
/// Clients whose standing was read.
pub const CLIENT_CACHE_ENTRIES_MAX: u64 = 20_000;
/// How long a gateway believes what a store is called.
pub const PLACE_NAME_S: u64 = 60;
/// Stores whose name was read.
pub const PLACE_NAMES_MAX: u64 = 20_000;
/// Cards whose public key is ready to verify.
pub const CARD_CACHE_ENTRIES_MAX: u64 = 100_000;
/// Card proofs seen, kept so that none is taken twice.
pub const CARD_PROOFS_SEEN_ENTRIES_MAX: u64 = 500_000;
/// Merged members whose other records a gateway remembers.
pub const FAMILY_CACHE_ENTRIES_MAX: u64 = 1_000_000;
/// Authorizations and purchases whose member is known.
pub const OWNER_CACHE_ENTRIES_MAX: u64 = 100_000;

// Rates per caller. A burst is what may come at once.

/// Requests of one till or system.
pub const CLIENT_REQUESTS_PER_S: u32 = 200;
/// Requests of one till or system at once.
pub const CLIENT_BURST_REQUESTS: u32 = 400;
/// Requests of one card.
pub const CARD_REQUESTS_PER_S: u32 = 5;
/// Requests of one card at once.
pub const CARD_BURST_REQUESTS: u32 = 30;
/// Token requests, enrolments and failed credentials from one address. Many phones share the address of
/// one mobile network.
pub const PEER_REQUESTS_PER_S: u32 = 50;
/// The same at once.
pub const PEER_BURST_REQUESTS: u32 = 500;
/// Genuine webhooks of one shop. Far more than a shop sells: only a fault or a replay comes to this.
pub const SHOP_WEBHOOKS_PER_S: u32 = 200;
/// The same at once.
pub const SHOP_BURST_WEBHOOKS: u32 = 2_000;
/// Webhooks for one shop that are not believed, from one address at once; beyond them nobody is told why.
pub const FORGERY_BURST: u32 = 60;
/// How soon another one may come.
pub const FORGERY_EVERY_S: u64 = 5;
/// Codes one member may type at once.
pub const GUESS_BURST: u32 = 10;
/// How soon it may type another one.
pub const GUESS_EVERY_S: u64 = 60;
/// Codes typed from one address at once; many phones share one.
pub const PEER_GUESS_BURST: u32 = 100;
/// How soon another one may be typed there.
pub const PEER_GUESS_EVERY_S: u64 = 6;
/// Codes one member may have sent to addresses at once.
pub const MESSAGE_BURST: u32 = 5;
/// How soon another one may be sent.
pub const MESSAGE_EVERY_S: u64 = 300;
/// Codes that phones at one address may have sent at once.
pub const PEER_MESSAGE_BURST: u32 = 50;
/// How soon another one may be sent for them.
pub const PEER_MESSAGE_EVERY_S: u64 = 30;
/// Codes sent to one address at once, whoever asks for them.
pub const RECEIVER_BURST: u32 = 3;
/// How soon another one may be sent there.
pub const RECEIVER_EVERY_S: u64 = 600;
/// Callers whose rate is remembered, per kind of caller.
pub const RATE_KEYS_MAX: u64 = 100_000;
/// After this long without a request a caller's rate is forgotten: its bucket is full again by then.
pub const RATE_KEY_IDLE_S: u64 = 120;

// Guesses: texts of cards that turned out not to be genuine, though they might have been. What they come
// to in a day is in docs/cards.md, and a test holds it there.

/// Tries at one terminal at once.
pub const GUESSES_PER_TERMINAL_BURST: u32 = 50;
/// How soon one grows back.
pub const GUESSES_PER_TERMINAL_EVERY_S: u64 = 60;
/// Tries at all terminals of one store at once.
pub const GUESSES_PER_STORE_BURST: u32 = 500;
/// How soon one grows back.
pub const GUESSES_PER_STORE_EVERY_S: u64 = 6;
/// Tries of one number at once.
pub const GUESSES_PER_NUMBER_BURST: u32 = 10;
/// How soon one grows back.
pub const GUESSES_PER_NUMBER_EVERY_S: u64 = 600;
/// How far back the password of a wallet pass is looked for: a basket that showed it a while ago shows it
/// again when it pays.
pub const PASS_LOOK_BACK_S: i64 = 3_600;

// Wallet passes.

/// Cards of one member that are numbers, passes and plastic: no more passes are made beyond.
pub const NUMBER_CARDS_PER_MEMBER_MAX: usize = 5;

// Streams to phones.

/// Streams one gateway keeps open.
pub const STREAMS_MAX: usize = 5_000;
/// Streams one member may have open on one gateway.
pub const STREAMS_PER_MEMBER_MAX: usize = 8;
/// Life of a stream; the phone connects again and continues where it was.
pub const STREAM_LIFE_S_MAX: u64 = 900;
/// How often a quiet stream sends a comment.
pub const STREAM_HEARTBEAT_S: u64 = 15;
/// How often the store is asked for new events of the members that watch.
pub const STREAM_POLL_MS: u64 = 400;
/// Events sent to one stream from one look at the store.
pub const STREAM_PAGE_EVENTS: u32 = 100;

// EC shops.

/// Bytes in the body of a webhook, or of a call that reports orders.
pub const WEBHOOK_BYTES_MAX: usize = 1_024 * 1_024;
/// How far the time that a webhook claims may be away. Shopify tries again for four hours.
pub const WEBHOOK_WINDOW_S: i64 = 6 * 3_600;
/// Orders in one call.
pub const STATEMENTS_MAX: usize = 100;
/// How long a secret stays good after another took its place. Shopify signs with the old one for up to an
/// hour.
pub const SHOP_SECRET_OVERLAP_S: i64 = 3_600;
/// Shops that were read.
pub const SHOP_CACHE_ENTRIES_MAX: u64 = 10_000;
/// How long a gateway believes what it last read of a shop: how soon a new secret is good and a disabled
/// shop shut out.
pub const SHOP_STANDING_S: u64 = 5;
/// Calls and webhooks that wait to be written.
pub const INTAKE_CALLERS_WAITING_MAX: usize = 4_096;
/// Bytes of bodies that wait to be written.
pub const INTAKE_BYTES_WAITING_MAX: usize = 64 * 1_024 * 1_024;
/// Calls and webhooks written in one transaction.
pub const INTAKE_CALLERS_TOGETHER_MAX: usize = 256;
/// How often one transaction is tried when another gateway is in the way.
pub const INTAKE_TRIES_MAX: u32 = 5;
/// Messages in the works at once.
pub const INTAKE_IN_FLIGHT_MAX: usize = 128;
/// How often the inbox is looked at unasked, for what other gateways took.
pub const INTAKE_POLL_MS: u64 = 200;
/// The first pause before a message is tried again; twice as long after each further try.
pub const INTAKE_AGAIN_MS_MIN: i64 = 500;
/// The longest pause.
pub const INTAKE_AGAIN_MS_MAX: i64 = 300_000;
/// How often a message is tried again after a fault.
pub const INTAKE_FAULTS_MAX: u32 = 5;
/// How often a message is tried again while its shop refuses to be asked: for a day, with the pauses above.
pub const INTAKE_REFUSALS_MAX: u32 = 300;
/// How long giving the lease back may take.
pub const INTAKE_RELEASE_TIMEOUT_MS: u64 = 2_000;
/// How often the inbox is cleared and shops are looked at that have to be asked.
pub const INTAKE_UPKEEP_S: u64 = 30;
/// How often the length and age of the inbox are measured.
pub const INTAKE_MEASURE_S: u64 = 5;
/// How long settled messages are kept, so that repeats are known.
pub const INBOX_KEEP_DAYS: i64 = 14;
/// Messages removed in one transaction.
pub const INBOX_PRUNE_ROWS: u32 = 500;
/// Minutes between two looks for orders that no webhook of an EC-CUBE shop told of.
pub const EC_CUBE_POLL_MINUTES_DEFAULT: u32 = 10;
/// Minutes by which a look reaches further back than the one before.
pub const EC_CUBE_POLL_OVERLAP_MINUTES: i64 = 15;
/// Pages of one look. What is more is read in later looks, the oldest first.
pub const EC_CUBE_POLL_PAGES_MAX: u32 = 100;
/// Orders that one EC-CUBE shop is asked for at once.
pub const EC_CUBE_QUESTIONS_MAX: usize = 8;
/// When a message is looked at again for which there was no room among those.
pub const EC_CUBE_BUSY_MS: i64 = 500;
/// How much later each further one is looked at, so that a long line costs no more than a short one.
pub const EC_CUBE_TURN_MS: i64 = 20;
/// How long an EC-CUBE shop that was away is left alone.
pub const EC_CUBE_REST_MS: i64 = 10_000;
/// Link codes that one shop system may try a second.
pub const LINK_TRIES_PER_S: u32 = 1;
/// The same at once.
pub const LINK_BURST_TRIES: u32 = 30;
/// Link codes that one shop system or one till may have made a second.
pub const LINK_CODES_PER_S: u32 = 1;
/// The same at once.
pub const LINK_BURST_CODES: u32 = 100;

// The console.

/// How old a figure may be that is shown again.
pub const FIGURE_CACHE_S: u64 = 30;
/// Figures that are kept to be shown again.
pub const FIGURE_CACHE_ENTRIES_MAX: u64 = 64;
/// Periods one figure may tell of.
pub const FIGURE_PERIODS_MAX: usize = 400;
/// Members that a search finds.
pub const MEMBERS_FOUND_MAX: u32 = 100;
/// Proposals that are listed.
pub const PROPOSALS_LISTED_MAX: u32 = 200;
/// Groups of members that may be one person, listed at once.
pub const CANDIDATES_LISTED_MAX: usize = 200;
/// Groups that are looked at for one list; most are one person already where merging is up to date.
pub const CANDIDATES_LOOKED_AT_MAX: usize = 1_000;
/// How long ago an ID token of staff may have been issued, in seconds.
pub const STAFF_ID_TOKEN_AGE_S: i64 = 300;
/// ID tokens that signed staff in and may not do so again, kept at most.
pub const STAFF_SIGN_INS_SEEN_MAX: u64 = 10_000;
/// Stores, and categories, that points of an adjustment may be bound to.
pub const SCOPE_ENTRIES_MAX: usize = 32;
/// Accesses to personal data shown with a member.
pub const ACCESSES_SHOWN_MAX: u32 = 50;
/// Proposals about a member that the console shows, the newest.
pub const PROPOSALS_SHOWN_MAX: u32 = 50;
/// How far back adjustments count that somebody made alone.
pub const ADJUSTED_ALONE_HOURS: i64 = 24;

// The relay to the broker.

/// Events sent to the broker and not confirmed.
pub const RELAY_IN_FLIGHT_EVENTS_MAX: usize = 256;
/// Events taken from the outbox and not confirmed.
pub const RELAY_TAKEN_EVENTS_MAX: usize = 4_000;
/// Bytes of those beyond which no more are taken.
pub const RELAY_TAKEN_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// Events that the broker did not take, beyond which no more are taken from the outbox: nobody seems to
/// listen.
pub const RELAY_PARKED_EVENTS_MAX: usize = 1_000;
/// How long an event waits after the broker did not take it; twice as long after each further time.
pub const RELAY_PARKED_MS_MIN: u64 = 500;
/// How long it waits at most.
pub const RELAY_PARKED_MS_MAX: u64 = 10_000;
/// Events taken from the outbox in the first transaction; twice as many in each further one, as long as
/// they are small.
pub const RELAY_PAGE_EVENTS_MIN: usize = 64;
/// Bytes of a page beyond which the next one has half as many events.
pub const RELAY_PAGE_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// How far behind the first waiting position a look at the outbox begins: who commits late may have
/// drawn a lower one.
pub const RELAY_LOOK_BACK_POSITIONS: i64 = 10_000;
/// How often a look begins at the very beginning. Longer than a transaction can last.
pub const RELAY_FULL_LOOK_MS: u64 = 30_000;
/// Events taken from the outbox in one transaction.
pub const RELAY_PAGE_EVENTS_MAX: usize = 1_000;
/// The same on SQLite, where tills wait for the transaction.
pub const RELAY_PAGE_EVENTS_SQLITE_MAX: usize = 250;
/// The shortest pause between two looks at the outbox, unless there is more than a page.
pub const RELAY_PAUSE_MS: u64 = 25;
/// How often the outbox is looked at unasked, for what other gateways committed.
pub const RELAY_POLL_MS: u64 = 200;
/// How long one transaction of the relay may take.
pub const RELAY_TURN_TIMEOUT_MS: u64 = 5_000;
/// How often the holder of the lease shows that it lives.
pub const RELAY_BEAT_MS: u64 = 700;
/// How long a holder that cannot show it goes on sending.
pub const RELAY_HOLD_MS: u64 = 2_000;
/// How long a lease must stand still before another gateway takes it.
pub const RELAY_UNSEEN_MS: u64 = 3_000;
/// How often a gateway without the lease looks at it.
pub const RELAY_CONTEND_MS: u64 = 500;
/// How long a holder keeps the lease while it has no connection to the broker.
pub const RELAY_KEEP_LEASE_MS: u64 = 5_000;
/// How long a relay that is asked to stop waits for what is in flight.
pub const RELAY_STOP_GRACE_MS: u64 = 3_000;
/// How often the length and age of the outbox are measured.
pub const OUTBOX_MEASURE_S: u64 = 5;
/// How old the oldest event in the outbox may be before an alarm is due.
pub const OUTBOX_AGE_ALARM_S: i64 = 300;

// The broker.

/// How long the broker may take to answer while a connection is made, step by step.
pub const BROKER_CONNECT_TIMEOUT_MS: u64 = 10_000;
/// How long it may take to confirm a message, unless it has said that it is blocked.
pub const BROKER_CONFIRM_TIMEOUT_MS: u64 = 30_000;
/// How often both sides show that the connection lives, unless the URL says otherwise.
pub const BROKER_HEARTBEAT_S: u16 = 10;
/// The first pause before connecting again; twice as long after each further failure.
pub const BROKER_RECONNECT_MS_MIN: u64 = 200;
/// The longest pause.
pub const BROKER_RECONNECT_MS_MAX: u64 = 10_000;
/// The pause where the broker refuses for a reason that only people can mend.
pub const BROKER_REFUSED_RECONNECT_MS: u64 = 30_000;
/// How long a connection must have stood for its loss to be news.
pub const BROKER_STOOD_MS: u64 = 60_000;
/// How often exchange and queues are declared again because messages come back.
pub const BROKER_REDECLARE_MS_MIN: u64 = 1_000;
/// How often a queue gives a message to a consumer that fails, before it goes to the dead letters.
pub const BROKER_DELIVERIES_MAX: u32 = 20;

/// What does not fit together, if anything.
#[must_use]
pub fn check() -> Option<&'static str> {
    let rules = [
        (
            ACCESS_TOKEN_LIFE_S <= 3_600,
            "an access token lives at most an hour",
        ),
        (
            SIGNING_KEY_LEAD_S > JWKS_MAX_AGE_S,
            "a new key must be known before it signs",
        ),
        (
            SIGNING_KEY_LEAD_S.unsigned_abs() > SIGNING_KEYS_REFRESH_S,
            "every gateway must have read a new key before it signs",
        ),
        (
            BATCH_COMMANDS_MAX <= LANE_QUEUE_COMMANDS_MAX,
            "a batch is taken from a queue",
        ),
        (
            STREAM_HEARTBEAT_S < STREAM_LIFE_S_MAX,
            "a stream lives longer than one heart-beat",
        ),
        (
            HISTORY_PAGE_EVENTS_DEFAULT <= HISTORY_PAGE_EVENTS_MAX,
            "a page is at most a page",
        ),
        (
            2 * RELAY_BEAT_MS < RELAY_HOLD_MS && RELAY_HOLD_MS + RELAY_BEAT_MS < RELAY_UNSEEN_MS,
            "a holder of the relay's lease stops before another one starts, and not for one late beat",
        ),
        (
            WEBHOOK_WINDOW_S > 4 * 3_600,
            "a webhook that is tried again for four hours must still be timely",
        ),
        (
            WEBHOOK_BYTES_MAX <= INTAKE_BYTES_WAITING_MAX,
            "the largest webhook must fit into the queue",
        ),
        (
            RELAY_IN_FLIGHT_EVENTS_MAX <= RELAY_TAKEN_EVENTS_MAX
                && RELAY_PARKED_EVENTS_MAX <= RELAY_TAKEN_EVENTS_MAX
                && RELAY_PAGE_EVENTS_MAX <= RELAY_TAKEN_EVENTS_MAX,
            "events are taken before they are sent or parked",
        ),
    ];
    rules
        .into_iter()
        .find(|(holds, _)| !holds)
        .map(|(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_limits_fit_together() {
        assert_eq!(super::check(), None);
    }
}
