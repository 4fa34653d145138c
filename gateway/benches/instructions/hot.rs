//! Functions on the hot path, each alone. What prepares one is the same for any number of rounds.

use std::{hint::black_box, path::Path};

use anyhow::{Result, ensure};
use axum::{
    body::Body,
    extract::FromRequest as _,
    http::{Request, header},
};
use futures_util::FutureExt as _;
use gateway::http::Json;
use ledger::{command::Command, decide, decision::Answer};
use member_card::{CardFields, CardText, ProgrammeId, SpendLimit};
use pos_protocol::{AuthorizationAnswer, AuthorizationRequest, PurchaseRequest};

use crate::{
    door::{self, Door},
    shop,
};

#[path = "../../ledger/benches/shop/mod.rs"]
mod memory;

use memory::Shop;

/// Does its work once.
type Round = Box<dyn FnMut()>;

/// A name, rounds between the two counts, and what makes a round ready.
type Function = (&'static str, usize, fn(&Path) -> Result<Round>);

/// Every function by its name, and how many rounds tell its cost apart from what preparing it costs.
const FUNCTIONS: &[Function] = &[
    ("card: parse and decode", 2000, |_| parse_card()),
    ("card: verify", 128, |_| verify_card()),
    ("card: sign (phone)", 128, |_| sign_card()),
    ("proof: sign (phone)", 128, |_| sign_proof()),
    ("json: read an authorization", 1000, |_| {
        read_authorization()
    }),
    ("json: read a purchase", 400, |_| read_purchase()),
    ("json: write an authorization's answer", 2000, |_| {
        write_answer()
    }),
    ("ledger: decide an authorization", 1000, |_| {
        decide_one(Shop::authorization)
    }),
    ("ledger: decide a purchase", 300, |_| {
        decide_one(Shop::purchase)
    }),
    ("ledger: fold 32 authorizations", 64, |_| fold_batch()),
    ("http: a route for everybody", 6000, |shop| {
        call(shop, door::OPEN)
    }),
    ("http: a route for tills, token known", 4000, |shop| {
        call(shop, door::TILL)
    }),
];

/// The names, each after its rounds.
pub(crate) fn names() -> impl Iterator<Item = String> {
    let lines = FUNCTIONS.iter();
    lines.map(|(name, rounds, _)| format!("{rounds} {name}"))
}

/// In a prepared directory, runs one of them `count` times.
pub(crate) fn run(directory: &Path, name: &str, count: usize) -> Result<()> {
    let found = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    let (.., prepare) = found.ok_or_else(|| anyhow::anyhow!("no such function: {name}"))?;
    let mut round = prepare(directory)?;
    for _ in 0..count {
        round();
    }
    Ok(())
}

fn parse_card() -> Result<Round> {
    let digits = shop::text(&shop::phone(1)?, "demo")?;
    Ok(Box::new(move || {
        let text = CardText::parse(black_box(&digits)).expect("a card text");
        black_box(text.decode());
    }))
}

fn verify_card() -> Result<Round> {
    let programme = ProgrammeId::new("demo")?;
    let mut cards = Vec::new();
    for number in 0..64 {
        // How long a verification takes depends on the signature a little.
        let phone = shop::phone(number)?;
        let card = CardText::parse(&shop::text(&phone, "demo")?)?.decode();
        cards.push((phone.public_key().clone(), card));
    }
    let mut next = 0;
    Ok(Box::new(move || {
        let (key, card) = &cards[next % cards.len()];
        next += 1;
        black_box(card)
            .verify(key, &programme)
            .expect("a genuine card");
    }))
}

fn sign_card() -> Result<Round> {
    let (phone, programme) = (shop::phone(1)?, ProgrammeId::new("demo")?);
    let mut issued_at = 1_795_316_400;
    Ok(Box::new(move || {
        issued_at += 1;
        let spend = SpendLimit::Unlimited;
        let fields = CardFields { issued_at, spend };
        black_box(phone.sign(fields, &programme).expect("a limit that fits"));
    }))
}

fn sign_proof() -> Result<Round> {
    let (phone, programme) = (shop::phone(1)?, ProgrammeId::new("demo")?);
    let mut issued_at = 1_795_316_400;
    Ok(Box::new(move || {
        issued_at += 1;
        let request = member_card::proof::Request {
            programme: &programme,
            issued_at,
            id: "a-name-nobody-used-before",
            method: "GET",
            url: "/v1/me",
        };
        black_box(member_card::proof::sign(&phone, &request));
    }))
}

/// Reads a body as a handler does: media type, limits, depth, fields.
fn read<T: serde::de::DeserializeOwned + 'static>(body: String) -> Result<Round> {
    let read = move || {
        let request = Request::builder()
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len())
            .body(Body::from(body.clone()))
            .expect("a request");
        let read = Json::<T>::from_request(request, &()).now_or_never();
        black_box(read.expect("all of it is there").expect("a message").0);
    };
    // Waiting for a body needs a timer.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    Ok(Box::new(move || {
        let _entered = runtime.enter();
        read();
    }))
}

fn read_authorization() -> Result<Round> {
    let text = shop::text(&shop::phone(1)?, "demo")?;
    read::<AuthorizationRequest>(format!(
        r#"{{"request_id":"0190f2d5-till","basket_id":"basket-42","card":"{text}","points":100}}"#
    ))
}

fn read_purchase() -> Result<Round> {
    let request = PurchaseRequest {
        request_id: "0190f2d5-till".parse()?,
        basket_id: "basket-42".parse()?,
        card: Some(shop::text(&shop::phone(1)?, "demo")?),
        authorization_id: None,
        redeem_points: None,
        receipt: memory::receipt(shop::start()),
        advice: None,
    };
    read::<PurchaseRequest>(serde_json::to_string(&request)?)
}

fn write_answer() -> Result<Round> {
    let mut shop = Shop::open(1);
    let command = shop.authorization(0);
    let Answer::Message(json) = decide(&shop.state, &command, shop.now).answer else {
        anyhow::bail!("no answer");
    };
    let answer: AuthorizationAnswer = serde_json::from_str(&json)?;
    Ok(Box::new(move || {
        black_box(serde_json::to_string(black_box(&answer)).expect("plain data"));
    }))
}

fn decide_one(make: fn(&mut Shop, u64) -> Command) -> Result<Round> {
    let mut shop = Shop::open(4);
    let command = make(&mut shop, 2);
    let (state, now) = (shop.loaded(std::slice::from_ref(&command)), shop.now);
    ensure!(memory::is_approved(&decide(&state, &command, now).answer));
    Ok(Box::new(move || {
        black_box(decide(black_box(&state), black_box(&command), now));
    }))
}

/// What the writer does with a batch between reading and writing.
fn fold_batch() -> Result<Round> {
    let mut shop = Shop::open(32);
    let commands: Vec<Command> = (0..32).map(|member| shop.authorization(member)).collect();
    let now = shop.now;
    Ok(Box::new(move || {
        black_box(memory::fold(&shop.state, &commands, now));
    }))
}

fn call(directory: &Path, path: &'static str) -> Result<Round> {
    crate::gateway_here::start_log()?;
    let door = Door::open(directory)?;
    // What is looked up once is in its cache afterwards.
    door.call(path);
    Ok(Box::new(move || door.call(path)))
}
