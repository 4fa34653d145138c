//! Taking connections: HTTP/1.1 and HTTP/2, plain or TLS, bounded in number and time.
//!
//! Shutting down: nothing new is taken; idle connections close; requests in flight finish, within
//! [`ServerLimits::shutdown_grace`]; what is left then is cut off. An answer that was cut off was
//! still committed or not at all, and the till asks again under the same request id.

use std::{convert::Infallible, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{
    caller::PeerAddress,
    connection::{Answering, Watched},
    metrics,
};
use crate::limits;

/// The limits of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// For a TLS handshake.
    pub tls_handshake_timeout: Duration,
    /// For the head of an HTTP/1 request, from its first byte, and for the first bytes of a connection.
    pub header_timeout: Duration,
    /// Between two requests.
    pub idle_timeout: Duration,
    /// For the other side to take what is sent.
    pub write_stall_timeout: Duration,
    /// For requests in flight to finish at shutdown.
    pub shutdown_grace: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS_MAX,
            tls_handshake_timeout: Duration::from_millis(limits::TLS_HANDSHAKE_TIMEOUT_MS),
            header_timeout: Duration::from_millis(limits::HEADER_TIMEOUT_MS),
            idle_timeout: Duration::from_millis(limits::IDLE_TIMEOUT_MS),
            write_stall_timeout: Duration::from_millis(limits::WRITE_STALL_TIMEOUT_MS),
            shutdown_grace: Duration::from_millis(limits::SHUTDOWN_GRACE_MS),
        }
    }
}

/// A certificate and its key, ready to serve TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Why a certificate cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read or is no PEM.
    #[error("{0}: {1}")]
    File(String, rustls_pki_types::pem::Error),
    /// The key does not fit the certificate, or is of an unknown kind.
    #[error("the certificate and its key cannot serve: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// Reads a certificate chain and its private key from PEM files.
    ///
    /// # Errors
    /// [`TlsError`] if the files cannot be read or do not fit.
    pub fn from_pem_files(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| TlsError::File(certificates.display().to_string(), error))?;
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| TlsError::File(key.display().to_string(), error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(..)")
    }
}

/// What every connection of a listener needs.
#[derive(Clone)]
struct Serving {
    router: Router,
    tls: Option<Tls>,
    limits: ServerLimits,
    /// Finish what is in flight, then close.
    shutdown: CancellationToken,
    /// Close now.
    cut_off: CancellationToken,
}

/// Serves `router` on `listener` until `shutdown` is cancelled and the requests in flight are done.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    limits: ServerLimits,
    shutdown: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let tasks = TaskTracker::new();
    let serving = Serving {
        router,
        tls,
        limits,
        shutdown: shutdown.clone(),
        cut_off: CancellationToken::new(),
    };
    loop {
        let taken = tokio::select! {
            () = shutdown.cancelled() => break,
            taken = take(&listener, &room) => taken,
        };
        let Some((stream, peer, permit)) = taken else {
            continue;
        };
        let serving = serving.clone();
        tasks.spawn(async move {
            let _open = metrics::Open::connection();
            serving.connection(stream, peer).await;
            drop(permit);
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.shutdown_grace, tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(connections = tasks.len(), "http.shutdown.cut_off");
        serving.cut_off.cancel();
        tasks.wait().await;
    }
}

/// The next connection, once there is room for it.
async fn take(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // Most likely no file descriptors are left; others only end this one connection.
            if !is_of_connection(&error) {
                tracing::error!(error = %error, "http.accept.failed");
                tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MS)).await;
            }
            None
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

impl Serving {
    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small and written at once: waiting for more to send only adds delay.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "http.nodelay.failed");
        }
        let Some(tls) = self.tls.clone() else {
            return self.plain(stream, peer).await;
        };
        let handshake = tls.0.accept(stream);
        let limit = self.limits.tls_handshake_timeout;
        let shaken = tokio::select! {
            () = self.shutdown.cancelled() => return,
            shaken = tokio::time::timeout(limit, handshake) => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => self.plain(stream, peer).await,
            _ => metrics::handshake_failed(),
        }
    }

    async fn plain<S>(self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = tokio::select! {
            () = self.shutdown.cancelled() => return,
            begun = Watched::begin(stream, self.limits) => begun,
        };
        let Some(watched) = begun else { return };
        let (is_http2, activity) = (watched.is_http2(), watched.activity());
        let dawdled = activity.clone().dawdled();
        let router = self.router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let in_flight = activity.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(PeerAddress(peer));
            let answer = router.clone().oneshot(request);
            async move {
                let answer = answer.await?;
                Ok::<_, Infallible>(answer.map(|body| Answering::new(body, in_flight)))
            }
        });
        // Closes the connection when told to, and sees it through.
        macro_rules! drive {
            ($connection:expr) => {{
                let mut connection = std::pin::pin!($connection);
                let ended = tokio::select! {
                    ended = connection.as_mut() => Some(ended),
                    () = dawdled => Some(Ok(())),
                    () = self.shutdown.cancelled() => None,
                };
                match ended {
                    Some(ended) => ended,
                    None => {
                        connection.as_mut().graceful_shutdown();
                        tokio::select! {
                            ended = connection => ended,
                            () = self.cut_off.cancelled() => Ok(()),
                        }
                    }
                }
            }};
        }
        let io = TokioIo::new(watched);
        let ended = if is_http2 {
            drive!(http2_builder().serve_connection(io, service))
        } else {
            drive!(http1_builder().serve_connection(io, service))
        };
        if let Err(error) = ended {
            tracing::debug!(error = %error, "http.connection.broke");
        }
    }
}

fn http1_builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `Watched` tells waiting for a head from waiting between requests; this timer does not.
        .header_read_timeout(None)
        .max_headers(limits::HEADER_FIELDS_MAX)
        .max_buf_size(limits::HEADER_BYTES_MAX)
        .half_close(false);
    builder
}

fn http2_builder() -> http2::Builder<TokioExecutor> {
    let ping = Duration::from_secs(limits::HTTP2_PING_S);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX)
        .max_header_list_size(u32::try_from(limits::HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(ping)
        .keep_alive_timeout(ping);
    builder
}
