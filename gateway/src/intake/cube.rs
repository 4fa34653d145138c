//! EC-CUBE shops: their webhooks name orders, which are then asked for; and once in a while the shop is asked
//! which orders changed, because it sends a webhook only once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use ec::{
    NotUnderstood, Parsed,
    ec_cube::{self, ChangedOrders},
};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use outbound::{
    ec_cube::{EcCube, FetchError, Grant, RefreshToken, RefreshTokens, Refusal, Shop, StoreFault},
    https,
};
use pos_protocol::{OrderId, ShopId};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{
    letter,
    poll::{Look, Pages},
};
use crate::{
    clock::Clock,
    limits,
    secrets::Secrets,
    store::{NewMessage, ShopOauth, ShopPlatform, ShopRow, ShopSettings, Store, StoreError},
};

/// Why a shop told nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum CubeError {
    /// It is not set up how to ask it.
    #[error("it is not set up how the shop's orders are fetched (base URL and OAuth client)")]
    NotSetUp,
    /// It is asked for other orders, or was just away.
    #[error("it is the turn of other orders")]
    Busy(Timestamp),
    /// The shop.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What it answered.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    /// The inbox.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks EC-CUBE shops. Cheap to clone; clones share access tokens.
#[derive(Clone)]
pub(super) struct Cubes {
    store: Store,
    clock: Clock,
    secrets: Arc<Secrets>,
    client: Option<https::Client>,
    known: Arc<Mutex<BTreeMap<ShopId, Known>>>,
}

/// How a shop was set up, without the refresh token, which changes by itself.
type SetUp = (Option<String>, String, String, bool);

#[derive(Clone)]
struct Known {
    set_up: SetUp,
    cube: EcCube,
    /// Questions at once.
    slots: Arc<Semaphore>,
    /// It was away: until then nobody waits for it.
    resting_until: Timestamp,
    /// The turn of the last order for which there was no room.
    last_turn: Timestamp,
}

impl Cubes {
    pub(super) fn new(store: Store, clock: Clock, secrets: Arc<Secrets>) -> Self {
        let client = https::Client::new(https::Limits::default());
        if let Err(error) = &client {
            tracing::error!(error = %error, "intake.no_tls");
        }
        Self {
            store,
            clock,
            secrets,
            client: client.ok(),
            known: Arc::default(),
        }
    }

    /// What the shop says of an order. A slow shop gets few questions at once, and one that is away or refuses
    /// none for a while, so that other shops' messages do not wait for it.
    pub(super) async fn order(&self, shop: &ShopRow, id: &OrderId) -> Result<Parsed, CubeError> {
        let known = self.known(shop).ok_or(CubeError::NotSetUp)?;
        let now = self.clock.now();
        if now < known.resting_until {
            let turn = self.turn(&shop.id, known.resting_until);
            return Err(CubeError::Busy(turn));
        }
        let Ok(_slot) = known.slots.try_acquire() else {
            let turn = self.turn(&shop.id, later(now, limits::EC_CUBE_BUSY_MS));
            return Err(CubeError::Busy(turn));
        };
        let answer = self.ask(shop, &ec_cube::order_query(id)).await?;
        Ok(ec_cube::parse_order(&answer)?)
    }

    async fn ask(&self, shop: &ShopRow, query: &Value) -> Result<Vec<u8>, CubeError> {
        let known = self.known(shop).ok_or(CubeError::NotSetUp)?;
        let answer = known.cube.fetch(query, self.clock.now()).await;
        match &answer {
            Ok(answer) => {
                // Its texts may hold what the order holds, so the log has their number only.
                let errors = ec_cube::errors(answer);
                if errors > 0 {
                    tracing::warn!(shop.id = %shop.id, errors, "intake.shop_warned");
                }
            }
            // That may be about this one question.
            Err(FetchError::Refused(Refusal::NoData)) => {}
            Err(FetchError::Retry(_) | FetchError::Refused(_)) => self.rest(&shop.id),
        }
        Ok(answer?.to_string().into_bytes())
    }

    fn rest(&self, id: &ShopId) {
        let until = later(self.clock.now(), limits::EC_CUBE_REST_MS);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = known.get_mut(id) {
            kept.resting_until = until;
        }
    }

    /// When an order's turn comes for which there is no room now: after those that wait already, so that
    /// thousands do not all come back at the same moment.
    fn turn(&self, id: &ShopId, earliest: Timestamp) -> Timestamp {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = known.get_mut(id) else {
            return earliest;
        };
        kept.last_turn = later(kept.last_turn, limits::EC_CUBE_TURN_MS).max(earliest);
        kept.last_turn
    }

    fn known(&self, shop: &ShopRow) -> Option<Known> {
        let base = shop.base_url.as_deref()?;
        let oauth = shop.settings.oauth.as_ref()?;
        let set_up = (
            shop.base_url.clone(),
            oauth.client_id.clone(),
            oauth.client_secret.clone(),
            oauth.refresh_token.is_some(),
        );
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = known.get(&shop.id).filter(|kept| kept.set_up == set_up) {
            return Some(kept.clone());
        }
        let grant = match oauth.refresh_token {
            None => Grant::ClientCredentials,
            Some(_) => Grant::RefreshToken(Arc::new(Tokens {
                store: self.store.clone(),
                shop_id: shop.id.clone(),
            })),
        };
        let (id, secret) = (oauth.client_id.clone(), oauth.client_secret.clone());
        let place = Shop::new(base, id, secret, grant).ok()?;
        let kept = Known {
            set_up,
            cube: EcCube::new(self.client.clone()?, place),
            slots: Arc::new(Semaphore::new(limits::EC_CUBE_QUESTIONS_MAX)),
            resting_until: Timestamp::MIN,
            last_turn: Timestamp::MIN,
        };
        known.insert(shop.id.clone(), kept.clone());
        Some(kept)
    }

    /// Asks every shop whose time has come for the orders that changed, and puts what it names into the
    /// inbox. One shop that fails does not keep the others waiting.
    pub(super) async fn poll(&self) -> Result<(), StoreError> {
        for shop in self.store.list_shops().await? {
            let asked = shop.platform == ShopPlatform::EcCube && shop.settings.oauth.is_some();
            if shop.disabled_at.is_some() || !asked || !self.is_due(&shop) {
                continue;
            }
            if let Err(error) = self.poll_one(&shop).await {
                tracing::warn!(shop.id = %shop.id, error = %error, "intake.poll_failed");
            }
        }
        Ok(())
    }

    fn is_due(&self, shop: &ShopRow) -> bool {
        let minutes = shop.settings.poll_minutes;
        let minutes = minutes.unwrap_or(limits::EC_CUBE_POLL_MINUTES_DEFAULT);
        let pause = SignedDuration::from_mins(i64::from(minutes.max(1)));
        let last = shop.polled_at;
        last.is_none_or(|last| self.clock.now().duration_since(last) >= pause)
    }

    async fn poll_one(&self, shop: &ShopRow) -> Result<(), CubeError> {
        let look = Look {
            began: self.clock.now(),
            overlap: SignedDuration::from_mins(limits::EC_CUBE_POLL_OVERLAP_MINUTES),
            pages_max: limits::EC_CUBE_POLL_PAGES_MAX,
        };
        let mark = shop.polled_at.unwrap_or(shop.created_at);
        let mark = look.read(mark, &Polled { cubes: self, shop }).await?;
        if mark < look.began {
            tracing::warn!(shop.id = %shop.id, shop.polled_at = %mark, "intake.poll_cut_short");
        }
        self.store.shop_polled(&shop.id, mark).await?;
        Ok(())
    }

    /// Each change of an order once, however often it is among those that changed.
    fn hint(&self, shop_id: &ShopId, id: &OrderId, at: Timestamp) -> NewMessage {
        NewMessage {
            id: self.clock.new_id(),
            shop_id: shop_id.clone(),
            repeat_key: Some(format!("poll {id} {}", at.as_second())),
            topic: "poll".to_owned(),
            is_test: false,
            body: ec_cube::hint(id),
            received_at: self.clock.now(),
        }
    }
}

/// A shop that is asked which orders changed; they go into the inbox.
struct Polled<'a> {
    cubes: &'a Cubes,
    shop: &'a ShopRow,
}

impl Pages for Polled<'_> {
    type Error = CubeError;

    async fn page(
        &self,
        since: Timestamp,
        until: Option<Timestamp>,
        page: u32,
    ) -> Result<ChangedOrders, CubeError> {
        let query = ec_cube::orders_query(since, until, page);
        let answer = self.cubes.ask(self.shop, &query).await?;
        let changed = ec_cube::parse_orders(&answer)?;
        let mut messages: Vec<NewMessage> = changed
            .orders
            .iter()
            .map(|(id, at)| self.cubes.hint(&self.shop.id, id, *at))
            .collect();
        for message in &mut messages {
            letter::seal(&self.cubes.secrets, message)?;
        }
        if !messages.is_empty() {
            self.cubes.store.inbox_accept(&mut messages).await?;
        }
        Ok(changed)
    }
}

fn later(now: Timestamp, ms: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_millis(ms))
        .unwrap_or(now)
}

/// The refresh token of one shop, among its settings.
struct Tokens {
    store: Store,
    shop_id: ShopId,
}

impl Tokens {
    async fn settings(&self) -> Result<(ShopSettings, ShopOauth), StoreFault> {
        let row = self.store.shop(&self.shop_id).await.map_err(|error| {
            tracing::warn!(shop.id = %self.shop_id, error = %error, "intake.token_not_read");
            StoreFault
        })?;
        let settings = row.ok_or(StoreFault)?.settings;
        let oauth = settings.oauth.clone().ok_or(StoreFault)?;
        Ok((settings, oauth))
    }

    async fn replace(&self, used: &RefreshToken, new: &RefreshToken) -> Result<(), StoreFault> {
        let (before, oauth) = self.settings().await?;
        // The operator may have set another one meanwhile; that one counts.
        if oauth.refresh_token.as_deref() != Some(used.expose()) {
            return Ok(());
        }
        let after = ShopSettings {
            oauth: Some(ShopOauth {
                refresh_token: Some(new.expose().to_owned()),
                ..oauth
            }),
            ..before.clone()
        };
        let changed = self
            .store
            .change_shop_settings(&self.shop_id, &before, &after, None)
            .await;
        match changed {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreFault),
            Err(error) => {
                tracing::warn!(shop.id = %self.shop_id, error = %error, "intake.token_not_stored");
                Err(StoreFault)
            }
        }
    }
}

impl RefreshTokens for Tokens {
    fn load(&self) -> BoxFuture<'_, Result<RefreshToken, StoreFault>> {
        Box::pin(async move {
            let (_, oauth) = self.settings().await?;
            oauth.refresh_token.map(RefreshToken::new).ok_or(StoreFault)
        })
    }

    fn store(
        &self,
        used: RefreshToken,
        new: RefreshToken,
    ) -> BoxFuture<'_, Result<(), StoreFault>> {
        Box::pin(async move { self.replace(&used, &new).await })
    }
}
