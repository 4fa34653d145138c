//! Sends the web pages. Paths that no call has come here, so a page can never hide a call.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{
    App,
    problem::{Problem, ProblemKind},
};
use crate::web_pages::{PAGES, WebFile};

/// What a page may load: what this gateway sends, nothing else, and no script written into a page.
macro_rules! policy {
    ($scripts:literal) => {
        concat!(
            "default-src 'none'; script-src ",
            $scripts,
            "; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; ",
            "media-src 'self' blob:; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
    };
}
const POLICY: &str = policy!("'self'");
/// The register reads codes from the camera with WebAssembly where the browser has no reader of its own.
const POLICY_OF_REGISTER: &str = policy!("'self' 'wasm-unsafe-eval'");

/// Only the register sees, and none of them needs to know where it is.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
const PERMISSIONS_OF_REGISTER: &str =
    "camera=(self), geolocation=(), microphone=(), payment=(), usb=()";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Assets carry the hash of their content in their name.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Anything else is asked about each time, and answered 304 while it is the same.
const ASK_AGAIN: &str = "no-cache";

/// The file for this path, or no such path.
pub(super) async fn file(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    asked: HeaderMap,
) -> Response {
    let path = uri.path();
    let pages = &app.settings().web_pages;
    if let Some(file) = pages.file(path) {
        return match method {
            Method::GET | Method::HEAD => send(file, path, &method, &asked),
            _ => super::no_such_method().await.into_response(),
        };
    }
    let page = path
        .strip_prefix('/')
        .and_then(|path| path.strip_suffix('/'));
    if let Some(page) = page.filter(|page| PAGES.contains(page) && pages.are_there()) {
        return (
            StatusCode::PERMANENT_REDIRECT,
            [(header::LOCATION, format!("/{page}"))],
        )
            .into_response();
    }
    Problem::new(ProblemKind::NotFound, "No such path.").into_response()
}

fn send(file: &WebFile, path: &str, method: &Method, asked: &HeaderMap) -> Response {
    let (bytes, encoding) = chosen(file, asked);
    let tag = match encoding {
        Some(encoding) => format!("\"{}-{encoding}\"", file.tag),
        None => format!("\"{}\"", file.tag),
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let text = |text: &str| HeaderValue::from_str(text).ok();
    if let Some(tag) = text(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let cache = if path.starts_with("/assets/") {
        FOREVER
    } else {
        ASK_AGAIN
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    guard(headers, path);
    if has_it(asked, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(path)),
    );
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if method == Method::GET {
        *response.body_mut() = Body::from(bytes.clone());
    }
    response
}

/// The headers that say what a page may do.
fn guard(headers: &mut HeaderMap, path: &str) {
    let register = path == "/register";
    let (policy, permissions) = if register {
        (POLICY_OF_REGISTER, PERMISSIONS_OF_REGISTER)
    } else {
        (POLICY, PERMISSIONS)
    };
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(permissions));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
}

/// The smallest form that the caller takes.
fn chosen<'a>(file: &'a WebFile, asked: &HeaderMap) -> (&'a Bytes, Option<&'static str>) {
    let forms = [("br", &file.brotli), ("gzip", &file.gzip)];
    let taken = |(coding, form): &(&'static str, &'a Option<_>)| {
        let form = form.as_ref()?;
        takes(asked, coding).then_some((form, Some(*coding)))
    };
    forms.iter().find_map(taken).unwrap_or((&file.plain, None))
}

/// Whether the caller names this coding, and does not refuse it (RFC 9110 §12.5.3).
fn takes(asked: &HeaderMap, coding: &str) -> bool {
    let listed = asked.get_all(header::ACCEPT_ENCODING).into_iter();
    listed
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(coding));
            let refused = |weight: &str| {
                let weight = weight.strip_prefix("q=").unwrap_or("1");
                weight.trim_end_matches(['0', '.']).is_empty()
            };
            named && !parts.any(refused)
        })
}

/// Whether the caller has this form already. Compared weakly (RFC 9110 §13.1.2): a proxy may have weakened the tag.
fn has_it(asked: &HeaderMap, tag: &str) -> bool {
    let lines = asked.get_all(header::IF_NONE_MATCH).into_iter();
    lines
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known.strip_prefix("W/").unwrap_or(known) == tag || known == "*")
}

/// By the end of the path; what has none is a page.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, kind)| kind) {
        None | Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/vnd.microsoft.icon",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        Some("csv") => "text/csv; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some(_) => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_found_in_any_line_strong_or_weak() {
        let tag = "\"abc-br\"";
        for (lines, known) in [
            (&["\"abc-br\""][..], true),
            (&["W/\"abc-br\""], true),
            (&["\"x\", W/\"abc-br\""], true),
            (&["\"x\"", "\"abc-br\""], true),
            (&["*"], true),
            (&["\"abc\"", "W/\"x\""], false),
            (&["W/*"], false),
            (&[], false),
        ] {
            let mut asked = HeaderMap::new();
            for line in lines {
                asked.append(header::IF_NONE_MATCH, HeaderValue::from_static(line));
            }
            assert_eq!(has_it(&asked, tag), known, "{lines:?}");
        }
    }

    #[test]
    fn a_coding_is_taken_if_it_is_named_and_not_refused() {
        for (accepted, brotli, gzip) in [
            ("", false, false),
            ("gzip, deflate, br", true, true),
            ("GZIP;q=0.5", false, true),
            ("br;q=0, gzip;q=0.001", false, true),
            ("br; q=0.000", false, false),
            ("brotli", false, false),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(
                header::ACCEPT_ENCODING,
                HeaderValue::from_str(accepted).unwrap(),
            );
            assert_eq!(
                (takes(&asked, "br"), takes(&asked, "gzip")),
                (brotli, gzip),
                "{accepted}"
            );
        }
    }
}
