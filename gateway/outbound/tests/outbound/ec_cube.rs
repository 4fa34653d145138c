//! A shop's API: questions, access tokens that end, refresh tokens that change hands.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use outbound::{
    ec_cube::{
        Cause, EcCube, FetchError, Grant, RefreshToken, RefreshTokens, Refusal, Shop, StoreFault,
    },
    https::Fault,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::server::{ANSWER_BYTES_MAX, Nobody, Server, at, client, impatient_client};

const CLIENT: (&str, &str) = ("points", "s3cret");

/// A shop that gives out `access-1`, `access-2`, … and, if it rotates, `refresh-1`, `refresh-2`, …
struct ShopState {
    /// The refresh token that is good now.
    refresh: Mutex<String>,
    rotates: bool,
    /// Of an access token, as the shop tells it.
    life_s: Mutex<Option<u32>>,
    /// Access tokens given out so far.
    given_out: AtomicUsize,
    /// The number of the only access token that is good, if it is not the last one.
    good: Mutex<Option<usize>>,
    /// What the next requests get instead.
    odd_api: Mutex<Vec<(StatusCode, String)>>,
    odd_token: Mutex<Vec<(StatusCode, String)>>,
    asked: AtomicUsize,
    grants: Mutex<Vec<String>>,
    /// Where it is there, tokens wait for its permits; each that waits says so first.
    gate: Option<(Semaphore, Semaphore)>,
}

async fn give_token(
    State(shop): State<Arc<ShopState>>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    if let Some((arrived, open)) = &shop.gate {
        arrived.add_permits(1);
        open.acquire().await.unwrap().forget();
    }
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    shop.grants
        .lock()
        .unwrap()
        .push(field("grant_type").to_owned());
    if let Some((status, body)) = shop.odd_token.lock().unwrap().pop() {
        return (status, body).into_response();
    }
    let mut refresh = shop.refresh.lock().unwrap();
    let is_good = match field("grant_type") {
        "refresh_token" => field("refresh_token") == *refresh,
        "client_credentials" => true,
        _ => false,
    };
    if (field("client_id"), field("client_secret")) != CLIENT {
        return (StatusCode::UNAUTHORIZED, "").into_response();
    }
    if !is_good {
        return (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response();
    }
    let number = 1 + shop.given_out.fetch_add(1, Ordering::SeqCst);
    let mut answer = json!({ "token_type": "Bearer", "access_token": format!("access-{number}") });
    if let Some(life) = *shop.life_s.lock().unwrap() {
        answer["expires_in"] = json!(life);
    }
    if shop.rotates {
        *refresh = format!("refresh-{number}");
    }
    answer["refresh_token"] = json!(*refresh);
    Json(answer).into_response()
}

async fn answer(
    State(shop): State<Arc<ShopState>>,
    head: HeaderMap,
    Json(query): Json<Value>,
) -> Response {
    shop.asked.fetch_add(1, Ordering::SeqCst);
    if let Some((status, body)) = shop.odd_api.lock().unwrap().pop() {
        return (status, body).into_response();
    }
    let last = shop.given_out.load(Ordering::SeqCst);
    let good = shop.good.lock().unwrap().unwrap_or(last);
    if head["authorization"] != format!("Bearer access-{good}") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({ "data": { "echo": query["variables"] }, "errors": [] })).into_response()
}

/// Keeps one refresh token, as the gateway's store does for all gateways.
struct Kept {
    token: Mutex<String>,
    stored: Mutex<Vec<(String, String)>>,
    fails: Mutex<bool>,
}

impl RefreshTokens for Kept {
    fn load(&self) -> BoxFuture<'_, Result<RefreshToken, StoreFault>> {
        async { Ok(RefreshToken::new(self.token.lock().unwrap().clone())) }.boxed()
    }

    fn store(
        &self,
        used: RefreshToken,
        new: RefreshToken,
    ) -> BoxFuture<'_, Result<(), StoreFault>> {
        async move {
            if *self.fails.lock().unwrap() {
                return Err(StoreFault);
            }
            *self.token.lock().unwrap() = new.expose().to_owned();
            let pair = (used.expose().to_owned(), new.expose().to_owned());
            self.stored.lock().unwrap().push(pair);
            Ok(())
        }
        .boxed()
    }
}

struct Scene {
    server: Server,
    shop: Arc<ShopState>,
    kept: Arc<Kept>,
    gateway: EcCube,
}

impl Scene {
    async fn new(rotates: bool) -> Self {
        Self::with(rotates, None).await
    }

    async fn with(rotates: bool, gate: Option<(Semaphore, Semaphore)>) -> Self {
        let shop = Arc::new(ShopState {
            refresh: Mutex::new("refresh-0".to_owned()),
            rotates,
            life_s: Mutex::new(Some(3_600)),
            given_out: AtomicUsize::new(0),
            good: Mutex::default(),
            odd_api: Mutex::default(),
            odd_token: Mutex::default(),
            asked: AtomicUsize::new(0),
            grants: Mutex::default(),
            gate,
        });
        let router = Router::new()
            .route("/shop/token", post(give_token))
            .route("/shop/api", post(answer))
            .with_state(shop.clone());
        let server = Server::start(router).await;
        let kept = Arc::new(Kept {
            token: Mutex::new("refresh-0".to_owned()),
            stored: Mutex::default(),
            fails: Mutex::new(false),
        });
        let gateway = gateway(&server.base, Grant::RefreshToken(kept.clone()));
        Self {
            server,
            shop,
            kept,
            gateway,
        }
    }

    async fn ask(&self, seconds: i64) -> Result<Value, FetchError> {
        ask(&self.gateway, seconds).await
    }

    /// Access tokens given out and questions asked.
    fn counts(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (of(&self.shop.given_out), of(&self.shop.asked))
    }
}

fn gateway(base: &str, grant: Grant) -> EcCube {
    EcCube::new(client(), shop(base, grant))
}

fn shop(base: &str, grant: Grant) -> Shop {
    let (id, secret) = (CLIENT.0.to_owned(), CLIENT.1.to_owned());
    Shop::new(&format!("{base}/shop/"), id, secret, grant).unwrap()
}

async fn ask(gateway: &EcCube, seconds: i64) -> Result<Value, FetchError> {
    let query =
        json!({ "query": "query ($id: ID!) { order(id: $id) { id } }", "variables": { "id": 7 } });
    let answer = gateway.fetch(&query, at(seconds)).await?;
    Ok(answer["data"]["echo"]["id"].clone())
}

#[tokio::test]
async fn an_access_token_serves_until_shortly_before_its_end() {
    for (life_s, last_use) in [(Some(3_600), 3_539), (None, 239)] {
        let scene = Scene::new(true).await;
        *scene.shop.life_s.lock().unwrap() = life_s;
        for (seconds, given_out) in [(0, 1), (last_use, 1), (last_use + 1, 2), (last_use + 2, 2)] {
            assert_eq!(scene.ask(seconds).await, Ok(json!(7)));
            assert_eq!(scene.counts().0, given_out, "{life_s:?} {seconds}");
        }
        let stored = scene.kept.stored.lock().unwrap().clone();
        let pair = |used: &str, new: &str| (used.to_owned(), new.to_owned());
        let expected = [
            pair("refresh-0", "refresh-1"),
            pair("refresh-1", "refresh-2"),
        ];
        assert_eq!(stored, expected);
    }
}

#[tokio::test]
async fn a_refresh_token_that_stays_is_not_stored_again() {
    let scene = Scene::new(false).await;
    for seconds in [0, 3_600] {
        assert_eq!(scene.ask(seconds).await, Ok(json!(7)));
    }
    assert_eq!(scene.counts(), (2, 2));
    assert!(scene.kept.stored.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_access_token_is_renewed_once() {
    let scene = Scene::new(true).await;
    assert_eq!(scene.ask(0).await, Ok(json!(7)));
    // The shop forgot the first one.
    *scene.shop.good.lock().unwrap() = Some(2);
    assert_eq!(scene.ask(1).await, Ok(json!(7)));
    assert_eq!(scene.counts(), (2, 3));
    // It forgets every one.
    *scene.shop.good.lock().unwrap() = Some(99);
    let refused = Err(FetchError::Refused(Refusal::AccessToken));
    assert_eq!(scene.ask(2).await, refused);
    assert_eq!(scene.counts(), (3, 5));
}

#[tokio::test]
async fn many_at_once_renew_once() {
    let scene = Scene::new(true).await;
    let ask_all = || async { join_all((0..50).map(|_| scene.ask(0))).await };
    assert!(ask_all().await.iter().all(Result::is_ok));
    assert_eq!(scene.counts(), (1, 50));
    *scene.shop.good.lock().unwrap() = Some(2);
    assert!(ask_all().await.iter().all(Result::is_ok));
    assert_eq!(scene.counts().0, 2);
}

#[tokio::test]
async fn those_who_wait_for_a_renewal_that_fails_do_not_each_try_again() {
    let gate = (Semaphore::new(0), Semaphore::new(0));
    let scene = Scene::with(true, Some(gate)).await;
    let (arrived, open) = scene.shop.gate.as_ref().unwrap();
    let odd = (StatusCode::SERVICE_UNAVAILABLE, String::new());
    *scene.shop.odd_token.lock().unwrap() = vec![odd; 50];
    let asked = join_all((0..50).map(|_| scene.ask(0)));
    // By the time the first has reached the shop the others wait: all are polled by this one task.
    let opened = async {
        drop(arrived.acquire().await.unwrap());
        open.add_permits(50);
    };
    let (outcomes, ()) = tokio::join!(asked, opened);
    let down = Err(FetchError::Retry(Cause::Exchange(Fault::Status(503))));
    assert!(outcomes.iter().all(|outcome| *outcome == down));
    assert_eq!(scene.shop.grants.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_lose_a_rotated_token() {
    let gate = (Semaphore::new(0), Semaphore::new(0));
    let scene = Scene::with(true, Some(gate)).await;
    let (arrived, open) = scene.shop.gate.as_ref().unwrap();
    tokio::select! {
        biased;
        outcome = scene.ask(0) => panic!("{outcome:?}"),
        arrived = arrived.acquire() => drop(arrived.unwrap()),
    }
    open.add_permits(1);
    assert_eq!(scene.ask(0).await, Ok(json!(7)));
    assert_eq!(scene.counts(), (1, 1));
    assert_eq!(*scene.kept.token.lock().unwrap(), "refresh-1");
}

#[tokio::test]
async fn nothing_is_asked_until_a_rotated_token_is_stored() {
    let scene = Scene::new(true).await;
    *scene.kept.fails.lock().unwrap() = true;
    let not_stored = Err(FetchError::Retry(Cause::Store(StoreFault)));
    for seconds in [0, 1, 4_000] {
        assert_eq!(scene.ask(seconds).await, not_stored);
    }
    assert_eq!(scene.counts(), (1, 0));
    *scene.kept.fails.lock().unwrap() = false;
    assert_eq!(scene.ask(2).await, Ok(json!(7)));
    assert_eq!(scene.counts(), (1, 1));
    assert_eq!(*scene.kept.token.lock().unwrap(), "refresh-1");
}

#[tokio::test]
async fn two_gateways_share_one_refresh_token() {
    let scene = Scene::new(true).await;
    let second = gateway(&scene.server.base, Grant::RefreshToken(scene.kept.clone()));
    assert_eq!(scene.ask(0).await, Ok(json!(7)));
    assert_eq!(ask(&second, 0).await, Ok(json!(7)));
    assert_eq!(scene.ask(0).await, Ok(json!(7)));
    assert_eq!(
        *scene.kept.token.lock().unwrap(),
        *scene.shop.refresh.lock().unwrap()
    );
}

/// Tells an old token first, as a store does when another gateway rotates at the same moment.
struct Late(Arc<Kept>, AtomicUsize);

impl RefreshTokens for Late {
    fn load(&self) -> BoxFuture<'_, Result<RefreshToken, StoreFault>> {
        match self.1.fetch_add(1, Ordering::SeqCst) {
            0 => async { Ok(RefreshToken::new("refresh-old".to_owned())) }.boxed(),
            _ => self.0.load(),
        }
    }

    fn store(
        &self,
        used: RefreshToken,
        new: RefreshToken,
    ) -> BoxFuture<'_, Result<(), StoreFault>> {
        self.0.store(used, new)
    }
}

#[tokio::test]
async fn a_refused_refresh_token_is_read_again_before_the_operator_is_called() {
    let scene = Scene::new(true).await;
    let late = Late(scene.kept.clone(), AtomicUsize::new(0));
    let gateway = gateway(&scene.server.base, Grant::RefreshToken(Arc::new(late)));
    assert_eq!(ask(&gateway, 0).await, Ok(json!(7)));
    assert_eq!(scene.shop.grants.lock().unwrap().len(), 2);

    "refresh-lost".clone_into(&mut scene.kept.token.lock().unwrap());
    let refused = Err(FetchError::Refused(Refusal::Grant));
    assert_eq!(scene.ask(0).await, refused);
    assert_eq!(scene.shop.grants.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn client_credentials_need_no_refresh_token() {
    let scene = Scene::new(false).await;
    let gateway = gateway(&scene.server.base, Grant::ClientCredentials);
    for seconds in [0, 3_600] {
        assert_eq!(ask(&gateway, seconds).await, Ok(json!(7)));
    }
    let grants = scene.shop.grants.lock().unwrap().clone();
    assert_eq!(grants, ["client_credentials"; 2]);
    assert!(scene.kept.stored.lock().unwrap().is_empty());
}

#[tokio::test]
async fn failures_are_told_apart() {
    let retry = |fault| Err(FetchError::Retry(Cause::Exchange(fault)));
    let refused = |refusal| Err(FetchError::Refused(refusal));
    let huge = format!(r#"{{"data":"{}"}}"#, "x".repeat(ANSWER_BYTES_MAX));
    for (is_token, status, body, expected) in [
        (false, 500, "", retry(Fault::Status(500))),
        (false, 503, "", retry(Fault::Status(503))),
        (false, 429, "", retry(Fault::Status(429))),
        (false, 302, "", refused(Refusal::Status(302))),
        (false, 403, "", refused(Refusal::Status(403))),
        (false, 404, "", refused(Refusal::Status(404))),
        (false, 200, "<html>", retry(Fault::Unreadable)),
        (false, 200, &*huge, retry(Fault::TooLong(ANSWER_BYTES_MAX))),
        (false, 200, r#"{"errors":[{}]}"#, refused(Refusal::NoData)),
        (false, 200, r#"{"data":null}"#, refused(Refusal::NoData)),
        (false, 200, "[]", refused(Refusal::NoData)),
        (true, 500, "", retry(Fault::Status(500))),
        (true, 302, "", refused(Refusal::Status(302))),
        (true, 404, "", refused(Refusal::Status(404))),
        (true, 401, "", refused(Refusal::Grant)),
        (true, 400, "", refused(Refusal::Grant)),
        (true, 200, "<html>", retry(Fault::Unreadable)),
        (
            true,
            200,
            r#"{"access_token":""}"#,
            retry(Fault::Unreadable),
        ),
        (
            true,
            200,
            r#"{"access_token":"a\nb"}"#,
            retry(Fault::Unreadable),
        ),
        (
            true,
            200,
            r#"{"access_token":"a","token_type":"mac"}"#,
            retry(Fault::Unreadable),
        ),
    ] {
        let scene = Scene::new(true).await;
        let odd = vec![(StatusCode::from_u16(status).unwrap(), body.to_owned())];
        match is_token {
            true => *scene.shop.odd_token.lock().unwrap() = odd,
            false => *scene.shop.odd_api.lock().unwrap() = odd,
        }
        assert_eq!(
            scene.ask(0).await,
            expected,
            "{is_token} {status} {body:.40}"
        );
        // It passes, and so does the next question.
        assert_eq!(
            scene.ask(0).await,
            Ok(json!(7)),
            "{is_token} {status} {body:.40}"
        );
    }
}

#[tokio::test]
async fn a_rotation_counts_even_if_the_access_token_cannot_be_used() {
    let scene = Scene::new(true).await;
    let odd = r#"{"access_token":"","refresh_token":"refresh-new"}"#;
    *scene.shop.odd_token.lock().unwrap() = vec![(StatusCode::OK, odd.to_owned())];
    assert!(scene.ask(0).await.is_err());
    assert_eq!(*scene.kept.token.lock().unwrap(), "refresh-new");
}

#[tokio::test]
async fn a_shop_that_is_silent_or_gone_is_not_waited_for() {
    let scene = Scene::with(true, Some((Semaphore::new(0), Semaphore::new(0)))).await;
    let grant = || Grant::RefreshToken(scene.kept.clone());
    let impatient = EcCube::new(impatient_client(), shop(&scene.server.base, grant()));
    let retry = |fault| Err(FetchError::Retry(Cause::Exchange(fault)));
    assert_eq!(ask(&impatient, 0).await, retry(Fault::TimedOut));
    let nobody = Nobody::new();
    let gone = ask(&gateway(&nobody.base, grant()), 0).await;
    assert_eq!(gone, retry(Fault::NotReached));
}

#[tokio::test]
async fn secrets_do_not_show_in_debug_output() {
    let scene = Scene::new(true).await;
    assert_eq!(scene.ask(0).await, Ok(json!(7)));
    let shop = shop(&scene.server.base, Grant::ClientCredentials);
    let token = RefreshToken::new("refresh-1".to_owned());
    let shown = format!("{:?} {shop:?} {token:?}", scene.gateway);
    for secret in ["s3cret", "refresh-", "access-"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
