//! A ledger in memory, with a clock and ids of its own.
//!
//! [`World::run`] is the only way in. It decides over all rows and again over the rows a store would
//! load for the one command, demands the same decision, applies it and audits the books.

mod audit;
mod loader;
mod names;
mod programme;
mod script;
mod show;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use jiff::Timestamp;
use ledger::{
    command::{Activation, Ask, Command, Operation, PosCommand},
    decide,
    decision::{Answer, Decision},
    programme::Programme,
    state::{Changes, InForce, State},
};
use pos_protocol::CommandId;
use uuid::Uuid;

pub(crate) use audit::check_created;
pub(crate) use loader::load;
pub(crate) use names::{card_id, claim, enrol, hash, member_id, newcomer, order_use, till};
pub(crate) use programme::{days, expiring, hours, minutes, months, programme, seconds};
pub(crate) use script::{SECRET, SHOP_TILL, profile, report};

use audit::Books;
use names::Names;

/// Noon of 22 November 2026 in Tokyo, a Sunday.
const START: &str = "2026-11-22T12:00:00+09:00";

/// A ledger with all its rows, and everything that ever happened in it.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    /// All changes since the start, the events and transfers in order.
    pub(crate) all: Changes,
    books: Books,
    commands: u64,
    names: Names,
}

impl World {
    /// A world with this programme and nobody in it.
    pub(crate) fn empty(programme: Programme) -> Self {
        Self {
            state: State::new(InForce {
                programme: Arc::new(programme),
                version: 1,
            }),
            now: START.parse().unwrap(),
            all: Changes::default(),
            books: Books::default(),
            commands: 0,
            names: Names::default(),
        }
    }

    /// A world with two members, `ann` and `bob`.
    pub(crate) fn with(edit: impl FnOnce(&mut Programme)) -> Self {
        let mut world = Self::empty(programme(edit));
        world.play("enrol ann \n enrol bob");
        world
    }

    /// [`World::with`] the programme as it is.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// Staff puts the programme, edited, in force.
    pub(crate) fn activate(&mut self, edit: impl FnOnce(&mut Programme)) -> Answer {
        let mut programme = Programme::clone(&self.state.in_force.programme);
        edit(&mut programme);
        let activation = Activation {
            replaces: self.state.in_force.version,
            programme: Arc::new(programme),
            source: "edited".to_owned(),
            actor: "staff".to_owned(),
        };
        let operation = Operation::ActivateProgramme(Box::new(activation));
        self.run(operation).answer
    }

    /// The next command, with the id that the edge would give it now.
    pub(crate) fn command(&mut self, operation: Operation) -> Command {
        self.commands += 1;
        Command {
            id: command_id(self.now, self.commands),
            operation,
        }
    }

    /// Decides and applies one command; returns its answer and what it changed.
    pub(crate) fn run(&mut self, operation: Operation) -> Decision {
        let command = self.command(operation);
        self.run_command(&command)
    }

    /// [`World::run`] with a command that is already made.
    pub(crate) fn run_command(&mut self, command: &Command) -> Decision {
        let decision = decide(&self.state, command, self.now);
        let loaded = load(&self.state, [(command, self.now)]);
        assert_eq!(
            decide(&loaded, command, self.now),
            decision,
            "the rows that the keys name do not suffice for {command:?}"
        );
        assert!(
            !matches!(decision.answer, Answer::Fault(_)),
            "{command:?} → {:?}",
            decision.answer
        );
        self.apply(&decision);
        self.books.check(&self.state);
        decision
    }

    /// [`World::run`] without reading all rows again: for long preparations.
    pub(crate) fn run_unaudited(&mut self, operation: Operation) -> Decision {
        let command = self.command(operation);
        let decision = decide(&self.state, &command, self.now);
        self.apply(&decision);
        decision
    }

    fn apply(&mut self, decision: &Decision) {
        self.books.enter(&self.state, &decision.changes);
        self.state.apply(&decision.changes);
        self.all.absorb(decision.changes.clone());
    }
}

/// An id as the edge makes them: time first, the low 16 bits free for what the command makes.
pub(crate) fn command_id(now: Timestamp, count: u64) -> CommandId {
    let milliseconds = u128::try_from(now.as_millisecond()).unwrap();
    let bits = (milliseconds << 80) | (7 << 76) | (2 << 62) | (u128::from(count) << 16);
    CommandId::new(Uuid::from_u128(bits))
}

/// A stand-in for SHA-256 of a body: equal for equal bodies.
pub(crate) fn fingerprint(ask: &Ask) -> [u8; 32] {
    let mut hasher = DefaultHasher::new();
    format!("{ask:?}").hash(&mut hasher);
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    fingerprint
}

/// A till's request.
pub(crate) fn request(till_name: &str, request_id: &str, ask: Ask) -> PosCommand {
    PosCommand {
        till: till(till_name),
        request_id: request_id.parse().unwrap(),
        fingerprint: fingerprint(&ask),
        ask,
    }
}
