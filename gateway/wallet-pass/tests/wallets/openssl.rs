//! The program `openssl`: makes keys and certificates, and judges what this crate signed.
//!
//! A library that shares no code with the crate has the last word. Without the program the tests fail: a signature
//! nobody else checked is not tested.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

const CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
";

/// A folder that `openssl` works in.
pub(crate) struct Openssl {
    folder: TempDir,
}

impl Openssl {
    /// A new folder.
    pub(crate) fn new() -> Self {
        let openssl = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        openssl.write("test.cnf", CONFIG.as_bytes());
        openssl
    }

    /// Where `name` is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Stores a file.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Reads a text.
    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `openssl` with these words, whatever comes of it.
    pub(crate) fn run(&self, words: &str) -> Output {
        Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "`openssl` cannot be run ({error}): install it, on Debian with `apt-get install openssl`"
                )
            })
    }

    /// Runs `openssl`, which must succeed, and gives what it wrote.
    pub(crate) fn must(&self, words: &str) -> String {
        let output = self.run(words);
        assert!(
            output.status.success(),
            "openssl {words}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A self-signed authority: `NAME.pem`, `NAME.key`.
    pub(crate) fn authority(&self, name: &str) {
        self.must(&format!(
            "req -x509 -config test.cnf -extensions authority -newkey rsa:2048 -nodes -sha256 -days 3650 \
             -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ));
    }

    /// A certificate with a key of `kind` (as `req -newkey` takes it), issued by `issuer`: `NAME.pem`, `NAME.key`.
    pub(crate) fn certificate(
        &self,
        name: &str,
        kind: &str,
        extensions: &str,
        issuer: &str,
        days: u32,
    ) {
        self.must(&format!(
            "req -new -config test.cnf -newkey {kind} -nodes -subj /UID=pass.example.card/CN={name} \
             -keyout {name}.key -out {name}.csr"
        ));
        self.must(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial -sha256 -days {days} \
             -extfile test.cnf -extensions {extensions} -out {name}.pem"
        ));
    }
}
