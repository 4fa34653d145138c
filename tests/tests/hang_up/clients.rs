//! Clients that close their socket at any moment.

use std::net::SocketAddr;

use acceptance::{ask::Ask, databases::Database, dice::Dice, on_each_database};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Counter;

on_each_database!(clients_hang_up);

/// Sales whose client hangs up.
const SALES: usize = 98;

/// When a client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// In the middle of the head.
    InHead,
    /// After the head.
    AfterHead,
    /// In the middle of the body.
    InBody,
    /// With the last byte.
    AfterBody,
    /// While the gateway works on it.
    Waiting,
    /// In the middle of the answer.
    InAnswer,
}

const MOMENTS: [Moment; 6] = [
    Moment::InHead,
    Moment::AfterHead,
    Moment::InBody,
    Moment::AfterBody,
    Moment::Waiting,
    Moment::InAnswer,
];

/// A request that did not arrive whole never happens; one that did happens once, whoever listens.
async fn clients_hang_up(database: Database) {
    hang_up(database).await.unwrap();
}

async fn hang_up(database: Database) -> anyhow::Result<()> {
    let mut dice = Dice::for_run("clients_hang_up");
    let mut counter = Counter::open(database, SALES).await?;
    let token = counter.till.token().await?;
    let (mut whole, mut broken) = (Vec::new(), Vec::new());
    for number in 0..SALES {
        let sale = counter.next_sale().await;
        let moment = MOMENTS[number % MOMENTS.len()];
        send_and_hang_up(counter.gateway.address(), &token, &sale, moment, &mut dice).await?;
        match moment {
            Moment::InHead | Moment::AfterHead | Moment::InBody => broken.push(sale),
            Moment::AfterBody | Moment::Waiting | Moment::InAnswer => whole.push(sale),
        }
    }
    for sale in &whole {
        let _ = counter.till.insist(sale).await.approved();
    }
    for sale in &broken {
        let status = counter.till.insist_on_status(&sale.request_id).await;
        assert_eq!(status.status, 404, "{sale:?} happened: {status:?}");
    }
    counter.check(whole.len()).await?;
    // The broken ones were not used up.
    for sale in &broken {
        let _ = counter.till.insist(sale).await.approved();
    }
    counter.check(SALES).await
}

/// Sends the request as far as `moment` says, and closes: in good order, or with a reset.
async fn send_and_hang_up(
    gateway: SocketAddr,
    token: &str,
    sale: &Ask,
    moment: Moment,
    dice: &mut Dice,
) -> anyhow::Result<()> {
    let head = head(gateway, token, sale);
    let mut stream = TcpStream::connect(gateway).await?;
    stream.set_nodelay(true)?;
    if dice.one_in(2) {
        stream.set_zero_linger()?;
    }
    let part = |bytes: &[u8], dice: &mut Dice| -> usize {
        let length = u64::try_from(bytes.len()).unwrap_or(0);
        usize::try_from(dice.below(length)).unwrap_or(0)
    };
    if moment == Moment::InHead {
        let end = part(head.as_bytes(), dice);
        stream.write_all(&head.as_bytes()[..end]).await?;
        return Ok(());
    }
    stream.write_all(head.as_bytes()).await?;
    match moment {
        Moment::InHead | Moment::AfterHead => return Ok(()),
        Moment::InBody => {
            let end = part(&sale.body, dice);
            stream.write_all(&sale.body[..end]).await?;
            return Ok(());
        }
        _ => stream.write_all(&sale.body).await?,
    }
    match moment {
        Moment::Waiting => {
            // Not for an event: anywhere in the gateway's work is the point.
            let wait = std::time::Duration::from_micros(dice.below(8_000));
            tokio::time::sleep(wait).await;
        }
        Moment::InAnswer => {
            stream.read_exact(&mut [0; 12]).await?;
        }
        _ => {}
    }
    Ok(())
}

fn head(gateway: SocketAddr, token: &str, ask: &Ask) -> String {
    format!(
        "POST {} HTTP/1.1\r\nHost: {gateway}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        ask.path,
        ask.body.len()
    )
}
