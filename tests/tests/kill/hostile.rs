//! Tills that show every text they can get hold of in a basket of their own, at about the moment the
//! rightful till does. Whoever is first wins; nobody else may.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use crate::cashier::{Cashier, OnCounter};

/// Replays texts until there are no more.
pub(crate) async fn replay_all(mut cashier: Cashier, seen: Arc<Mutex<mpsc::Receiver<OnCounter>>>) {
    loop {
        let next = seen.lock().await.recv().await;
        let Some(text) = next else { return };
        cashier.replay(text).await;
    }
}
