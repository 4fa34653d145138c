//! Keys and certificates for both wallets, made by `openssl`, and what the passes made with them show.

use std::{fs, path::Path, process::Command};

use acceptance::{phone::unix_now, reply::Reply};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use wallet_pass::{CardNumber, totp};

use crate::Counter;

const CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
[leaf]
basicConstraints = critical,CA:FALSE
";

/// Puts `google.toml` and `apple.toml` into a folder, with all they name.
pub(crate) fn set_up(folder: &Path) {
    let openssl = |words: &str| {
        let ran = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(folder)
            .output()
            .expect("openssl runs; on Debian, apt-get install openssl");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "openssl {words}: {said}");
    };
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("test.cnf", CONFIG);
    openssl(
        "req -x509 -config test.cnf -extensions authority -newkey rsa:2048 -nodes -sha256 -days 30 \
         -subj /CN=wwdr -keyout wwdr.key -out wwdr.pem",
    );
    openssl(
        "req -new -config test.cnf -newkey rsa:2048 -nodes -subj /UID=pass.example.card/CN=pass \
         -keyout pass.key -out pass.csr",
    );
    openssl(
        "x509 -req -in pass.csr -CA wwdr.pem -CAkey wwdr.key -CAcreateserial -sha256 -days 20 \
         -extfile test.cnf -extensions leaf -out pass.pem",
    );
    let key = fs::read_to_string(folder.join("pass.key")).unwrap();
    let account =
        json!({ "client_email": "till@shop.example", "private_key_id": "k1", "private_key": key });
    write("account.json", &account.to_string());
    write(
        "google.toml",
        "service_account = \"account.json\"\nissuer_id = \"338800000001\"\nclass = \"points\"\n",
    );
    write(
        "apple.toml",
        "pass_type_identifier = \"pass.example.card\"\nteam_identifier = \"A1B2C3D4E5\"\n\
         organization_name = \"Shop\"\ncertificate = \"pass.pem\"\nkey = \"pass.key\"\n\
         intermediate = \"wwdr.pem\"\ndescription = \"Point card\"\nlogo_text = \"Points\"\n",
    );
}

/// A pass in Google Wallet.
pub(crate) struct GooglePass {
    pub(crate) number: CardNumber,
    pub(crate) card_id: String,
}

impl GooglePass {
    /// What the phone's wallet makes of the answer.
    pub(crate) fn saved(reply: &Reply) -> Self {
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(reply.headers["cache-control"], "no-store");
        let link = reply.word("/save_link");
        let token = link.rsplit('/').next().unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let code = &claims["payload"]["loyaltyObjects"][0]["rotatingBarcode"];
        let pattern = code["valuePattern"].as_str().unwrap();
        let number = pattern
            .trim_start_matches("7003")
            .split('{')
            .next()
            .unwrap();
        let number = CardNumber::parse(number).unwrap();
        assert!(
            reply
                .word("/number_masked")
                .ends_with(&number.as_str()[8..])
        );
        Self {
            number,
            card_id: reply.word("/card_id"),
        }
    }

    /// What it shows at `second`.
    pub(crate) fn shows(&self, counter: &Counter, second: u32) -> String {
        let secret = counter.secrets.pass.derive(&self.number, 1);
        let at = Timestamp::from_second(second.into()).unwrap();
        format!("7003{}{}", self.number, totp::code(&secret, at).unwrap())
    }

    /// What it shows now, with a password that is wrong.
    pub(crate) fn forged(&self, counter: &Counter) -> String {
        let text = self.shows(counter, unix_now());
        let (front, password) = text.split_at(16);
        let password: u32 = password.parse().unwrap();
        format!("{front}{:08}", (password + 50_000_000) % 100_000_000)
    }
}

/// What a till scans of an Apple pass, whose files are not compressed.
pub(crate) fn apple_number(file: &[u8]) -> String {
    let text = String::from_utf8_lossy(file);
    let (_, message) = text.split_once("\"message\":\"").unwrap();
    message.split('"').next().unwrap().to_owned()
}
