//! What is asked about orders of EC shops, and about where people buy.

use ledger::{identity::IdentityKey, order::Order, records::Purchase};
use pos_protocol::{MemberId, OrderId, Points, PurchaseId, ShopId};

use super::{
    Store, StoreError,
    connection::Connection,
    load::by_key,
    read::Owner,
    row::{Cell as _, FromRow, Reader, cells},
    sql::Sql,
};

const IDENTITY_OWNER: Sql =
    Sql::both("SELECT member_id FROM identities WHERE identity_key = $1 AND revoked_at IS NULL");
const PENDING: Sql = Sql::both(
    "SELECT CAST(coalesce(sum(points), 0) AS BIGINT) FROM pending \
     WHERE member_id = $1 AND purchase_id = $2 AND points > 0",
);
const CHANNELS: Sql = Sql::both(
    "\
SELECT first.channel, first.place, bought.channel, bought.place, count(DISTINCT bought.member_id), count(*),
    CAST(sum(bought.yen) AS BIGINT), CAST(sum(bought.earned) AS BIGINT), CAST(sum(bought.redeemed) AS BIGINT)
FROM channel_purchases AS bought JOIN channel_touches AS first ON first.member_id = bought.member_id
GROUP BY first.channel, first.place, bought.channel, bought.place
ORDER BY first.channel, first.place, bought.channel, bought.place",
);
const CHANNELS_OF_MEMBER: Sql = Sql::both(
    "\
SELECT first.channel, first.place, bought.channel, bought.place, count(DISTINCT bought.member_id), count(*),
    CAST(sum(bought.yen) AS BIGINT), CAST(sum(bought.earned) AS BIGINT), CAST(sum(bought.redeemed) AS BIGINT)
FROM channel_purchases AS bought JOIN channel_touches AS first ON first.member_id = bought.member_id
WHERE bought.member_id = (SELECT root_id FROM persons WHERE member_id = $1)
GROUP BY first.channel, first.place, bought.channel, bought.place
ORDER BY first.channel, first.place, bought.channel, bought.place",
);

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![IDENTITY_OWNER, PENDING, CHANNELS, CHANNELS_OF_MEMBER]
}

/// What an order's purchase did to points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderPoints {
    /// Earned and not spendable yet.
    pub pending: Points,
    /// Earned and spendable, less what was taken back.
    pub available: Points,
    /// The order was paid with, less what was given back.
    pub redeemed: Points,
}

/// People who first bought in one place, and what they bought in another or the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRow {
    /// `store` or `shop`.
    pub first_channel: String,
    /// The store or shop they bought in first.
    pub first_place: String,
    /// `store` or `shop`.
    pub channel: String,
    /// The store or shop they bought in.
    pub place: String,
    /// How many people.
    pub members: i64,
    /// How many purchases.
    pub purchases: i64,
    /// For how much, less what came back.
    pub yen: i64,
    /// Points earned, less what was taken back.
    pub earned: i64,
    /// Points paid with, less what was given back.
    pub redeemed: i64,
}

impl FromRow for ChannelRow {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            first_channel: row.get()?,
            first_place: row.get()?,
            channel: row.get()?,
            place: row.get()?,
            members: row.get()?,
            purchases: row.get()?,
            yen: row.get()?,
            earned: row.get()?,
            redeemed: row.get()?,
        })
    }
}

struct Sum(Points);

impl FromRow for Sum {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

impl Store {
    /// The record an identity was proved for, if it is known and not given up.
    ///
    /// # Errors
    /// As any read.
    pub async fn identity_owner(&self, key: IdentityKey) -> Result<Option<MemberId>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Owner> = connection.fetch(IDENTITY_OWNER, &[key.to_value()]).await?;
        Ok(found.into_iter().next().and_then(Owner::into_inner))
    }

    /// An order of a shop, if anything was told of it.
    ///
    /// # Errors
    /// As any read.
    pub async fn order(
        &self,
        shop_id: &ShopId,
        order_id: &OrderId,
    ) -> Result<Option<Order>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let key = [cells([shop_id]), cells([order_id])];
        let found: Vec<Order> = by_key(&mut connection, &key).await?;
        Ok(found.into_iter().next())
    }

    /// What a purchase did to points.
    ///
    /// # Errors
    /// As any read.
    pub async fn purchase_points(&self, id: PurchaseId) -> Result<OrderPoints, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Purchase> = by_key(&mut connection, &[cells([&id])]).await?;
        let Some(purchase) = found.into_iter().next() else {
            return Ok(OrderPoints::default());
        };
        let key = [purchase.member_id.to_value(), id.to_value()];
        let pending: Vec<Sum> = connection.fetch(PENDING, &key).await?;
        let pending = pending.first().map_or(Points::ZERO, |sum| sum.0);
        let kept = purchase.earned_points.saturating_sub(purchase.clawback_due);
        Ok(OrderPoints {
            pending,
            available: kept.saturating_sub(pending),
            redeemed: purchase.redeemed.saturating_sub(purchase.restored),
        })
    }

    /// Where people bought first and where they buy, of all or of one person. Reads every purchase.
    ///
    /// # Errors
    /// As any read.
    pub async fn channels(&self, member: Option<MemberId>) -> Result<Vec<ChannelRow>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        match member {
            None => connection.fetch(CHANNELS, &[]).await,
            Some(id) => connection.fetch(CHANNELS_OF_MEMBER, &[id.to_value()]).await,
        }
    }
}
