//! `gateway demo --lan`: the demo for phones in the same network.
//!
//! Phones make keys only for pages that came by HTTPS, so the gateway makes itself a certificate, anew at each start,
//! and every browser warns once that nobody vouches for it. Whoever is in the network can reach this gateway, so no
//! secret of it is one that stands in the manual.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType};

use crate::{
    cli::Failure,
    http::{PublicUrl, Tls},
};

/// Where phones find the gateway if no address is given.
const PORT_DEFAULT: u16 = 8443;
/// How long a certificate is good, in days: longer than anybody tries a demo.
const CERTIFICATE_DAYS: i64 = 30;
/// An address that no packet is sent to; it only makes the system choose an interface (RFC 5737).
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 1), 9);

/// How phones in the network reach the demo.
pub(super) struct Lan {
    /// Where it listens: this machine's address, not every interface.
    pub(super) address: SocketAddr,
    pub(super) tls: Tls,
    /// The certificate, for programs that shall trust it.
    pub(super) certificate: PathBuf,
}

impl Lan {
    /// A certificate for `listen`, or for this machine's own address, kept in `folder`.
    ///
    /// # Errors
    /// [`Failure`] if the machine is in no network, or a file cannot be written.
    pub(super) fn open(
        listen: Option<SocketAddr>,
        folder: &Path,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let address = match listen {
            Some(address) if address.ip().is_unspecified() || address.port() == 0 => {
                return Err(Failure::Usage(format!(
                    "{address}: with --lan, give the address and the port that phones shall call"
                )));
            }
            Some(address) => address,
            None => SocketAddr::new(own_address()?, PORT_DEFAULT),
        };
        let certificate = folder.join("lan-certificate.pem");
        let key = folder.join("lan-key.pem");
        let (certificate_pem, key_pem) = self_signed(address.ip(), now)
            .map_err(|error| failed("cannot make a certificate", error))?;
        write(&certificate, &certificate_pem, 0o644)?;
        write(&key, &key_pem, 0o600)?;
        let tls = Tls::from_pem_files(&certificate, &key)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self {
            address,
            tls,
            certificate,
        })
    }

    /// What the world calls the gateway.
    ///
    /// # Errors
    /// [`Failure`] never, for an address is always part of a URL.
    pub(super) fn public_url(&self) -> Result<PublicUrl, Failure> {
        let url = format!("https://{}", self.address).parse();
        url.map_err(|error| failed("cannot name the gateway", error))
    }

    /// What to show on the terminal: the card page for phones, as a code and as text.
    ///
    /// # Errors
    /// [`Failure`] if the code cannot be drawn.
    pub(super) fn greeting(&self) -> Result<String, Failure> {
        let base = format!("https://{}", self.address);
        let code = member_card::draw::terminal(&format!("{base}/card"))
            .map_err(|error| failed("cannot draw a code", error))?;
        Ok(format!(
            "\n{code}\n\
             # Scan this with a phone in the same network. Its browser warns, because nobody but this gateway vouches\n\
             # for its certificate; go on to the page.\n\
             #   Card      {base}/card\n\
             #   Register  {base}/register\n\
             #   Console   {base}/console\n\
             #   For curl  --cacert {}",
            self.certificate.display()
        ))
    }
}

/// This machine's address in the network that leads elsewhere.
fn own_address() -> Result<IpAddr, Failure> {
    let found = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| {
            socket.connect(ELSEWHERE)?;
            socket.local_addr()
        })
        .map(|address| address.ip());
    found
        .ok()
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
        .ok_or_else(|| {
            Failure::Usage(
                "this machine seems to be in no network: name its address with --listen ADDR:PORT"
                    .into(),
            )
        })
}

/// A certificate for the address and its key, both PEM.
fn self_signed(ip: IpAddr, now: Timestamp) -> Result<(String, String), rcgen::Error> {
    let day = |days: i64| {
        let date = now.to_zoned(TimeZone::UTC).date();
        let date = date.saturating_add(days.days());
        let number = |number: i8| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(date.year().into(), number(date.month()), number(date.day()))
    };
    let mut params = CertificateParams::default();
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "Point gateway demo");
    params.subject_alt_names = vec![SanType::IpAddress(ip)];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = day(-1);
    params.not_after = day(CERTIFICATE_DAYS);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Puts a file there that had no wider mode at any moment.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let failed = || format!("cannot write {}", path.display());
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Failure::io(failed())(error));
    }
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(Failure::io(failed()))
}

fn failed(what: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::io(what)(std::io::Error::other(error))
}
