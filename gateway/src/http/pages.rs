//! The few pages for people: the front page and one page for each kind of problem.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};

use super::{
    App,
    problem::{Problem, ProblemKind},
};

const FRONT: &str = include_str!("front.html");
/// Where the front page tells of the web pages.
const FRONT_MARK: &str = "<!-- pages -->";
const WITH_PAGES: &str = r#"<dl>
<dt><a href="/card" lang="ja">/card 会員カード</a><dd>The shopper's card. Open it on a phone.
<dt><a href="/register" lang="ja">/register レジ</a><dd>A till in the browser.
<dt><a href="/console" lang="ja">/console 管理画面</a><dd>Members, stores and figures, for staff.
</dl>"#;
const WITHOUT_PAGES: &str = "<p>It was built without its web pages (card, register, console). To add them, with Node 20: <code>scripts/build-web</code>, then build the gateway again; or start it with <code>--web gateway/web/dist</code>.</p>";

/// What this is and where to look.
pub(super) async fn front(State(app): State<App>) -> Response {
    let pages = if app.settings().web_pages.are_there() {
        WITH_PAGES
    } else {
        WITHOUT_PAGES
    };
    let mut response = Html(FRONT.replace(FRONT_MARK, pages)).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    response
}

/// Every problem type, as Markdown.
///
/// A problem's `type` is the path of its own page.
#[utoipa::path(
    get, path = "/problems", tag = "problems",
    responses((status = 200, description = "The catalogue", body = String, content_type = "text/markdown")),
)]
pub(super) async fn problems() -> impl IntoResponse {
    markdown(catalogue())
}

/// The catalogue of problems, as Markdown.
#[must_use]
pub fn catalogue() -> String {
    let mut text = String::from(
        "# Problems\n\nEvery 4xx and 5xx answer is `application/problem+json` (RFC 9457). A decline is no problem: it is an answer.\n",
    );
    for kind in ProblemKind::ALL {
        text.push_str(&format!("\n#{}", page(*kind)));
    }
    text
}

/// One problem type, as Markdown.
#[utoipa::path(
    get, path = "/problems/{word}", tag = "problems",
    params(("word" = String, Path, description = "The last part of a problem's `type`")),
    responses(
        (status = 200, description = "What it means and what to do", body = String, content_type = "text/markdown"),
        super::openapi::Problems,
    ),
)]
pub(super) async fn problem(Path(word): Path<String>) -> Result<impl IntoResponse, Problem> {
    let kind = ProblemKind::from_word(&word).ok_or_else(|| {
        Problem::new(
            ProblemKind::NotFound,
            "No problem has this name; see /problems.",
        )
    })?;
    Ok(markdown(page(kind)))
}

fn page(kind: ProblemKind) -> String {
    format!(
        "# {}\n\n`/problems/{}`, status {}\n\n{}\n",
        kind.title(),
        kind.word(),
        kind.status().as_u16(),
        kind.about()
    )
}

/// Plain text to a browser, which would otherwise download Markdown.
fn markdown(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}
