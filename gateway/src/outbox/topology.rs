//! Exchange and queues: what is published to, and what the CRM reads.
//!
//! Declared at every connection and when messages come back; only looked at by whoever examines a
//! set-up. What is there already and says otherwise
//! is left alone: a queue of another kind is somebody's own decision, and is not bound either. Only an
//! exchange of another type is no place to publish to.

use lapin::{
    Channel, Connection, ErrorKind, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::{broker::BrokerError, publisher::short};
use crate::limits;

/// Where every event is published to, with its type as routing key.
pub const EXCHANGE: &str = "loyalty.events";
/// The CRM's queue: it gets every event.
pub const QUEUE: &str = "crm.purchases";
/// Where messages go that a consumer failed at too often.
pub const DEAD_EXCHANGE: &str = "loyalty.dead";
/// Where those wait for people.
pub const DEAD_QUEUE: &str = "crm.purchases.dead";

/// AMQP's code for something that is there and differs.
const PRECONDITION_FAILED: u16 = 406;
/// AMQP's code for something that is not there.
const NOT_FOUND: u16 = 404;
/// AMQP's code for a missing right.
const ACCESS_REFUSED: u16 = 403;

/// What came of declaring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// What is not as this gateway would have it, in words for people.
    pub remarks: Vec<String>,
}

/// How one declaration ended.
enum Outcome {
    Done,
    /// It is there and differs; the broker's words.
    Differs(String),
    /// This user may not declare it; the broker's words.
    Forbidden(String),
    Missing,
}

impl Outcome {
    fn of(done: lapin::Result<()>) -> Result<Self, BrokerError> {
        let Err(error) = done else {
            return Ok(Self::Done);
        };
        if let ErrorKind::ProtocolError(refused) = error.kind() {
            let words = refused.get_message().to_string();
            match refused.get_id() {
                PRECONDITION_FAILED => return Ok(Self::Differs(words)),
                ACCESS_REFUSED => return Ok(Self::Forbidden(words)),
                NOT_FOUND => return Ok(Self::Missing),
                _ => {}
            }
        }
        Err(BrokerError::from_lapin(&error))
    }
}

/// Declares everything over channels of its own: one that is refused something is closed.
pub(super) async fn declare(connection: &Connection) -> Result<Declared, BrokerError> {
    let mut declaring = Declaring {
        connection,
        declared: Declared::default(),
    };
    declaring.exchange().await?;
    declaring.dead_letters().await?;
    declaring.queue().await?;
    Ok(declaring.declared)
}

/// What declaring would find, without making anything: what is there already may be declared the same
/// way again, and nothing happens.
pub(super) async fn inspect(connection: &Connection) -> Result<Declared, BrokerError> {
    let mut declaring = Declaring {
        connection,
        declared: Declared::default(),
    };
    let look =
        async |channel: &Channel| exchange(channel, EXCHANGE, ExchangeKind::Topic, true).await;
    match declaring.on_channel(look).await? {
        Outcome::Done => declaring.exchange().await?,
        _ => declaring.missing(EXCHANGE),
    }
    for (name, arguments) in [(DEAD_QUEUE, quorum()), (QUEUE, purchases())] {
        let look = async |channel: &Channel| queue_there(channel, name).await;
        if !matches!(declaring.on_channel(look).await?, Outcome::Done) {
            declaring.missing(name);
            continue;
        }
        let declaration = async |channel: &Channel| queue(channel, name, arguments).await;
        let outcome = declaring.on_channel(declaration).await?;
        declaring.note(name, outcome);
    }
    Ok(declaring.declared)
}

struct Declaring<'a> {
    connection: &'a Connection,
    declared: Declared,
}

impl Declaring<'_> {
    /// Runs one declaration on a fresh channel.
    async fn on_channel(
        &self,
        declaration: impl AsyncFnOnce(&Channel) -> lapin::Result<()>,
    ) -> Result<Outcome, BrokerError> {
        let channel = self.connection.create_channel().await;
        let channel = channel.map_err(|error| BrokerError::from_lapin(&error))?;
        let outcome = Outcome::of(declaration(&channel).await)?;
        if matches!(outcome, Outcome::Done) {
            let closed = channel.close(200, short("OK")).await;
            closed.map_err(|error| BrokerError::from_lapin(&error))?;
        }
        Ok(outcome)
    }

    fn remark(&mut self, text: String) {
        self.declared.remarks.push(text);
    }

    async fn exchange(&mut self) -> Result<(), BrokerError> {
        let declaration =
            async |channel: &Channel| exchange(channel, EXCHANGE, ExchangeKind::Topic, false).await;
        match self.on_channel(declaration).await? {
            Outcome::Done => Ok(()),
            Outcome::Differs(words) if words.contains("'type'") => {
                Err(BrokerError::Refused(format!(
                    "the exchange {EXCHANGE} is of another type, so events cannot be published to it; \
                     take it away, or let the gateway use a virtual host of its own: {words}"
                )))
            }
            Outcome::Differs(words) => {
                self.remark(format!(
                    "the exchange {EXCHANGE} differs and is used as it is: {words}"
                ));
                Ok(())
            }
            Outcome::Missing => Err(BrokerError::Away(format!(
                "the exchange {EXCHANGE} is gone"
            ))),
            Outcome::Forbidden(words) => self.exchange_of_others(words).await,
        }
    }

    /// Without the right to declare it, it has to be there.
    async fn exchange_of_others(&mut self, words: String) -> Result<(), BrokerError> {
        let look =
            async |channel: &Channel| exchange(channel, EXCHANGE, ExchangeKind::Topic, true).await;
        match self.on_channel(look).await? {
            Outcome::Done => {
                self.remark(format!(
                    "the gateway may not declare {EXCHANGE} and takes it as it is: {words}"
                ));
                Ok(())
            }
            _ => Err(BrokerError::Refused(format!(
                "there is no exchange {EXCHANGE} and the gateway may not make it: {words}"
            ))),
        }
    }

    async fn dead_letters(&mut self) -> Result<(), BrokerError> {
        let declaration = async |channel: &Channel| {
            exchange(channel, DEAD_EXCHANGE, ExchangeKind::Fanout, false).await
        };
        let outcome = self.on_channel(declaration).await?;
        self.note(DEAD_EXCHANGE, outcome);
        let declaration = async |channel: &Channel| {
            queue(channel, DEAD_QUEUE, quorum()).await?;
            bind(channel, DEAD_QUEUE, DEAD_EXCHANGE).await
        };
        let outcome = self.on_channel(declaration).await?;
        self.note(DEAD_QUEUE, outcome);
        Ok(())
    }

    async fn queue(&mut self) -> Result<(), BrokerError> {
        let declaration = async |channel: &Channel| {
            queue(channel, QUEUE, purchases()).await?;
            bind(channel, QUEUE, EXCHANGE).await
        };
        let outcome = self.on_channel(declaration).await?;
        self.note(QUEUE, outcome);
        Ok(())
    }

    fn missing(&mut self, name: &str) {
        self.remark(format!(
            "{name} is not there: a gateway makes it when it connects"
        ));
    }

    fn note(&mut self, name: &str, outcome: Outcome) {
        match outcome {
            Outcome::Done => {}
            Outcome::Differs(words) => {
                self.remark(format!(
                    "{name} is there, differs, and is left as it is: {words}"
                ));
            }
            Outcome::Forbidden(words) => {
                self.remark(format!(
                    "the gateway may not declare {name}; somebody else has to: {words}"
                ));
            }
            Outcome::Missing => self.remark(format!("{name} was taken away meanwhile")),
        }
    }
}

async fn exchange(
    channel: &Channel,
    name: &str,
    kind: ExchangeKind,
    passive: bool,
) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions {
        durable: true,
        passive,
        ..ExchangeDeclareOptions::default()
    };
    let arguments = FieldTable::default();
    channel
        .exchange_declare(short(name), kind, options, arguments)
        .await
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(short(name), options, arguments).await;
    declared.map(drop)
}

async fn queue_there(channel: &Channel, name: &str) -> lapin::Result<()> {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let arguments = FieldTable::default();
    let there = channel.queue_declare(short(name), options, arguments).await;
    there.map(drop)
}

async fn bind(channel: &Channel, queue: &str, exchange: &str) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    let arguments = FieldTable::default();
    channel
        .queue_bind(
            short(queue),
            short(exchange),
            short("#"),
            options,
            arguments,
        )
        .await
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert(short("x-queue-type"), long("quorum"));
    arguments
}

fn purchases() -> FieldTable {
    let mut arguments = quorum();
    let deliveries = AMQPValue::LongUInt(limits::BROKER_DELIVERIES_MAX);
    arguments.insert(short("x-delivery-limit"), deliveries);
    arguments.insert(short("x-dead-letter-exchange"), long(DEAD_EXCHANGE));
    // A dead letter is moved only when its new queue has it; RabbitMQ asks for the overflow with it.
    arguments.insert(short("x-dead-letter-strategy"), long("at-least-once"));
    arguments.insert(short("x-overflow"), long("reject-publish"));
    arguments
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}
