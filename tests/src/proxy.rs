//! A TCP proxy between a client and its server that can freeze or cut the line.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// What the proxy does with the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Bytes pass.
    Open,
    /// Nothing passes, nothing breaks: a switch that died, a server that hangs.
    Frozen,
    /// What the server says passes; what the client says does not. So the client never learns that
    /// nobody hears it.
    Unheard,
    /// Every connection breaks, and new ones are closed at once: a server that is down.
    Cut,
}

/// The proxy. It ends with its handle.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    flow: watch::Sender<Flow>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of this machine and passes everything to `upstream`.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn start(upstream: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (flow, watched) = watch::channel(Flow::Open);
        let task = tokio::spawn(accept(listener, upstream, watched));
        Ok(Self {
            address,
            flow,
            task,
        })
    }

    /// A proxy in front of the server of a database URL, and the URL that leads through it.
    ///
    /// # Errors
    /// If the URL names no server on TCP.
    pub async fn before_database(url: &str) -> anyhow::Result<(Self, String)> {
        let mut url = reqwest::Url::parse(url)?;
        let host = url.host_str().context("the database URL names a host")?;
        let upstream = format!("{host}:{}", url.port().unwrap_or(5432));
        let proxy = Self::start(upstream).await?;
        url.set_host(Some("127.0.0.1"))?;
        let moved = url.set_port(Some(proxy.address.port()));
        moved.ok().context("a URL that takes a port")?;
        Ok((proxy, url.into()))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the line does, for connections that are open and for new ones.
    pub fn set(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, upstream: String, flow: watch::Receiver<Flow>) {
    while let Ok((near, _)) = listener.accept().await {
        if *flow.borrow() == Flow::Cut {
            continue;
        }
        let (upstream, flow) = (upstream.clone(), flow.clone());
        tokio::spawn(async move {
            if let Ok(far) = TcpStream::connect(upstream).await {
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = far.into_split();
                tokio::join!(
                    pass(
                        near_read,
                        far_write,
                        flow.clone(),
                        &[Flow::Frozen, Flow::Unheard]
                    ),
                    pass(far_read, near_write, flow, &[Flow::Frozen]),
                );
            }
        });
    }
}

/// Passes bytes one way until either side ends or the line is cut. `held` stops them.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut flow: watch::Receiver<Flow>,
    held: &[Flow],
) {
    let mut cut = flow.clone();
    let copy = async {
        let mut buffer = vec![0; 16 * 1_024];
        while let Ok(count) = from.read(&mut buffer).await {
            if count == 0 {
                break;
            }
            // What was held when the line is cut is lost.
            match flow.wait_for(|flow| !held.contains(flow)).await {
                Ok(now) if *now != Flow::Cut => {}
                _ => break,
            }
            if to.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = copy => {}
        _ = cut.wait_for(|flow| *flow == Flow::Cut) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frozen_line_holds_bytes_and_a_cut_line_breaks() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = server.local_addr().unwrap().to_string();
        let proxy = Proxy::start(upstream).await.unwrap();
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        let (mut served, _) = server.accept().await.unwrap();
        let mut byte = [0_u8; 1];

        client.write_all(b"a").await.unwrap();
        served.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"a");

        proxy.set(Flow::Frozen);
        client.write_all(b"b").await.unwrap();
        let wait = std::time::Duration::from_millis(100);
        let held = tokio::time::timeout(wait, served.read_exact(&mut byte)).await;
        assert!(held.is_err(), "a frozen line passed a byte");
        proxy.set(Flow::Open);
        served.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"b");

        proxy.set(Flow::Unheard);
        client.write_all(b"c").await.unwrap();
        served.write_all(b"d").await.unwrap();
        client.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"d");
        let held = tokio::time::timeout(wait, served.read_exact(&mut byte)).await;
        assert!(held.is_err(), "the client was heard");
        proxy.set(Flow::Open);
        served.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"c");

        proxy.set(Flow::Cut);
        assert_eq!(client.read(&mut byte).await.unwrap_or(0), 0);
        assert_eq!(served.read(&mut byte).await.unwrap_or(0), 0);
    }
}
