//! The sample data of `gateway demo`: stores, tills, clients and a few members with points.
//!
//! Everything that holds points goes through the writer, like at any other gateway. What is there
//! already is left alone, so a demo can be stopped and started again.

mod history;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use ledger::{
    command::{Adjustment, Command, Direction, Enrol, Operation},
    decision::Answer,
    lot::Scope,
    member::MemberNo,
    programme::BASE_CLASS,
};
use member_card::SigningKey;
use pos_protocol::{CommandId, IdError, MemberId, Points, ShopId, StoreId, TerminalId};

use crate::{
    clock::Clock,
    secrets::Secrets,
    store::{
        ClientScope, ClientSecret, Creation, NewClient, NewShop, NoRandomness, Role, ShopPlatform,
        ShopSettings, Store, StoreError,
    },
    writer::{WriteError, Writer},
};

/// A store and its tills.
const STORES: &[(&str, &str, &[&str])] = &[
    ("store-1", "Shibuya", &["till-1", "till-2"]),
    ("store-2", "Umeda", &["till-3"]),
    ("store-3", "Sendai", &["till-4"]),
];

/// A client whose secret is no secret.
#[derive(Debug, Clone, Copy)]
pub struct SampleClient {
    /// Its name.
    pub id: &'static str,
    /// Its secret on a gateway that only its own machine can reach.
    secret: &'static str,
    /// What it may be used for.
    pub scope: ClientScope,
    /// What it may do at the console, if it is a staff tool.
    pub role: Option<Role>,
    terminal: Option<&'static str>,
}

/// The clients of the demo.
const CLIENTS: &[SampleClient] = &[
    SampleClient {
        id: "till-1",
        secret: "demo-till-1-secret",
        scope: ClientScope::Pos,
        role: None,
        terminal: Some("till-1"),
    },
    SampleClient {
        id: "till-3",
        secret: "demo-till-3-secret",
        scope: ClientScope::Pos,
        role: None,
        terminal: Some("till-3"),
    },
    SampleClient {
        id: "shop-1",
        secret: "demo-shop-1-secret",
        scope: ClientScope::Ec,
        role: None,
        terminal: None,
    },
    SampleClient {
        id: "staff-1",
        secret: "demo-staff-1-secret",
        scope: ClientScope::Admin,
        role: Some(Role::Manager),
        terminal: None,
    },
    SampleClient {
        id: "staff-2",
        secret: "demo-staff-2-secret",
        scope: ClientScope::Admin,
        role: Some(Role::Manager),
        terminal: None,
    },
    SampleClient {
        id: "support-1",
        secret: "demo-support-1-secret",
        scope: ClientScope::Admin,
        role: Some(Role::Support),
        terminal: None,
    },
    SampleClient {
        id: "auditor-1",
        secret: "demo-auditor-1-secret",
        scope: ClientScope::Admin,
        role: Some(Role::Auditor),
        terminal: None,
    },
];

/// EC shops: id, platform, name.
const SHOPS: &[(&str, ShopPlatform, &str)] = &[
    ("shop-1", ShopPlatform::Api, "Online shop"),
    ("shop-2", ShopPlatform::WooCommerce, "Tea by post"),
];
/// What the demo's shop on WooCommerce signs with, where only its own machine can send. No secret.
const WEBHOOK_SECRET: &str = "demo-shop-2-webhook-secret";
/// The client of a shop that calls the gateway itself.
const SHOP_CLIENT: (&str, &str) = ("shop-1", "shop-1");

/// Members: the file of their card's key, and what they are given, by class.
const MEMBERS: &[(&str, &[(&str, i64)])] = &[
    ("card-1.pem", &[(BASE_CLASS, 1_500)]),
    ("card-2.pem", &[(BASE_CLASS, 300), ("bonus", 200)]),
    ("card-3.pem", &[]),
];

/// A member of the demo.
#[derive(Debug, Clone)]
pub struct SampleMember {
    /// The member's number.
    pub number: MemberNo,
    /// Points that can be spent.
    pub available: Points,
    /// The private key of the member's card.
    pub key_file: PathBuf,
}

/// What the demo holds, ready to be told.
#[derive(Debug)]
pub struct Prepared {
    /// Members with cards.
    pub members: Vec<SampleMember>,
    /// Clients, with the secrets they have now.
    pub clients: Vec<(SampleClient, ClientSecret)>,
    /// What the shop on WooCommerce signs with.
    pub webhook_secret: ClientSecret,
}

/// Why the sample data could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A card's key cannot be read or written.
    #[error("{0}: {1}")]
    Key(String, io::Error),
    /// The system gave no randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A name in this file is wrong.
    #[error(transparent)]
    Name(#[from] IdError),
    /// The ledger does not take the sample data.
    #[error("the ledger answered {0}")]
    Answer(String),
}

/// What the sample data is made with.
#[derive(Debug)]
pub struct Demo<'a> {
    /// Where it goes.
    pub store: &'a Store,
    /// How points go there.
    pub writer: &'a Writer,
    /// What time it is.
    pub clock: &'a Clock,
    /// Where the cards' keys lie.
    pub folder: &'a Path,
    /// What persons and shops of the sample data are kept with.
    pub secrets: &'a Secrets,
    /// Secrets made anew at each start, for a gateway that others can reach: the usual ones stand in its manual.
    pub fresh_secrets: bool,
}

impl Demo<'_> {
    /// Makes what is missing of the sample data, and gives clients and shops their secrets.
    ///
    /// # Errors
    /// [`DemoError`]
    pub async fn prepare(&self) -> Result<Prepared, DemoError> {
        self.places().await?;
        let clients = self.clients().await?;
        let webhook_secret = self.shops().await?;
        self.history().await?;
        let mut members = Vec::with_capacity(MEMBERS.len());
        for (file, grants) in MEMBERS {
            members.push(self.member(&self.folder.join(file), grants).await?);
        }
        Ok(Prepared {
            members,
            clients,
            webhook_secret,
        })
    }

    fn secret(&self, usual: &str) -> Result<ClientSecret, NoRandomness> {
        if self.fresh_secrets {
            ClientSecret::generate()
        } else {
            Ok(ClientSecret::given(usual))
        }
    }

    async fn places(&self) -> Result<(), DemoError> {
        let now = self.clock.now();
        for (id, name, tills) in STORES {
            let id = StoreId::new(id)?;
            self.store.create_store(&id, name, now).await?;
            for till in *tills {
                let till = TerminalId::new(till)?;
                self.store.create_terminal(&till, &id, now).await?;
            }
        }
        Ok(())
    }

    async fn clients(&self) -> Result<Vec<(SampleClient, ClientSecret)>, DemoError> {
        let mut clients = Vec::with_capacity(CLIENTS.len());
        for client in CLIENTS {
            let secret = self.secret(client.secret)?;
            let terminal = client.terminal.map(TerminalId::new).transpose()?;
            let new = NewClient {
                id: client.id,
                secret: &secret,
                scopes: &BTreeSet::from([client.scope]),
                terminal: terminal.as_ref(),
                shop: None,
                role: client.role,
            };
            let made = self.store.create_client(&new, self.clock.now()).await?;
            if made != Creation::Created {
                // The last start may have been of the other kind.
                self.store.rotate_client_secret(client.id, &secret).await?;
            }
            clients.push((*client, secret));
        }
        Ok(clients)
    }

    /// A shop that calls the gateway itself, and one whose platform sends webhooks; returns what that one signs with.
    async fn shops(&self) -> Result<ClientSecret, DemoError> {
        let now = self.clock.now();
        let settings = ShopSettings::default();
        let secret = self.secret(WEBHOOK_SECRET)?;
        for (id, platform, name) in SHOPS {
            let id = ShopId::new(id)?;
            let shop = NewShop {
                id: &id,
                platform: *platform,
                name,
                base_url: None,
                settings: &settings,
            };
            self.store.create_shop(&shop, now).await?;
            if platform.webhooks().is_none() {
                continue;
            }
            let known = self.store.shop_secrets(&id, now).await?;
            if known
                .first()
                .is_none_or(|known| *known.text != *secret.reveal())
            {
                let text = secret.reveal();
                self.store.add_shop_secret(&id, text, now, now).await?;
            }
        }
        let (client, shop) = SHOP_CLIENT;
        self.store
            .set_client_shop(client, &ShopId::new(shop)?)
            .await?;
        Ok(secret)
    }

    async fn member(
        &self,
        key_file: &Path,
        grants: &[(&str, i64)],
    ) -> Result<SampleMember, DemoError> {
        let key = key_at(key_file)
            .map_err(|error| DemoError::Key(key_file.display().to_string(), error))?;
        let id = self.clock.new_id();
        // The bits of the id that are random, and the time's lowest.
        let seed = u64::try_from((id.as_u128() >> 16) & u128::from(u64::MAX)).unwrap_or_default();
        let enrol = Operation::Enrol(Enrol {
            card_id: key.card_id(),
            public_key: key.public_key().to_sec1().to_vec(),
            member_id: MemberId::new(id),
            member_no: MemberNo::from_seed(seed),
        });
        let (member_id, number) = match self.submit(enrol).await? {
            Answer::Enrolled {
                member_id,
                member_no,
                ..
            } => (member_id, member_no),
            other => return Err(unexpected(&other)),
        };
        // A member who ever had points was given the first ones already.
        if self.store.history(member_id, None, 1).await?.is_empty() {
            for (class, points) in grants {
                self.grant(member_id, class, *points).await?;
            }
        }
        let record = self.store.member(member_id).await?;
        Ok(SampleMember {
            number,
            available: record.map_or(Points::ZERO, |record| record.member.available),
            key_file: key_file.into(),
        })
    }

    async fn grant(&self, member_id: MemberId, class: &str, points: i64) -> Result<(), DemoError> {
        let grant = Operation::Adjust(Adjustment {
            member_id,
            direction: Direction::Grant,
            points: Points::new(points).unwrap_or(Points::ZERO),
            class: class.to_owned(),
            scope: Scope::default(),
            reason: "sample data".to_owned(),
            actor: "demo".to_owned(),
        });
        match self.submit(grant).await? {
            Answer::Done => Ok(()),
            // Another programme may have no such class.
            Answer::NotFound => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn submit(&self, operation: Operation) -> Result<Answer, DemoError> {
        let id = CommandId::new(self.clock.new_id());
        Ok(self.writer.submit(Command { id, operation }, None).await?)
    }
}

fn unexpected(answer: &Answer) -> DemoError {
    DemoError::Answer(format!("{answer:?}"))
}

/// The key in this file, made if there is none; readable by its owner only.
fn key_at(file: &Path) -> io::Result<SigningKey> {
    match fs::read_to_string(file) {
        Ok(pem) => return SigningKey::from_pkcs8_pem(&pem).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let key = SigningKey::generate().map_err(io::Error::other)?;
    let pem = key.to_pkcs8_pem().map_err(io::Error::other)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    io::Write::write_all(&mut out, pem.as_bytes())?;
    Ok(key)
}
