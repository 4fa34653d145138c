//! The web pages as they are sent: their headers, compressed forms and what is no page.

use std::{fs, sync::Arc};

use gateway::web_pages::WebPages;
use reqwest::{Client, Method, Response, header, redirect};

use crate::stage::{Set, Stage};

/// A gateway with three small pages and a script.
async fn stage() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("card/index.html", "<!doctype html>card"),
        ("register/index.html", "<!doctype html>register"),
        ("console/index.html", "<!doctype html>console"),
        ("assets/card-a1b2.js", "plain script"),
        ("assets/card-a1b2.js.br", "brotli script"),
        ("assets/card-a1b2.js.gz", "gzip script"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut set = Set::default();
    set.settings.web_pages = Arc::new(WebPages::read(folder.path()).unwrap());
    Stage::with(set).await
}

fn client() -> Client {
    let client = Client::builder().redirect(redirect::Policy::none());
    client.build().unwrap()
}

async fn get(stage: &Stage, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = client().get(stage.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn head<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_page_runs_only_what_this_gateway_sends() {
    let stage = stage().await;
    for (path, scripts, camera) in [
        ("/card", "script-src 'self';", "camera=()"),
        ("/console", "script-src 'self';", "camera=()"),
        (
            "/register",
            "script-src 'self' 'wasm-unsafe-eval';",
            "camera=(self)",
        ),
    ] {
        let answer = get(&stage, path, &[]).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(head(&answer, "content-type"), "text/html; charset=utf-8");
        assert_eq!(head(&answer, "cache-control"), "no-cache");
        let policy = head(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(policy.contains(scripts), "{policy}");
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("://"),
            "{policy}"
        );
        assert!(head(&answer, "permissions-policy").contains(camera));
        assert_eq!(head(&answer, "x-frame-options"), "DENY");
    }
}

#[tokio::test]
async fn an_asset_is_sent_in_the_smallest_form_the_caller_takes_and_only_once() {
    let stage = stage().await;
    let path = "/assets/card-a1b2.js";
    let mut tags = Vec::new();
    for (takes, encoding, text) in [
        ("gzip, br", "br", "brotli script"),
        ("gzip", "gzip", "gzip script"),
        ("identity", "", "plain script"),
    ] {
        let answer = get(&stage, path, &[("accept-encoding", takes)]).await;
        assert_eq!(head(&answer, "content-encoding"), encoding);
        assert_eq!(head(&answer, "vary"), "accept-encoding");
        assert!(head(&answer, "cache-control").contains("immutable"));
        let tag = head(&answer, "etag").to_owned();
        assert_eq!(answer.text().await.unwrap(), text);
        let known = [("accept-encoding", takes), ("if-none-match", tag.as_str())];
        let again = get(&stage, path, &known).await;
        assert_eq!(again.status(), 304);
        assert_eq!(again.text().await.unwrap(), "");
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each form has its own tag");
}

#[tokio::test]
async fn what_is_no_page_is_a_problem() {
    let stage = stage().await;
    for (path, status) in [
        ("/assets/none.js", 404),
        ("/card/index.html", 404),
        ("/assets/card-a1b2.js.br", 404),
        ("/assets/..%2f..%2fetc/passwd", 404),
        ("/nobody/", 404),
        ("/register/", 308),
    ] {
        let answer = get(&stage, path, &[]).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let moved = get(&stage, "/register/", &[]).await;
    assert_eq!(moved.headers()[header::LOCATION], "/register");
    let posted = client().post(stage.url("/card")).send().await.unwrap();
    assert_eq!(posted.status(), 405);
    let asked = client().request(Method::HEAD, stage.url("/card"));
    let asked = asked.send().await.unwrap();
    assert_eq!(
        (asked.status().as_u16(), head(&asked, "content-length")),
        (200, "19")
    );
}

#[tokio::test]
async fn the_front_page_links_the_pages_or_says_how_to_add_them() {
    let with = get(&stage().await, "/", &[]).await.text().await.unwrap();
    assert!(with.contains("href=\"/card\"") && with.contains("href=\"/console\""));
    let bare = Stage::new().await;
    let without = get(&bare, "/", &[]).await.text().await.unwrap();
    assert!(without.contains("scripts/build-web"), "{without}");
    assert_eq!(get(&bare, "/card", &[]).await.status(), 404);
}
