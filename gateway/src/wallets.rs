//! What the gateway needs to give out wallet passes: keys and certificates, from one file for each wallet.
//!
//! A file names others, by paths that count from its own place. What is wrong with any of them is told
//! with its name, and without what stands in it.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use wallet_pass::{
    Color,
    apple::{self, BarcodeFormat, Images},
    google::{self, LoyaltyClass},
};
use zeroize::Zeroizing;

use crate::toml_file::{self, TomlFault};

/// The largest of these files, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The wallets that passes can be made for.
#[derive(Debug, Default)]
pub struct Wallets {
    /// Google Wallet.
    pub google: Option<google::Config>,
    /// Apple Wallet.
    pub apple: Option<AppleWallet>,
}

/// What passes for Apple Wallet are made with.
pub struct AppleWallet {
    /// Who signs.
    pub config: apple::Config,
    /// What the card is, for those who cannot see it.
    pub description: String,
    /// The text beside the logo.
    pub logo_text: String,
    /// The card's colour.
    pub background: Color,
    /// The colour of its texts.
    pub foreground: Color,
    /// How the number is drawn.
    pub barcode: BarcodeFormat,
    /// Its pictures; simple ones are drawn where there are none.
    pub images: Option<Images>,
}

impl fmt::Debug for AppleWallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppleWallet")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Why a wallet's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// A file cannot be read.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The file says something wrong.
    #[error(transparent)]
    Wrong(#[from] TomlFault),
    /// A value in it, or a file that it names, is not usable.
    #[error("{0}: {1}")]
    Unusable(String, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoogleForm {
    service_account: PathBuf,
    issuer_id: String,
    class: String,
    #[serde(default)]
    origins: Vec<String>,
    new_class: Option<ClassForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassForm {
    issuer_name: String,
    program_name: String,
    logo_url: String,
    background: Option<ColorForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppleForm {
    pass_type_identifier: String,
    team_identifier: String,
    organization_name: String,
    certificate: PathBuf,
    key: PathBuf,
    intermediate: PathBuf,
    description: String,
    logo_text: String,
    #[serde(default = "dark")]
    background: ColorForm,
    #[serde(default = "light")]
    foreground: ColorForm,
    #[serde(default)]
    barcode: BarcodeForm,
    images: Option<ImagesForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImagesForm {
    icon: PathBuf,
    icon_2x: PathBuf,
    logo: PathBuf,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BarcodeForm {
    #[default]
    Qr,
    Code128,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct ColorForm(Color);

impl TryFrom<String> for ColorForm {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let color = Color::parse(&text).map(Self);
        color.ok_or_else(|| format!("\"{text}\" is no colour: #rrggbb"))
    }
}

fn dark() -> ColorForm {
    ColorForm(Color::new(0x1a, 0x3a, 0x6b))
}

fn light() -> ColorForm {
    ColorForm(Color::WHITE)
}

/// A file that names others.
struct Named<'a>(&'a Path);

impl Named<'_> {
    fn form<T: DeserializeOwned>(&self) -> Result<T, WalletError> {
        let text = text(self.0)?;
        Ok(toml_file::parse(&self.0.display().to_string(), &text)?)
    }

    fn beside(&self, path: &Path) -> PathBuf {
        self.0.parent().unwrap_or(Path::new("")).join(path)
    }

    fn unusable(&self, why: impl fmt::Display) -> WalletError {
        WalletError::Unusable(self.0.display().to_string(), why.to_string())
    }
}

/// What passes for Google Wallet are made with.
///
/// # Errors
/// [`WalletError`]; it names the file, and no key.
pub fn google(path: &Path) -> Result<google::Config, WalletError> {
    let file = Named(path);
    let form: GoogleForm = file.form()?;
    let account = text(&file.beside(&form.service_account))?;
    let config = google::Config::parse(&account, &form.issuer_id, &form.class);
    let config = config.map_err(|error| file.unusable(error))?;
    let config = config.with_origins(form.origins);
    Ok(match form.new_class {
        None => config,
        Some(class) => config.with_class(LoyaltyClass {
            issuer_name: class.issuer_name,
            program_name: class.program_name,
            logo_url: class.logo_url,
            background: class.background.map(|color| color.0),
        }),
    })
}

/// What passes for Apple Wallet are made with.
///
/// # Errors
/// [`WalletError`]; it names the file, and no key.
pub fn apple(path: &Path) -> Result<AppleWallet, WalletError> {
    let file = Named(path);
    let form: AppleForm = file.form()?;
    let pem = |path: &Path| text(&file.beside(path));
    let config = apple::Config::parse(&apple::Settings {
        pass_type_identifier: &form.pass_type_identifier,
        team_identifier: &form.team_identifier,
        organization_name: &form.organization_name,
        certificate_pem: &pem(&form.certificate)?,
        key_pem: &pem(&form.key)?,
        intermediate_pem: &pem(&form.intermediate)?,
    });
    let picture = |path: &Path| bytes(&file.beside(path));
    let images = match &form.images {
        None => None,
        Some(images) => {
            let (icon, icon_2x) = (picture(&images.icon)?, picture(&images.icon_2x)?);
            let images = Images::from_png(icon, icon_2x, picture(&images.logo)?);
            Some(images.map_err(|error| file.unusable(error))?)
        }
    };
    Ok(AppleWallet {
        config: config.map_err(|error| file.unusable(error))?,
        description: form.description,
        logo_text: form.logo_text,
        background: form.background.0,
        foreground: form.foreground.0,
        barcode: match form.barcode {
            BarcodeForm::Qr => BarcodeFormat::Qr,
            BarcodeForm::Code128 => BarcodeFormat::Code128,
        },
        images,
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, WalletError> {
    let failed = |error| WalletError::File(path.display().to_string(), error);
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > FILE_BYTES_MAX {
        let why = format!("{size} bytes; it has at most {FILE_BYTES_MAX}");
        return Err(WalletError::Unusable(path.display().to_string(), why));
    }
    fs::read(path).map_err(failed)
}

fn text(path: &Path) -> Result<Zeroizing<String>, WalletError> {
    let text = String::from_utf8(bytes(path)?).map(Zeroizing::new);
    text.map_err(|_| WalletError::Unusable(path.display().to_string(), "it is not UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = include_str!("../../docs/cards.md");

    /// The nth TOML block of the guide.
    fn example(place: usize) -> &'static str {
        let block = GUIDE.split("```toml\n").nth(place + 1).unwrap();
        block.split("```").next().unwrap()
    }

    #[test]
    fn the_guide_shows_files_that_can_be_read() {
        let google: GoogleForm = toml_file::parse("google.toml", example(0)).unwrap();
        assert_eq!(google.class, "points");
        assert!(google.new_class.is_some());
        let apple: AppleForm = toml_file::parse("apple.toml", example(1)).unwrap();
        assert_eq!(apple.foreground.0, Color::WHITE);
    }

    #[test]
    fn what_is_wrong_is_told_with_the_name_of_the_file_and_without_its_contents() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
        write("google.toml", example(0));
        let error = google(&path("google.toml")).unwrap_err().to_string();
        assert!(error.contains("service-account.json"), "{error}");
        write(
            "service-account.json",
            r#"{"private_key": "hunter2", "client_email": "a@b"}"#,
        );
        let error = google(&path("google.toml")).unwrap_err().to_string();
        assert!(
            error.contains("private_key") && !error.contains("hunter2"),
            "{error}"
        );
        write("apple.toml", &example(1).replace("#ffffff", "white"));
        let error = apple(&path("apple.toml")).unwrap_err().to_string();
        assert!(error.contains("\"white\" is no colour"), "{error}");
        write("apple.toml", example(1));
        let error = apple(&path("apple.toml")).unwrap_err().to_string();
        assert!(error.contains("pass.pem"), "{error}");
    }
}
