//! A balancer in front of gateways: hands each connection to the next gateway, bytes as they are.

use std::net::SocketAddr;

use anyhow::ensure;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::wire::Place;

/// A balancer that runs. It ends with its handle.
#[derive(Debug)]
pub struct Balancer {
    /// Where it listens.
    pub place: Place,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Starts one in front of these gateways.
    ///
    /// # Errors
    /// If there are none, or no port is free.
    pub async fn start(gateways: Vec<String>) -> anyhow::Result<Self> {
        ensure!(!gateways.is_empty(), "at least one gateway");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address: SocketAddr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            for gateway in gateways.into_iter().cycle() {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                tokio::spawn(pass_on(stream, gateway));
            }
        });
        Ok(Self {
            place: Place::parse(&format!("http://{address}"))?,
            task,
        })
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes bytes both ways until one side ends. An error shows to the caller as a broken connection.
async fn pass_on(mut caller: TcpStream, gateway: String) -> std::io::Result<()> {
    let mut gateway = TcpStream::connect(gateway).await?;
    caller.set_nodelay(true)?;
    gateway.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut caller, &mut gateway).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn says(word: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(word.as_bytes()).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn connections_take_turns() {
        let balancer = Balancer::start(vec![says("a").await, says("b").await])
            .await
            .unwrap();
        let address = balancer.place.base().replace("http://", "");
        let mut heard = String::new();
        for _ in 0..4 {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.read_to_string(&mut heard).await.unwrap();
        }
        assert_eq!(heard, "abab");
        assert!(Balancer::start(Vec::new()).await.is_err());
    }
}
