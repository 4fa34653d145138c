//! Which orders of an EC-CUBE shop changed: asked page by page, and never more than so many at once.
//!
//! The plugin lists the newest first and has no cursor, so a look that is cut short knows the newest orders
//! and not how many older ones there are. The mark up to which all is read then moves over a piece of the
//! time since the last look, the oldest one, that is small enough to be read whole. A closed piece is read
//! from its last page to its first: an order that changes meanwhile leaves it, what comes behind moves up,
//! and so towards the pages that are still to be read.

use std::{collections::BTreeSet, future::Future};

use ec::ec_cube::ChangedOrders;
use jiff::{SignedDuration, Timestamp};

/// A shop that can be asked. What it names is kept before the answer comes back.
pub(super) trait Pages: Sync {
    type Error: Send;

    /// A page of the orders that changed since a time, and before another if it is given.
    fn page(
        &self,
        since: Timestamp,
        until: Option<Timestamp>,
        page: u32,
    ) -> impl Future<Output = Result<ChangedOrders, Self::Error>> + Send;
}

/// How one look reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// When it began.
    pub(super) began: Timestamp,
    /// How far it reaches back before the mark: clocks differ, and an order may be saved late.
    pub(super) overlap: SignedDuration,
    /// Pages of what is read in one go.
    pub(super) pages_max: u32,
}

impl Look {
    /// Reads what changed since `mark`, at least of some time; the new mark. It is later than the old one,
    /// and nothing that changed earlier than the overlap before it is left unread.
    pub(super) async fn read<P: Pages>(
        self,
        mark: Timestamp,
        shop: &P,
    ) -> Result<Timestamp, P::Error> {
        let since = mark.checked_sub(self.overlap).unwrap_or(mark);
        if self.newest(since, shop).await? {
            return Ok(self.began);
        }
        let mut length_s = self.began.as_second().saturating_sub(since.as_second());
        loop {
            length_s = (length_s / 2).max(1);
            // In whole seconds, as the shop is asked.
            let until = since.as_second().saturating_add(length_s);
            let until = Timestamp::from_second(until).unwrap_or(self.began);
            if self.piece(since, until, length_s == 1, shop).await? {
                let mark = until.checked_add(self.overlap).unwrap_or(until);
                return Ok(mark.min(self.began));
            }
        }
    }

    /// Reads from the newest on; whether that was all.
    async fn newest<P: Pages>(self, since: Timestamp, shop: &P) -> Result<bool, P::Error> {
        for page in 1..=self.pages_max {
            if !shop.page(since, None, page).await?.more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads all that changed in a closed piece of time, unless there are too many pages; one that cannot be
    /// divided is read however many there are.
    async fn piece<P: Pages>(
        self,
        since: Timestamp,
        until: Timestamp,
        indivisible: bool,
        shop: &P,
    ) -> Result<bool, P::Error> {
        let (mut last, mut seen) = (self.pages_max, BTreeSet::new());
        loop {
            let changed = shop.page(since, Some(until), last).await?;
            let before = seen.len();
            seen.extend(changed.orders.into_iter().map(|(id, _)| id));
            // A shop that shows the same page for ever has no more, whatever it says.
            if !changed.more || (indivisible && seen.len() == before) {
                break;
            }
            if !indivisible {
                return Ok(false);
            }
            last = last.saturating_add(self.pages_max);
        }
        for page in (1..last).rev() {
            shop.page(since, Some(until), page).await?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{Mutex, PoisonError},
    };

    use pos_protocol::OrderId;

    use super::*;

    const PAGE: usize = 2;
    const LOOK: Look = Look {
        began: Timestamp::UNIX_EPOCH,
        overlap: SignedDuration::from_secs(100),
        pages_max: 3,
    };

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Orders with the second of their last change, and the shop's habits.
    #[derive(Default)]
    struct Shop {
        orders: Mutex<Vec<(i64, u32)>>,
        seen: Mutex<BTreeSet<(i64, u32)>>,
        asked: Mutex<u32>,
        /// Changes the newest order of a piece whenever a page of it was read.
        busy: bool,
        /// Says of every page that there is another.
        lies: bool,
    }

    impl Shop {
        fn of(orders: impl IntoIterator<Item = (i64, u32)>) -> Self {
            Self {
                orders: Mutex::new(orders.into_iter().collect()),
                ..Self::default()
            }
        }

        fn answer(&self, since: i64, until: Option<i64>, page: u32) -> ChangedOrders {
            let held = "no test panics with it";
            *self.asked.lock().expect(held) += 1;
            let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
            orders.sort_unstable_by(|one, other| other.cmp(one));
            let within = |at: i64| since <= at && until.is_none_or(|until| at < until);
            let all: Vec<_> = orders
                .iter()
                .copied()
                .filter(|(at, _)| within(*at))
                .collect();
            let from = PAGE * (usize::try_from(page).unwrap() - 1);
            let shown: Vec<_> = all.iter().copied().skip(from).take(PAGE).collect();
            self.seen.lock().expect(held).extend(&shown);
            if let (true, Some(_), Some(first)) = (self.busy, until, all.first()) {
                let changed = orders.iter_mut().find(|order| *order == first).unwrap();
                self.seen.lock().expect(held).insert(*first);
                changed.0 = 5_000;
            }
            ChangedOrders {
                more: self.lies || all.len() > from + PAGE,
                orders: shown
                    .into_iter()
                    .map(|(at, id)| (OrderId::new(&id.to_string()).unwrap(), second(at)))
                    .collect(),
            }
        }

        fn unseen(&self, before: i64) -> Vec<(i64, u32)> {
            let (orders, seen) = (self.orders.lock().unwrap(), self.seen.lock().unwrap());
            let missed = orders
                .iter()
                .filter(|order| order.0 < before && !seen.contains(order));
            missed.copied().collect()
        }
    }

    impl Pages for Shop {
        type Error = Infallible;

        async fn page(
            &self,
            since: Timestamp,
            until: Option<Timestamp>,
            page: u32,
        ) -> Result<ChangedOrders, Infallible> {
            Ok(self.answer(since.as_second(), until.map(Timestamp::as_second), page))
        }
    }

    /// Looks until the mark is where a look began; how many looks it took.
    async fn look_on(shop: &Shop) -> u32 {
        let mut mark = second(200);
        for looks in 1..=200 {
            let began = second(1_000 + i64::from(looks));
            let next = Look { began, ..LOOK }.read(mark, shop).await.unwrap();
            assert!(next > mark, "{next} after {mark}");
            assert_eq!(shop.unseen(next.as_second() - 100), []);
            if next == began {
                return looks;
            }
            mark = next;
        }
        panic!("no end: {mark}");
    }

    #[tokio::test]
    async fn few_changes_are_read_in_one_look() {
        let shop = Shop::of((1..=6).map(|id| (100 + i64::from(id), id)));
        assert_eq!(look_on(&shop).await, 1);
        assert_eq!(*shop.asked.lock().unwrap(), 3);
    }

    #[tokio::test]
    async fn many_changes_are_read_in_several_looks_and_none_is_skipped() {
        let spread = Shop::of((1..=80).map(|id| (100 + 11 * i64::from(id), id)));
        assert!(look_on(&spread).await > 1);
        // Most of them at one moment, as after an import.
        let at_once = (1..=80).map(|id| (if id < 70 { 500 } else { 100 + i64::from(id) }, id));
        assert!(look_on(&Shop::of(at_once)).await > 1);
    }

    #[tokio::test]
    async fn an_order_that_changes_meanwhile_hides_no_other() {
        let shop = Shop {
            busy: true,
            ..Shop::of((1..=40).map(|id| (100 + i64::from(id), id)))
        };
        look_on(&shop).await;
    }

    #[tokio::test]
    async fn a_shop_that_always_says_more_does_not_hold_the_look_for_ever() {
        let shop = Shop {
            lies: true,
            ..Shop::of([(150, 1)])
        };
        let look = Look {
            began: second(1_000),
            ..LOOK
        };
        let mark = look.read(second(200), &shop).await.unwrap();
        assert_eq!(mark, second(201));
    }
}
