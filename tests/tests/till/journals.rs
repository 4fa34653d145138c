//! Journals that were torn, and disks that are full.

use std::fs;

use acceptance::databases::{Database, Engine};
use pos_protocol::client::{Client, DAMAGED_FILE, JOURNAL_FILE};

use crate::{Shop, approved, basket, patient, process::TillProcess, sale, scan, settled};

/// The journal of a sale that was approved is cut around the end of every record and at many places
/// between (at every byte: in the journal's own tests). Whatever is left, the till takes it up and the
/// gateway has the sale once: what is missing is asked for again under the same id.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_journal_never_sells_twice() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let (folder, torn) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let base = shop.gateway.base();
    let (client, _) = shop.client(folder.path(), &base, patient());
    let name = basket(&client).await;
    approved(
        client
            .purchase(sale(&name, scan(&shop.phone).await, 0))
            .await
            .verdict,
    );
    client.close().await;
    let whole = fs::read(folder.path().join(JOURNAL_FILE)).unwrap();
    let path = torn.path().join(JOURNAL_FILE);
    let near_an_end = |cut: usize| {
        whole[cut.saturating_sub(2)..]
            .iter()
            .take(4)
            .any(|byte| *byte == b'\n')
    };
    for cut in (0..whole.len()).filter(|cut| cut % 7 == 0 || near_an_end(*cut)) {
        fs::write(&path, &whole[..cut]).unwrap();
        let opened = Client::open(torn.path(), shop.account(&base), patient());
        let (client, opening, _) = opened.unwrap();
        assert_eq!(opening.damaged_records, 0, "cut at {cut}");
        settled(&client).await;
        let sold = client.book(|book| book.sold().count()).await.unwrap();
        assert!(sold <= 1, "cut at {cut}");
        client.close().await;
    }
    let (client, _) = shop.client(folder.path(), &base, patient());
    shop.check(&[&client]).await.unwrap();
}

/// The outcome of a sale that was paid with points is damaged: it is asked for, not undone.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_outcome_is_asked_for_and_the_rest_is_read() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let base = shop.gateway.base();
    let (client, _) = shop.client(folder.path(), &base, patient());
    for redeem in [300, 0] {
        let name = basket(&client).await;
        approved(
            client
                .purchase(sale(&name, scan(&shop.phone).await, redeem))
                .await
                .verdict,
        );
    }
    client.close().await;
    let path = folder.path().join(JOURNAL_FILE);
    let text = fs::read_to_string(&path).unwrap();
    let damaged = text.replacen("points_redeemed\":300", "points_redeemed\":900", 1);
    assert_ne!(text, damaged);
    fs::write(&path, damaged).unwrap();
    let opened = Client::open(folder.path(), shop.account(&base), patient());
    let (client, opening, _) = opened.unwrap();
    assert_eq!((opening.damaged_records, opening.unsettled), (1, 1));
    let aside = fs::read_to_string(folder.path().join(DAMAGED_FILE)).unwrap();
    assert!(aside.contains("points_redeemed\":900"));
    shop.check(&[&client]).await.unwrap();
    let points = shop.phone.points(&base).await;
    assert_eq!(points, (crate::POINTS - 300 + 40, 0));
}

/// A file may only grow so far: the till sells until its journal is full, then refuses and sends nothing,
/// and goes on when there is room.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_nothing_is_sent_and_nothing_is_lost() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let account = shop.account(&shop.gateway.base());
    let mut approvals = 0;
    let mut refusals = 0;
    {
        // Eight blocks of 512 or 1,024 bytes, as the shell counts them; the signal that would end the
        // till is left to fail the write instead.
        let mut till =
            TillProcess::start(&account, folder.path(), &[], "trap '' XFSZ; ulimit -f 8").await;
        for _ in 0..20 {
            let verdict = till.sell(&shop.phone, None).await;
            match verdict["verdict"].as_str().unwrap() {
                "approved" => approvals += 1,
                "refused" => {
                    assert_eq!(verdict["refusal"], "journal_unwritable", "{verdict}");
                    refusals += 1;
                }
                // Written down and sent, and there was no room for the answer.
                "queued" => approvals += 1,
                _ => panic!("{verdict}"),
            }
        }
        till.end().await;
    }
    assert!(
        approvals > 0 && refusals > 10,
        "{approvals} sold, {refusals} refused"
    );
    let length = fs::metadata(folder.path().join(JOURNAL_FILE))
        .unwrap()
        .len();
    assert!(length <= 8 * 1_024, "{length} bytes");
    let mut till = TillProcess::start(&account, folder.path(), &[], "").await;
    assert_eq!(till.sell(&shop.phone, None).await["verdict"], "approved");
    till.end().await;
    let (client, _) = shop.client(folder.path(), &shop.gateway.base(), patient());
    shop.check(&[&client]).await.unwrap();
    let sold = client.book(|book| book.sold().count()).await.unwrap();
    assert_eq!(sold, approvals + 1);
}
