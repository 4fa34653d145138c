//! Keys in files and on the command line.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, bail};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use member_card::{Jwk, PublicKey, SigningKey};
use zeroize::Zeroizing;

use crate::EitherKey;

/// Makes a key and writes it to a new file, or to `out` if there is no file.
pub(crate) fn make(file: Option<&Path>, out: &mut impl Write) -> anyhow::Result<()> {
    let key = SigningKey::generate()?;
    let pem = key.to_pkcs8_pem()?;
    let Some(file) = file else {
        return Ok(out.write_all(pem.as_bytes())?);
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = match options.open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} exists; a key is never overwritten", file.display())
        }
        opened => opened.with_context(|| format!("cannot write {}", file.display()))?,
    };
    opened.write_all(pem.as_bytes())?;
    opened.sync_all()?;
    writeln!(out, "card {}", key.card_id())?;
    Ok(())
}

/// Prints the public half of a key.
pub(crate) fn show(key: &EitherKey, jwk_alone: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let Some(key) = public(key)? else {
        bail!("name a key with --key or --public-key");
    };
    let jwk = serde_json::to_string(&key.to_jwk())?;
    if jwk_alone {
        writeln!(out, "{jwk}")?;
        return Ok(());
    }
    writeln!(out, "card     {}", key.card_id())?;
    writeln!(out, "JWK      {jwk}")?;
    writeln!(out, "SEC1     {}", BASE64URL_NOPAD.encode(&key.to_sec1()))?;
    Ok(())
}

/// Reads a private key.
pub(crate) fn load(file: &Path) -> anyhow::Result<SigningKey> {
    let pem =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let pem = Zeroizing::new(pem);
    SigningKey::from_pkcs8_pem(&pem)
        .with_context(|| format!("{} holds no card key", file.display()))
}

/// The public key the caller named, in whichever way, if any.
pub(crate) fn public(key: &EitherKey) -> anyhow::Result<Option<PublicKey>> {
    if let Some(file) = &key.key {
        return Ok(Some(load(file)?.public_key().clone()));
    }
    let Some(text) = &key.public_key else {
        return Ok(None);
    };
    if let Some(bytes) = written(text) {
        return Ok(Some(bytes?));
    }
    let content = fs::read_to_string(text).with_context(|| {
        format!("--public-key is neither a public key nor a readable file: {text}")
    })?;
    match written(content.trim()) {
        Some(key) => Ok(Some(key?)),
        None => bail!("{text} holds no public key: expected a JWK, or a point in base64url or hex"),
    }
}

/// Reads a written key. `None` if the text looks like none of the forms.
fn written(text: &str) -> Option<anyhow::Result<PublicKey>> {
    if text.starts_with('{') {
        let jwk = serde_json::from_str::<Jwk>(text).context("the JWK does not parse");
        return Some(jwk.and_then(|jwk| Ok(PublicKey::from_jwk(&jwk)?)));
    }
    let bytes = match text.len() {
        87 => BASE64URL_NOPAD.decode(text.as_bytes()).ok()?,
        130 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?,
        _ => return None,
    };
    Some(PublicKey::from_sec1(&bytes).map_err(anyhow::Error::from))
}
