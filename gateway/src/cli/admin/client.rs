//! `gateway admin client`: who may ask for access tokens.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use pos_protocol::{ShopId, StoreId, TerminalId};
use serde_json::json;

use super::super::{Failure, Settings, database::DatabaseArgs, output};
use crate::{
    clock::Clock,
    store::{Client, ClientScope, ClientSecret, Creation, NewClient, PoolSizes, Role, Store},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Make a client; its secret is printed once and not kept
    Create(CreateArgs),
    /// List all clients
    List(ListArgs),
    /// Give a client another secret; the old one is worthless at once
    Rotate(NameArgs),
    /// Shut a client out; its tokens end within a minute
    Disable(NameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Its name, 1 to 64 characters of A-Z a-z 0-9 . _ -
    #[arg(long, value_name = "ID")]
    id: String,
    /// What it may be used for; several with commas
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        required = true,
        value_name = "SCOPE"
    )]
    scope: Vec<Scope>,
    /// Its terminal (scope pos); made if it is new
    #[arg(long, value_name = "ID")]
    terminal: Option<TerminalId>,
    /// The terminal's store (scope pos); made if it is new
    #[arg(long, value_name = "ID")]
    store: Option<StoreId>,
    /// Its shop (scope ec)
    #[arg(long, value_name = "ID")]
    shop: Option<ShopId>,
    /// What it may do at the console (scope admin); without a role it reads events and nothing else
    #[arg(long, value_enum)]
    role: Option<RoleName>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON, one client a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The client
    #[arg(long, value_name = "ID")]
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// A till
    Pos,
    /// A shop system that reports orders
    Ec,
    /// A staff tool
    Admin,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// Helps members
    Support,
    /// Decides, and sets up stores, tills, shops and clients
    Manager,
    /// Looks, and changes nothing
    Auditor,
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Support => Self::Support,
            RoleName::Manager => Self::Manager,
            RoleName::Auditor => Self::Auditor,
        }
    }
}

impl From<Scope> for ClientScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Pos => Self::Pos,
            Scope::Ec => Self::Ec,
            Scope::Admin => Self::Admin,
        }
    }
}

const SIZES: PoolSizes = PoolSizes { write: 1, read: 1 };

pub(super) async fn run(command: ClientCommand, settings: &Settings) -> Result<(), Failure> {
    let database = match &command {
        ClientCommand::Create(args) => &args.database,
        ClientCommand::List(args) => &args.database,
        ClientCommand::Rotate(args) | ClientCommand::Disable(args) => &args.database,
    };
    let store = database.open(settings, SIZES).await?;
    let now = Clock::system().now();
    let outcome = match command {
        ClientCommand::Create(args) => create(&store, args, now).await,
        ClientCommand::List(args) => list(&store, args.json).await,
        ClientCommand::Rotate(args) => rotate(&store, args).await,
        ClientCommand::Disable(args) => disable(&store, args, now).await,
    };
    store.close().await;
    outcome
}

async fn create(store: &Store, args: CreateArgs, now: Timestamp) -> Result<(), Failure> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !(1..=64).contains(&args.id.len()) || !args.id.chars().all(legal) {
        return Err(Failure::Usage(
            "a client's id is 1 to 64 characters of A-Z a-z 0-9 . _ -".into(),
        ));
    }
    let scopes: BTreeSet<ClientScope> = args.scope.into_iter().map(ClientScope::from).collect();
    let place = match (args.terminal, args.store) {
        (Some(terminal), Some(store)) => Some((terminal, store)),
        (None, None) => None,
        _ => return Err(Failure::Usage("--terminal and --store go together".into())),
    };
    if scopes.contains(&ClientScope::Pos) != place.is_some() {
        return Err(Failure::Usage(
            "a till has a place: --scope pos goes with --terminal and --store, other scopes without".into(),
        ));
    }
    let role = args.role.map(Role::from);
    if role.is_some() && !scopes.contains(&ClientScope::Admin) {
        return Err(Failure::Usage("--role goes with --scope admin".into()));
    }
    if let Some(shop) = &args.shop {
        if !scopes.contains(&ClientScope::Ec) {
            return Err(Failure::Usage("--shop goes with --scope ec".into()));
        }
        if store.shop(shop).await?.is_none() {
            return Err(Failure::Refused(format!("there is no shop {shop}")));
        }
    }
    if store.client(&args.id).await?.is_some() {
        return Err(Failure::Refused(format!(
            "there is a client {} already; `admin client rotate` gives it another secret",
            args.id
        )));
    }
    let made = match &place {
        Some((terminal, at)) => make_place(store, terminal, at, now).await?,
        None => Made::default(),
    };
    let secret = ClientSecret::generate()
        .map_err(|error| Failure::io("cannot make a secret")(std::io::Error::other(error)))?;
    let terminal = place.as_ref().map(|(terminal, _)| terminal);
    let client = NewClient {
        id: &args.id,
        secret: &secret,
        scopes: &scopes,
        terminal,
        shop: args.shop.as_ref(),
        role,
    };
    if store.create_client(&client, now).await? != Creation::Created {
        let id = args.id;
        return Err(Failure::Refused(format!("client {id} was made meanwhile")));
    }
    let words: Vec<_> = scopes.iter().map(|scope| scope.word()).collect();
    if args.json {
        return output::json(&json!({
            "client_id": args.id,
            "client_secret": secret.reveal(),
            "scopes": words,
            "role": role.map(Role::word),
            "shop_id": args.shop,
            "terminal_id": terminal,
            "store_id": place.as_ref().map(|(_, store)| store),
            "created": { "store": made.store, "terminal": made.terminal },
        }));
    }
    if let Some((terminal, at)) = &place {
        let new = |made: bool| if made { "new" } else { "was there" };
        output::line(format!("store     {at} ({})", new(made.store)))?;
        output::line(format!("terminal  {terminal} ({})", new(made.terminal)))?;
    }
    if let Some(shop) = &args.shop {
        output::line(format!("shop      {shop}"))?;
    }
    output::line(format!("client    {} ({})", args.id, words.join(" ")))?;
    if let Some(role) = role {
        output::line(format!("role      {}", role.word()))?;
    }
    output::line(format!("secret    {}", secret.reveal()))?;
    output::line("The secret is shown once; only its hash is kept.")
}

/// What had to be made for a till to stand somewhere.
#[derive(Debug, Clone, Copy, Default)]
struct Made {
    store: bool,
    terminal: bool,
}

/// Sees that the terminal stands in the store; never moves one.
async fn make_place(
    store: &Store,
    terminal: &TerminalId,
    at: &StoreId,
    now: Timestamp,
) -> Result<Made, Failure> {
    if let Some(known) = store.terminal(terminal).await?
        && known.store_id != *at
    {
        return Err(Failure::Refused(format!(
            "terminal {terminal} stands in store {}, not in {at}",
            known.store_id
        )));
    }
    let new_store = store.create_store(at, at.as_str(), now).await? == Creation::Created;
    let new_terminal = store.create_terminal(terminal, at, now).await? == Creation::Created;
    Ok(Made {
        store: new_store,
        terminal: new_terminal,
    })
}

async fn list(store: &Store, json: bool) -> Result<(), Failure> {
    let clients = store.list_clients().await?;
    if json {
        return clients.iter().try_for_each(|client| {
            let words: Vec<_> = client.scopes.iter().map(|scope| scope.word()).collect();
            output::json(&json!({
                "client_id": client.id,
                "scopes": words,
                "role": client.role.map(Role::word),
                "terminal_id": client.till.as_ref().map(|till| &till.terminal_id),
                "store_id": client.till.as_ref().map(|till| &till.store_id),
                "shop_id": client.shop_id,
                "created_at": client.created_at,
                "disabled_at": client.disabled_at,
            }))
        });
    }
    let row = |client: &Client| {
        let till = client.till.as_ref();
        [
            client.id.clone(),
            ClientScope::join(&client.scopes),
            client.role.map_or("-", Role::word).to_owned(),
            till.map_or("-".into(), |till| till.terminal_id.to_string()),
            till.map_or("-".into(), |till| till.store_id.to_string()),
            client.disabled_at.map_or("-".into(), |at| at.to_string()),
        ]
    };
    output::table(
        ["CLIENT", "SCOPES", "ROLE", "TERMINAL", "STORE", "DISABLED"],
        clients.iter().map(row),
    )
}

async fn rotate(store: &Store, args: NameArgs) -> Result<(), Failure> {
    let secret = ClientSecret::generate()
        .map_err(|error| Failure::io("cannot make a secret")(std::io::Error::other(error)))?;
    if !store.rotate_client_secret(&args.id, &secret).await? {
        return Err(unknown(&args.id));
    }
    if args.json {
        return output::json(&json!({ "client_id": args.id, "client_secret": secret.reveal() }));
    }
    output::line(format!("client    {}", args.id))?;
    output::line(format!("secret    {}", secret.reveal()))?;
    output::line("The secret is shown once; the old one is worthless.")
}

async fn disable(store: &Store, args: NameArgs, now: Timestamp) -> Result<(), Failure> {
    if !store.disable_client(&args.id, now).await? {
        return Err(unknown(&args.id));
    }
    if args.json {
        return output::json(&json!({ "client_id": args.id, "disabled": true }));
    }
    let seconds = crate::limits::CLIENT_STANDING_S;
    output::line(format!(
        "client {} gets no more tokens; those it has end within {seconds} s",
        args.id
    ))
}

fn unknown(id: &str) -> Failure {
    Failure::Refused(format!("there is no client {id}"))
}
