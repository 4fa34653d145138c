//! The secrets of a programme, from one file that is kept apart from the database.
//!
//! Master keys wrap what encrypts personal data; the index key makes the keyed hashes by which people,
//! numbers and codes are found; the pass key makes the one-time passwords of wallet passes. All gateways
//! of one database have the same file. Whoever has the database and not the file can read no name, try no
//! address and show no pass.

use std::{fmt, fs, path::Path};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::BASE64;
use personal_data::{IndexKey, MasterKey, MasterKeys};
use serde::Deserialize;
use wallet_pass::PassKey;
use zeroize::Zeroizing;

/// The largest file of secrets, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The secrets of a programme.
pub struct Secrets {
    /// Wrap the keys of personal data; the first wraps what is new.
    pub masters: MasterKeys,
    /// Makes keyed hashes.
    pub index: IndexKey,
    /// Makes the one-time passwords of wallet passes.
    pub pass: PassKey,
}

/// Why a file of secrets cannot be used. Never with what stands in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// The file cannot be read or written.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// It is no such file.
    #[error("{0}: {1}")]
    Wrong(String, &'static str),
    /// The system gave no randomness.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// The current master key first, `id:base64` each.
    master_keys: Vec<Zeroizing<String>>,
    /// 32 bytes, base64.
    index_key: Zeroizing<String>,
    /// 32 bytes, base64.
    pass_key: Zeroizing<String>,
}

impl Secrets {
    /// Reads a file of secrets.
    ///
    /// # Errors
    /// [`SecretsError`]; it names the file and the entry, and no secret.
    pub fn read(path: &Path) -> Result<Self, SecretsError> {
        let name = path.display().to_string();
        let failed = |error| SecretsError::File(name.clone(), error);
        if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
            return Err(SecretsError::Wrong(name, "it is too large to be one"));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        Self::parse(&text).map_err(|what| SecretsError::Wrong(name, what))
    }

    /// Some secrets, always the same.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let master = MasterKey::from_random(*b"a master key of thirty-two bytes");
        let masters = MasterKeys::new(master, Vec::new());
        Self {
            masters: masters.expect("one key"),
            index: IndexKey::from_random([7; 32]),
            pass: PassKey::new([9; 32]),
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        // What the parser says of a mistake may quote it.
        let form: Form = toml::from_str(text)
            .map_err(|_| "it is no file of secrets; `gateway admin secrets new` makes one")?;
        let masters: Vec<&str> = form.master_keys.iter().map(|key| key.as_str()).collect();
        let masters = Zeroizing::new(masters.join("\n"));
        let masters = MasterKeys::parse(&masters).map_err(|_| "master_keys are not usable")?;
        let index = IndexKey::parse(&form.index_key).map_err(|_| "index_key is not usable")?;
        let pass = BASE64.decode(form.pass_key.as_bytes()).map(Zeroizing::new);
        let pass = pass
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        let pass = pass.ok_or("pass_key is not usable")?;
        let pass = PassKey::new(pass);
        Ok(Self {
            masters,
            index,
            pass,
        })
    }

    /// The text of a fresh file of secrets.
    ///
    /// # Errors
    /// [`SecretsError::NoRandomness`].
    pub fn fresh() -> Result<Zeroizing<String>, SecretsError> {
        let (master, index, pass) = (random::<32>()?, random::<32>()?, random::<32>()?);
        let master = MasterKey::from_random(master);
        let text = format!(
            "# The secrets of the programme. Every gateway of the database needs this file; keep a copy where the\n\
             # database's backups are not.\n\
             # The first master key wraps what is new; older ones are kept until `gateway admin secrets rotate` is done.\n\
             master_keys = [\"{}\"]\n\
             # These two never change: what was found or made by them could not be found or checked any more.\n\
             index_key = \"{}\"\n\
             pass_key = \"{}\"\n",
            master.to_setting().as_str(),
            BASE64.encode(&index),
            BASE64.encode(&pass),
        );
        Ok(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// Random bytes from the operating system.
///
/// # Errors
/// [`SecretsError::NoRandomness`].
pub fn random<const N: usize>() -> Result<[u8; N], SecretsError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| SecretsError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_file_can_be_read_and_another_one_is_not_shown() {
        let text = Secrets::fresh().unwrap();
        let secrets = Secrets::parse(&text).unwrap();
        assert_eq!(format!("{secrets:?}"), "Secrets { .. }");
        for (from, to) in [
            ("index_key = \"", "index_key = \"AA"),
            ("pass_key = \"", "pass_key = \"!"),
            ("master_keys = [\"", "master_keys = [\":"),
            ("pass_key", "passkey"),
        ] {
            let wrong = text.replace(from, to);
            assert!(Secrets::parse(&wrong).is_err(), "{to}");
        }
    }
}
