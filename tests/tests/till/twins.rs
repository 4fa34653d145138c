//! Two tills with one terminal's credentials: their names never meet, and if they are made to, nothing
//! is taken for what it is not.

use acceptance::{
    ask::Ask,
    databases::{Database, Engine},
};
use pos_protocol::{
    RequestId,
    client::{Client, Notice},
};

use crate::{Shop, approved, basket, patient, sale, scan};

#[tokio::test(flavor = "multi_thread")]
async fn two_tills_with_one_terminal_do_not_meet() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let base = shop.gateway.base();
    let open = |at: usize| shop.client(folders[at].path(), &base, patient()).0;
    let (one, other) = (open(0), open(1));
    for _ in 0..6 {
        let (first, second) = (basket(&one).await, basket(&other).await);
        assert_ne!(first, second);
        let (one, other) = tokio::join!(
            one.purchase(sale(&first, scan(&shop.phone).await, 0)),
            other.purchase(sale(&second, scan(&shop.phone).await, 0)),
        );
        approved(one.verdict);
        approved(other.verdict);
    }
    shop.check(&[&one, &other]).await.unwrap();
}

/// A journal is copied to a second machine and opened there while the first goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_copied_journal_draws_names_of_its_own() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let base = shop.gateway.base();
    let (one, _) = shop.client(folder.path(), &base, patient());
    let before = basket(&one).await;
    approved(
        one.purchase(sale(&before, scan(&shop.phone).await, 0))
            .await
            .verdict,
    );
    std::fs::copy(folder.path().join("journal"), copy.path().join("journal")).unwrap();
    let (other, _) = shop.client(copy.path(), &base, patient());
    for client in [&one, &other] {
        let name = basket(client).await;
        approved(
            client
                .purchase(sale(&name, scan(&shop.phone).await, 0))
                .await
                .verdict,
        );
    }
    let mut sold = one
        .book(|book| book.sold().collect::<Vec<_>>())
        .await
        .unwrap();
    sold.extend(
        other
            .book(|book| book.sold().skip(1).collect::<Vec<_>>())
            .await
            .unwrap(),
    );
    shop.check_sold(&sold).await.unwrap();
}

/// Somebody uses the very names that this journal would use next.
#[tokio::test(flavor = "multi_thread")]
async fn a_taken_request_id_is_said_loudly_and_is_never_a_decline() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (client, mut notices) = shop.client(folder.path(), &shop.gateway.base(), patient());
    let card = scan(&shop.phone).await;
    let first = client
        .inquire(basket(&client).await, card)
        .await
        .request_id
        .unwrap();
    let taken = successors(&first, 4);
    for id in &taken {
        // An inquiry with a text that means nothing: stored as a decline under the id.
        let ask = Ask::raw(
            id.as_str(),
            "/v1/pos/inquiries",
            format!(r#"{{"request_id":"{id}","basket_id":"x","card":"1"}}"#),
        );
        assert_eq!(shop.till.insist(&ask).await.status, 200);
    }
    let name = basket(&client).await;
    let sold = client
        .purchase(sale(&name, scan(&shop.phone).await, 100))
        .await;
    let notice = notices
        .until(|notice| matches!(notice, Notice::RequestIdTaken { .. }))
        .await;
    let Notice::RequestIdTaken {
        request_id,
        renamed,
    } = notice
    else {
        panic!("{notice:?}")
    };
    assert!(taken.contains(&request_id));
    assert_eq!(sold.request_id, Some(renamed));
    approved(sold.verdict);
    shop.check(&[&client]).await.unwrap();
}

/// The names that follow this one in its generation.
fn successors(id: &RequestId, count: u64) -> Vec<RequestId> {
    let (generation, number) = id.as_str().rsplit_once('-').unwrap();
    let number: u64 = number.parse().unwrap();
    let next = |step| RequestId::new(&format!("{generation}-{}", number + step)).unwrap();
    (1..=count).map(next).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_never_share_a_journal() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (client, _) = shop.client(folder.path(), &shop.gateway.base(), patient());
    let account = shop.account(&shop.gateway.base());
    let second = Client::open(folder.path(), account, patient());
    let said = second.expect_err("the journal is in use").to_string();
    assert!(said.contains("two tills never share one"), "{said}");
    client.close().await;
}
