//! The sign-ins of a brand (OpenID Connect) through which staff comes to the console, from a file.
//!
//! The ID token is verified as those of shoppers are. Which role a person has, the brand says: by a claim of
//! the token and a map in the file. Who is named by no entry of the map has no role.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use moka::sync::Cache;
use outbound::{
    https::{Client, Limits},
    openid::{Issuer, Refusal, Settings, Verifier, VerifyError},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{limits, sign_in::SignInError, store::Role, toml_file};

/// The largest file of sign-ins, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The sign-ins of staff.
#[derive(Debug)]
pub struct StaffSignIn {
    verifier: Verifier,
    issuers: Vec<StaffIssuer>,
    /// Nonces that signed somebody in a short while ago. Of this process: whoever steals a token, and the secret of
    /// its nonce, could use it at another gateway of the programme, until it is too old.
    used: Cache<String, ()>,
}

/// One issuer of ID tokens of staff.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffIssuer {
    /// As in its tokens, to the letter.
    pub url: String,
    /// What people call it.
    pub name: String,
    /// Whom its tokens are for; the first is the console's page.
    pub client_ids: Vec<String>,
    /// Where the page sends people to sign in.
    pub authorization_url: String,
    /// The claim that says what somebody belongs to: a text or a list of texts.
    claim: String,
    /// Roles by what that claim says.
    roles: BTreeMap<String, RoleWord>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct RoleWord(Role);

impl TryFrom<String> for RoleWord {
    type Error = String;
    fn try_from(word: String) -> Result<Self, String> {
        let role = Role::from_word(&word).map(Self);
        role.ok_or_else(|| format!("\"{word}\" is no role: support, manager or auditor"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: Vec<StaffIssuer>,
}

/// Somebody whose ID token is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who, for the record.
    pub actor: String,
    /// The role, if the token gives any.
    pub role: Option<Role>,
}

impl StaffSignIn {
    /// Takes tokens of these issuers.
    ///
    /// # Errors
    /// What is wrong with an issuer.
    pub fn new(client: Client, issuers: Vec<StaffIssuer>) -> Result<Self, String> {
        if issuers.is_empty() {
            return Err("it names no [[issuer]]".into());
        }
        for issuer in &issuers {
            issuer.known()?;
        }
        let verifier = Verifier::new(client, Settings::default());
        // A token issued by a clock that is ahead is taken for longer.
        let life_s = limits::STAFF_ID_TOKEN_AGE_S
            .unsigned_abs()
            .saturating_mul(2);
        let used = Cache::builder()
            .max_capacity(limits::STAFF_SIGN_INS_SEEN_MAX)
            .time_to_live(Duration::from_secs(life_s))
            .build();
        Ok(Self {
            verifier,
            issuers,
            used,
        })
    }

    /// Reads a file of sign-ins.
    ///
    /// # Errors
    /// [`SignInError`]
    pub fn read(path: &Path) -> Result<Self, SignInError> {
        let name = path.display().to_string();
        let failed = |error| SignInError::File(name.clone(), error);
        let wrong = |what: String| SignInError::Wrong(name.clone(), what);
        if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
            return Err(wrong("it is too large to be a file of sign-ins".into()));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let client = Client::new(Limits::default()).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&name, &text, client)
    }

    /// Takes what a file of this text names.
    ///
    /// # Errors
    /// [`SignInError`]
    pub fn parse(name: &str, text: &str, client: Client) -> Result<Self, SignInError> {
        let file: File = toml_file::parse(name, text)?;
        Self::new(client, file.issuer).map_err(|what| SignInError::Wrong(name.to_owned(), what))
    }

    /// The issuers, to offer.
    #[must_use]
    pub fn issuers(&self) -> &[StaffIssuer] {
        &self.issuers
    }

    /// Who signed in, if the token is good and belongs to the sign-in of this secret.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub async fn verify(
        &self,
        token: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<SignedIn, VerifyError> {
        // Which issuer's keys to check it with; that it is that issuer's is checked then.
        let claims = claims_of(token);
        let named = claims
            .as_ref()
            .and_then(|claims| claims.get("iss")?.as_str());
        let mut all = self.issuers.iter();
        let issuer = all.find(|issuer| Some(issuer.url.as_str()) == named);
        let issuer = issuer.ok_or(VerifyError::Refused(Refusal::Issuer))?;
        let known = issuer
            .known()
            .map_err(|_| VerifyError::Refused(Refusal::Issuer))?;
        let nonce = nonce(secret);
        let subject = self.verifier.verify(&known, token, &nonce, now).await?;
        // From here on the claims are true.
        let issued_at = claims
            .as_ref()
            .and_then(|claims| claims.get("iat")?.as_i64());
        let age = issued_at.map(|at| now.as_second().saturating_sub(at));
        if age.is_none_or(|age| age > limits::STAFF_ID_TOKEN_AGE_S) {
            return Err(VerifyError::Refused(Refusal::Expired));
        }
        let role = claims.and_then(|claims| issuer.role(&claims));
        // One sign-in, one session.
        if role.is_some() && !self.used.entry(nonce).or_insert(()).is_fresh() {
            return Err(VerifyError::Refused(Refusal::Nonce));
        }
        Ok(SignedIn {
            actor: format!("openid:{}#{}", subject.issuer(), subject.subject()),
            role,
        })
    }
}

impl StaffIssuer {
    fn known(&self) -> Result<Issuer, String> {
        Issuer::new(&self.url, self.client_ids.clone())
            .map_err(|error| format!("{}: {error}", self.url))
    }

    /// The mightiest of the roles that verified claims give.
    fn role(&self, claims: &Value) -> Option<Role> {
        let said = claims.get(&self.claim)?;
        let one = said.as_str().into_iter();
        let many = said
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let roles: Vec<_> = one
            .chain(many)
            .filter_map(|text| self.roles.get(text))
            .map(|word| word.0)
            .collect();
        [Role::Manager, Role::Support, Role::Auditor]
            .into_iter()
            .find(|role| roles.contains(role))
    }
}

/// The nonce of a sign-in that was begun with a secret.
#[must_use]
pub fn nonce(secret: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, secret.as_bytes()).as_ref())
}

/// What a token says; whether it is true, the verifier says.
fn claims_of(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = r#"
        [[issuer]]
        url = "https://id.example"
        name = "Example"
        client_ids = ["console"]
        authorization_url = "https://id.example/authorize"
        claim = "groups"
        roles = { staff = "support", boss = "manager", audit = "auditor" }
    "#;

    #[test]
    fn a_claim_gives_the_mightiest_role_or_none() {
        let file: File = toml_file::parse("staff.toml", FILE).unwrap();
        let role = |groups: Value| file.issuer[0].role(&json!({ "groups": groups }));
        assert_eq!(role(json!("audit")), Some(Role::Auditor));
        assert_eq!(role(json!(["staff", "boss"])), Some(Role::Manager));
        assert_eq!(role(json!(["staff", "audit", 7])), Some(Role::Support));
        for none in [
            json!("manager"),
            json!([]),
            json!(null),
            json!({"staff": true}),
        ] {
            assert_eq!(role(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn a_file_that_gives_an_unknown_role_is_refused() {
        let wrong = FILE.replace("\"manager\"", "\"root\"");
        assert!(toml_file::parse::<File>("staff.toml", &wrong).is_err());
    }
}
