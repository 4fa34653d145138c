//! Where the broker is, and a connection to it.
//!
//! The driver runs each connection on a thread of its own, which ends when the socket does. A socket
//! is opened here and not by that thread, so that a connection that takes too long can be given up;
//! and it is shut down when [`Open`] is dropped, whatever state the connection is in, so that no thread
//! and no socket is left behind.

use std::{
    fmt, io,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    path::Path,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lapin::{
    Connection, ConnectionProperties, ErrorKind,
    runtime::default_runtime,
    tcp::{AsyncTcpStream, RustlsConnector, RustlsConnectorConfig},
    uri::{AMQPScheme, AMQPUri},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::limits;

/// AMQP's own name for wrong credentials or missing rights.
const ACCESS_REFUSED: u16 = 403;
/// AMQP's own name for what a configuration rules out: here a virtual host that is missing or closed.
const NOT_ALLOWED: u16 = 530;
/// Bytes of the longest name in AMQP.
const NAME_BYTES_MAX: usize = 255;

/// Why the broker is of no use now. None of these is about a single event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// It cannot be reached, or the connection is lost. It may come back by itself.
    #[error("{0}")]
    Away(String),
    /// It refuses for a reason that only people can mend: credentials, virtual host, certificate, an
    /// exchange that is of another type.
    #[error("{0}")]
    Refused(String),
}

impl BrokerError {
    pub(super) fn from_lapin(error: &lapin::Error) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(refused) => {
                let text = refused.get_message().to_string();
                match refused.get_id() {
                    ACCESS_REFUSED | NOT_ALLOWED => Self::Refused(text),
                    _ => Self::Away(text),
                }
            }
            _ => Self::Away(error.to_string()),
        }
    }

    fn timed_out(what: &str) -> Self {
        let seconds = limits::BROKER_CONNECT_TIMEOUT_MS / 1_000;
        Self::Away(format!("{what} took longer than {seconds} s"))
    }
}

/// A text that is no broker URL, or a file that holds no certificates. Never shows the text, which
/// holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerUrlError {
    /// No URL of a broker.
    #[error(
        "not a broker URL: {0}; use amqp://USER:PASSWORD@HOST[:PORT][/VHOST] or amqps://…, with %2F for / in VHOST"
    )]
    Url(&'static str),
    /// No certificates.
    #[error("no certificates in {file}: {why}")]
    Certificates {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Where the broker is, how to sign in, and whom to believe that it is the broker.
#[derive(Clone, PartialEq)]
pub struct Broker {
    uri: AMQPUri,
    authorities: Vec<CertificateDer<'static>>,
}

impl FromStr for Broker {
    type Err = BrokerUrlError;

    fn from_str(text: &str) -> Result<Self, BrokerUrlError> {
        let mut uri: AMQPUri = text
            .parse()
            .map_err(|_| BrokerUrlError::Url("it cannot be parsed"))?;
        // The parser takes an IPv6 address for no host at all.
        if let Some(address) = bracketed_host(text) {
            uri.authority.host = address.to_owned();
        }
        if uri.authority.host.is_empty() {
            return Err(BrokerUrlError::Url("the host is missing"));
        }
        if uri.vhost.len() > NAME_BYTES_MAX {
            return Err(BrokerUrlError::Url("the virtual host's name is too long"));
        }
        uri.query
            .heartbeat
            .get_or_insert(limits::BROKER_HEARTBEAT_S);
        Ok(Self {
            uri,
            authorities: Vec::new(),
        })
    }
}

/// The address between brackets that stands where a host would.
fn bracketed_host(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    host.strip_prefix('[')?
        .split_once(']')
        .map(|(host, _)| host)
}

impl Broker {
    /// Believes these certification authorities too, beside the system's.
    ///
    /// # Errors
    /// If the file cannot be read or holds no certificate (PEM).
    pub fn with_authorities(mut self, file: &Path) -> Result<Self, BrokerUrlError> {
        let wrong = |why: String| BrokerUrlError::Certificates {
            file: file.display().to_string(),
            why,
        };
        let certificates =
            CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
        for certificate in certificates {
            self.authorities
                .push(certificate.map_err(|error| wrong(error.to_string()))?);
        }
        if self.authorities.is_empty() {
            return Err(wrong("it holds none".into()));
        }
        Ok(self)
    }

    /// Connects and signs in.
    ///
    /// # Errors
    /// [`BrokerError`].
    pub(super) async fn open(&self) -> Result<Open, BrokerError> {
        let limit = Duration::from_millis(limits::BROKER_CONNECT_TIMEOUT_MS);
        let runtime = default_runtime().map_err(|error| BrokerError::from_lapin(&error))?;
        let host = self.uri.authority.host.clone();
        let connecting = async {
            let address = runtime.to_socket_addrs((host.clone(), self.uri.authority.port));
            let plain = AsyncTcpStream::connect(&runtime, address).await?;
            let line = match &plain {
                AsyncTcpStream::Plain(socket) => Line::of(socket.get_ref())?,
                _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
            };
            let stream = match self.uri.scheme {
                AMQPScheme::AMQP => plain,
                AMQPScheme::AMQPS => plain.into_rustls(&self.connector()?, &host).await?,
            };
            Ok((line, stream))
        };
        let (line, stream) = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| BrokerError::timed_out("connecting"))?
            .map_err(io_error)?;
        let slot = Mutex::new(Some(stream));
        let once = async move |_, _| {
            let stream = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into())
        };
        let properties = ConnectionProperties::default()
            .with_connection_name("point-gateway relay".into())
            .with_client_property("product".into(), "point-gateway".into())
            .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into());
        let signing_in = Connection::connector(self.uri.clone(), runtime, once, properties);
        let connection = tokio::time::timeout(limit, signing_in)
            .await
            .map_err(|_| BrokerError::timed_out("signing in"))?
            .map_err(|error| BrokerError::from_lapin(&error))?;
        Ok(Open {
            connection: Arc::new(connection),
            line,
        })
    }

    /// Checks that the other side is who it should be: by the system's authorities and those given.
    fn connector(&self) -> io::Result<RustlsConnector> {
        let mut config = match RustlsConnectorConfig::new_with_native_certs() {
            Ok(config) => config,
            // A bare container has none.
            Err(_) if !self.authorities.is_empty() => RustlsConnectorConfig::default(),
            Err(error) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "the system has no certification authorities ({error}); name a file of them"
                    ),
                ));
            }
        };
        config.add_parsable_certificates(self.authorities.clone());
        config.connector_with_no_client_auth()
    }
}

impl fmt::Display for Broker {
    /// Without the password, fit for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri {
            scheme,
            authority,
            vhost,
            ..
        } = &self.uri;
        let user = &authority.userinfo.username;
        let (host, port) = (&authority.host, authority.port);
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        write!(
            f,
            "{scheme}://{user}@{host}:{port} (virtual host \"{vhost}\")"
        )
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A connection that is signed in.
pub(super) struct Open {
    pub(super) connection: Arc<Connection>,
    /// Dropped last.
    #[expect(dead_code, reason = "dropping it is its use")]
    line: Line,
}

/// A second handle on a connection's socket, which ends it when dropped.
struct Line(TcpStream);

impl Line {
    fn of<S>(stream: &S) -> io::Result<Self>
    where
        S: AsFd,
    {
        Ok(Self(TcpStream::from(stream.as_fd().try_clone_to_owned()?)))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Fails where the other side was faster.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// A failure below AMQP. A handshake that fails is no bad luck: a certificate is wrong, or one side
/// does not speak TLS.
fn io_error(error: io::Error) -> BrokerError {
    if error.kind() == io::ErrorKind::InvalidData {
        BrokerError::Refused(format!("TLS: {error}"))
    } else {
        BrokerError::Away(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_shown_without_its_password() {
        for (url, shown) in [
            ("amqp://u:geheim@h", "amqp://u@h:5672 (virtual host \"/\")"),
            (
                "amqp://u:geheim@h/%2F",
                "amqp://u@h:5672 (virtual host \"/\")",
            ),
            (
                "amqps://u:geheim@h/crm",
                "amqps://u@h:5671 (virtual host \"crm\")",
            ),
            (
                "amqp://10.0.0.1:1",
                "amqp://guest@10.0.0.1:1 (virtual host \"/\")",
            ),
            (
                "amqp://u:geheim@[fd00::1]:5/v",
                "amqp://u@[fd00::1]:5 (virtual host \"v\")",
            ),
        ] {
            let broker: Broker = url.parse().unwrap();
            assert_eq!(broker.to_string(), shown);
            assert_eq!(format!("{broker:?}"), shown);
        }
    }

    #[test]
    fn what_is_no_url_is_refused_and_not_repeated() {
        for wrong in [
            "",
            "geheim",
            "http://u:geheim@h",
            "amqp://u:geheim@/x",
            "amqp:geheim",
        ] {
            let error = wrong.parse::<Broker>().unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
        let long = format!("amqp://h/{}", "x".repeat(256));
        assert!(long.parse::<Broker>().is_err());
    }

    #[test]
    fn heartbeats_come_often_unless_the_url_says_otherwise() {
        let heartbeat = |url: &str| url.parse::<Broker>().unwrap().uri.query.heartbeat;
        assert_eq!(heartbeat("amqp://h"), Some(limits::BROKER_HEARTBEAT_S));
        assert_eq!(heartbeat("amqp://h?heartbeat=33"), Some(33));
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let broker = || "amqps://h".parse::<Broker>().unwrap();
        let own = Path::new(env!("CARGO_MANIFEST_PATH"));
        assert!(broker().with_authorities(own).is_err());
        assert!(broker().with_authorities(Path::new("/nowhere")).is_err());
    }
}
