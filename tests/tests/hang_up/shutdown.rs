//! A gateway that is asked to end (SIGTERM) finishes what it has begun.

use acceptance::{ask::Ask, databases::Database, on_each_database};
use anyhow::ensure;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Counter;

on_each_database!(shutdown_drains);

/// Requests in flight when the signal comes.
const IN_FLIGHT: usize = 12;

/// Every request in flight gets its answer; new ones are not taken; then the process ends well.
async fn shutdown_drains(database: Database) {
    drain(database).await.unwrap();
}

async fn drain(database: Database) -> anyhow::Result<()> {
    let mut counter = Counter::open(database, IN_FLIGHT * 2).await?;
    let token = counter.till.token().await?;
    let mut open = Vec::new();
    for _ in 0..IN_FLIGHT {
        let sale = counter.next_sale().await;
        open.push((begin(&counter, &token, &sale).await?, sale));
    }
    counter.gateway.terminate().await?;
    counter.gateway.not_ready().await?;
    for (stream, sale) in &mut open {
        stream.write_all(&sale.body).await?;
    }
    let mut answers = Vec::new();
    for (mut stream, sale) in open {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8(answer)?;
        ensure!(
            answer.starts_with("HTTP/1.1 200 "),
            "in flight, but: {answer}"
        );
        let body = answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned());
        answers.push((sale, body.unwrap_or_default()));
    }
    let status = counter.gateway.ended().await?;
    ensure!(status.success(), "the gateway ended with {status}");

    counter.gateway.restart().await?;
    for (sale, body) in &answers {
        let stored = counter.till.insist_on_status(&sale.request_id).await;
        assert_eq!((stored.status, &stored.text()), (200, body));
    }
    counter.check(IN_FLIGHT).await
}

/// Sends the head of a request and waits until the gateway asks for its body: then it is in flight.
async fn begin(counter: &Counter, token: &str, sale: &Ask) -> anyhow::Result<TcpStream> {
    let address = counter.gateway.address();
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
         Expect: 100-continue\r\n\r\n",
        sale.path,
        sale.body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    let expected = "HTTP/1.1 100 Continue\r\n\r\n";
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).await?;
    ensure!(
        answer == expected.as_bytes(),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    Ok(stream)
}
