//! Staff at the console: who is asking, in which role, and what is noted of it.
//!
//! [`CALLS`] is the one table of who may make which call. A call without a row is made by nobody, so that a new
//! one has to be thought about. What changes something is an [`Act`]: noted before it is tried, with a reason,
//! and closed when it ended, whether or not anybody still waits for the answer.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{Method, request::Parts},
};
use pos_protocol::Points;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    App,
    caller::known_with,
    problem::{Problem, ProblemKind},
};
use crate::{
    desk,
    store::{ClientScope, Role, StaffAct},
};

use Role::{Auditor, Manager, Support};

const EVERYBODY: &[Role] = &[Support, Manager, Auditor];
const DESK: &[Role] = &[Support, Manager];
const MANAGER: &[Role] = &[Manager];
const OVERSIGHT: &[Role] = &[Manager, Auditor];

/// Who may make which call. `docs/console.md` shows it, and a test holds it there.
pub(super) const CALLS: &[(&str, &[Role])] = &[
    ("GET /v1/admin/me", EVERYBODY),
    ("POST /v1/admin/members/search", EVERYBODY),
    ("GET /v1/admin/members/{member}", EVERYBODY),
    ("GET /v1/admin/members/{member}/history", EVERYBODY),
    ("GET /v1/admin/members/{member}/why/{entry}", EVERYBODY),
    ("GET /v1/admin/members/{member}/orders", EVERYBODY),
    ("POST /v1/admin/members/{member}/profile", DESK),
    ("POST /v1/admin/members/{member}/export", MANAGER),
    ("POST /v1/admin/members/{member}/erase", MANAGER),
    ("POST /v1/admin/members/{member}/block", DESK),
    ("POST /v1/admin/members/{member}/unblock", DESK),
    ("POST /v1/admin/members/{member}/cards/{card}/revoke", DESK),
    ("POST /v1/admin/members/{member}/adjustments", DESK),
    ("GET /v1/admin/proposals", EVERYBODY),
    ("POST /v1/admin/proposals/{proposal}/approve", MANAGER),
    ("POST /v1/admin/proposals/{proposal}/refuse", MANAGER),
    ("GET /v1/admin/merge-candidates", EVERYBODY),
    ("POST /v1/admin/merges/preview", EVERYBODY),
    ("POST /v1/admin/merges", DESK),
    ("POST /v1/admin/unmerges/preview", EVERYBODY),
    ("POST /v1/admin/unmerges", DESK),
    ("GET /v1/admin/stores", EVERYBODY),
    ("GET /v1/admin/terminals", EVERYBODY),
    ("GET /v1/admin/shops", EVERYBODY),
    ("GET /v1/admin/clients", EVERYBODY),
    ("POST /v1/admin/stores", MANAGER),
    ("POST /v1/admin/terminals", MANAGER),
    ("POST /v1/admin/shops", MANAGER),
    ("POST /v1/admin/clients", MANAGER),
    ("POST /v1/admin/clients/{client}/rotate-secret", MANAGER),
    ("POST /v1/admin/clients/{client}/disable", MANAGER),
    ("POST /v1/admin/shops/{shop}/rotate-secret", MANAGER),
    ("POST /v1/admin/shops/{shop}/disable", MANAGER),
    ("GET /v1/admin/health", EVERYBODY),
    ("GET /v1/admin/dead-letters", EVERYBODY),
    ("POST /v1/admin/dead-letters/replay", MANAGER),
    ("GET /v1/admin/figures/{figure}", EVERYBODY),
    ("GET /v1/admin/acts", OVERSIGHT),
];

fn may(role: Role, call: &str) -> bool {
    let row = CALLS.iter().find(|(named, _)| *named == call);
    row.is_some_and(|(_, roles)| roles.contains(&role))
}

/// The calls that a role may make.
pub(super) fn calls_of(role: Role) -> impl Iterator<Item = &'static str> {
    let own = CALLS.iter().filter(move |(_, roles)| roles.contains(&role));
    own.map(|(call, _)| *call)
}

/// Somebody at the console who may make the call that is being made.
#[derive(Debug, Clone)]
pub(super) struct Staff {
    /// Who: the name of the client, or the subject of the sign-in.
    pub(super) actor: Arc<str>,
    /// In which role.
    pub(super) role: Role,
    call: String,
}

impl FromRequestParts<App> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let known = known_with(parts, app, ClientScope::Admin).await?;
        let path = parts.extensions.get::<MatchedPath>();
        let path = path.map_or("", MatchedPath::as_str);
        // HEAD is answered by what answers GET, without the body.
        let method = match parts.method {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        let call = format!("{method} {path}");
        let no = |who: &str| {
            let detail = format!("{who} may not make this call.");
            Problem::new(ProblemKind::RoleNotAllowed, detail)
        };
        let role = known.role.ok_or_else(|| no("A client without a role"))?;
        if !may(role, &call) {
            return Err(no(&format!("The role {}", role.word())));
        }
        Ok(Self {
            actor: known.access.client_id.clone(),
            role,
            call,
        })
    }
}

/// A reason out of a body.
pub(super) fn reason(given: Option<String>) -> Result<String, Problem> {
    let given = given.ok_or_else(|| Problem::invalid("/reason", "Say why."))?;
    desk::remark(&given).map_err(|why| Problem::invalid("/reason", format!("Say why: {why}.")))
}

/// Something that is about to be done.
#[derive(Debug)]
pub(super) struct Act(StaffAct);

impl Staff {
    /// What this person is about to do.
    pub(super) fn act(
        &self,
        app: &App,
        subject: impl Into<String>,
        reason: &str,
        points: Option<Points>,
    ) -> Act {
        Act(StaffAct {
            id: app.clock().new_id(),
            at: app.now(),
            actor: self.actor.to_string(),
            role: self.role.word().to_owned(),
            act: self.call.clone(),
            subject: subject.into(),
            reason: reason.to_owned(),
            points,
            outcome: "begun".to_owned(),
        })
    }
}

impl Act {
    /// Its id.
    pub(super) const fn id(&self) -> Uuid {
        self.0.id
    }

    /// Notes the act, does it, and notes how it ended: `outcome` says it of what came well. If it cannot be noted,
    /// nothing is done.
    ///
    /// In a task of its own, because whoever asked may hang up: what was begun is ended and noted all the same.
    /// What is only read for the answer is read after it, so that no failure to read is told as a failure to do.
    pub(super) async fn run<T, Doing>(
        self,
        app: &App,
        doing: impl FnOnce(App) -> Doing,
        outcome: fn(&T) -> &'static str,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        Doing: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let doing = doing(app.clone());
        let app = app.clone();
        let task = async move {
            app.store().begin_act(&self.0).await?;
            let ended = doing.await;
            if let Some(outcome) = outcome_of(&ended, outcome) {
                let closed = app.store().close_act(self.0.id, &outcome).await;
                if let Err(error) = closed {
                    tracing::warn!(act.id = %self.0.id, error = %error, "staff_act.not_closed");
                }
            }
            ended
        };
        let task = tokio::spawn(task.in_current_span());
        task.await.map_err(Problem::fault)?
    }

    /// The same of what has only one good end.
    pub(super) async fn done<T, Doing>(
        self,
        app: &App,
        doing: impl FnOnce(App) -> Doing,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        Doing: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        self.run(app, doing, |_| "done").await
    }
}

/// What is noted of an end; nothing where nobody knows: the act stays as it was begun.
fn outcome_of<T>(ended: &Result<T, Problem>, good: fn(&T) -> &'static str) -> Option<String> {
    match ended {
        Ok(done) => Some(good(done).to_owned()),
        Err(problem) if problem.kind() == ProblemKind::Conflict => {
            let word = problem.detail().split(':').next().unwrap_or_default();
            Some(format!("refused: {word}"))
        }
        Err(problem) if problem.kind() == ProblemKind::OutcomeUnknown => None,
        Err(problem) => Some(format!("failed: {}", problem.kind().word())),
    }
}

/// What is told of something that took effect. If it cannot be read now, that says nothing of what was done.
pub(super) fn told<T>(read: Result<T, Problem>) -> Result<T, Problem> {
    read.map_err(|error| {
        let detail =
            "It took effect, but cannot be shown now. Look what came of it before you do it again.";
        let cause = error.cause().unwrap_or(error.detail());
        Problem::new(ProblemKind::OutcomeUnknown, detail).because(cause)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_call_of_the_console_has_one_row_and_every_row_a_call() {
        let document = crate::http::openapi_document();
        let document = serde_json::to_value(&document).unwrap();
        let open = ["GET /v1/admin/sign-in", "POST /v1/admin/sessions"];
        let paths = document["paths"].as_object().unwrap();
        let served: BTreeSet<_> = paths
            .iter()
            .filter(|(path, _)| path.starts_with("/v1/admin/"))
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .filter(|call| !open.contains(&call.as_str()))
            .collect();
        let listed: BTreeSet<_> = CALLS.iter().map(|(call, _)| (*call).to_owned()).collect();
        assert_eq!(listed.len(), CALLS.len(), "a call is there twice");
        assert_eq!(served, listed);
    }

    #[test]
    fn an_auditor_changes_nothing() {
        let reads = [
            "POST /v1/admin/members/search",
            "POST /v1/admin/merges/preview",
            "POST /v1/admin/unmerges/preview",
        ];
        for call in calls_of(Auditor) {
            assert!(call.starts_with("GET ") || reads.contains(&call), "{call}");
        }
        assert!(!may(Manager, "DELETE /v1/admin/members/{member}"));
    }

    #[test]
    fn the_document_shows_the_table() {
        let document = include_str!("../../../docs/console.md");
        let mut shown = BTreeSet::new();
        for line in document
            .lines()
            .filter(|line| line.starts_with("| `") && line.contains("/v1/admin/"))
        {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [calls, support, manager, auditor] = cells[..] else {
                continue;
            };
            if ![support, manager, auditor]
                .iter()
                .all(|cell| ["x", ""].contains(cell))
            {
                continue;
            }
            let roles: Vec<_> = [(support, Support), (manager, Manager), (auditor, Auditor)]
                .into_iter()
                .filter(|(cell, _)| *cell == "x")
                .map(|(_, role)| role)
                .collect();
            for call in calls.split(", ") {
                shown.insert((call.trim_matches('`').to_owned(), roles.clone()));
            }
        }
        let table = CALLS
            .iter()
            .map(|(call, roles)| ((*call).to_owned(), roles.to_vec()));
        assert_eq!(shown, table.collect());
    }
}
