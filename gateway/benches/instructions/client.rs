//! The tills: bytes that were made before they are sent, so that little of what is counted is theirs.

use anyhow::{Context as _, Result, bail};
use data_encoding::BASE64;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A connection for each request of a wave.
pub(crate) struct Tills {
    connections: Vec<TcpStream>,
    head: String,
    answer: Vec<u8>,
}

impl Tills {
    pub(crate) async fn connect(address: &str, token: &str, count: usize) -> Result<Self> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            let connection = TcpStream::connect(address).await?;
            connection.set_nodelay(true)?;
            connections.push(connection);
        }
        let head = format!(
            "POST /v1/pos/authorizations HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {token}\r\ncontent-type: application/json\r\naccept: */*\r\n"
        );
        Ok(Self {
            connections,
            head,
            answer: vec![0; 16_384],
        })
    }

    /// Sends an authorization with each text, then awaits the answers, each of which has to say
    /// `outcome`.
    pub(crate) async fn send(&mut self, name: &str, texts: &[String], outcome: &str) -> Result<()> {
        let requests: Vec<String> = texts
            .iter()
            .map(|text| request(&self.head, name, text))
            .collect();
        if requests.len() > self.connections.len() {
            bail!("a wave has at most {} requests", self.connections.len());
        }
        for (connection, request) in self.connections.iter_mut().zip(&requests) {
            connection.write_all(request.as_bytes()).await?;
        }
        for connection in self.connections.iter_mut().take(requests.len()) {
            let read = connection.read(&mut self.answer).await?;
            let answer = std::str::from_utf8(self.answer.get(..read).unwrap_or_default())?;
            if !answer.contains(outcome) || !answer.ends_with('}') {
                bail!("not {outcome}: {answer}");
            }
        }
        Ok(())
    }
}

/// A request whose ids follow from the card: no two cards share the middle of their texts.
fn request(head: &str, name: &str, text: &str) -> String {
    let unique = text.get(6..30).unwrap_or_default();
    let body = format!(
        r#"{{"request_id":"{name}-{unique}","basket_id":"basket-{unique}","card":"{text}","points":100}}"#
    );
    format!("{head}content-length: {}\r\n\r\n{body}", body.len())
}

/// An access token.
pub(crate) async fn token(address: &str, client: &str, secret: &str) -> Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let (form, basic) = (
        "grant_type=client_credentials",
        BASE64.encode(format!("{client}:{secret}").as_bytes()),
    );
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: {address}\r\nauthorization: Basic {basic}\r\n\
         content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{form}",
        form.len()
    );
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let token = answer
        .split_once("\"access_token\":\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    token
        .map(|(token, _)| token.to_owned())
        .with_context(|| format!("no token: {answer}"))
}
