//! Reading what callers send: JSON bodies, path segments, queries. Everything that can be wrong with
//! them becomes a problem here.
//!
//! Invariants: a body is bounded in bytes, depth and time before it is parsed; nothing is read twice;
//! an unknown field is refused by the message types themselves.

use std::{str::FromStr, time::Duration};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query as AxumQuery, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::{Problem, ProblemKind};
use crate::limits;

/// A JSON body of type `T`.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        expect_json(request.headers())?;
        let bytes = body(request, limits::BODY_BYTES_MAX).await?;
        parse(&bytes).map(Self)
    }
}

/// The whole body, at most `bytes_max` bytes and [`limits::BODY_TIMEOUT_S`].
pub(super) async fn body(request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            ProblemKind::BodyTooLarge,
            format!("A body here has at most {bytes_max} bytes."),
        )
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(too_large());
    }
    let collected = Limited::new(request.into_body(), bytes_max).collect();
    match tokio::time::timeout(Duration::from_secs(limits::BODY_TIMEOUT_S), collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            Err(Problem::new(ProblemKind::BadRequest, "The body broke off.").because(error))
        }
        Err(_) => Err(Problem::new(
            ProblemKind::BodyTimeout,
            format!(
                "The body did not arrive within {} s.",
                limits::BODY_TIMEOUT_S
            ),
        )),
    }
}

pub(super) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let wrong = |detail: &'static str| Problem::new(ProblemKind::UnsupportedMediaType, detail);
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(wrong("The body is compressed; send it plain."));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(wrong("The header Content-Type is missing."));
    };
    let essence = value.to_str().unwrap_or_default().split(';').next();
    if essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json")) {
        Ok(())
    } else {
        Err(wrong(
            "The body is not application/json by its own account.",
        ))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Serde would also take an array of the fields in order.
    if first_byte(bytes).is_some_and(|byte| byte != b'{') {
        return Err(match serde_json::from_slice::<IgnoredAny>(bytes) {
            _ if depth_exceeds(bytes, limits::JSON_DEPTH_MAX) => too_deep(),
            Ok(_) => Problem::invalid("", "The body is not an object."),
            Err(error) => refused(&error, String::new()),
        });
    }
    read(bytes)
}

/// One object of type `T`, or an array of some: `true` for an array.
pub(super) fn one_or_many<T: DeserializeOwned>(bytes: &[u8]) -> Result<(Vec<T>, bool), Problem> {
    if first_byte(bytes) == Some(b'[') {
        Ok((read(bytes)?, true))
    } else {
        Ok((vec![parse(bytes)?], false))
    }
}

fn first_byte(bytes: &[u8]) -> Option<u8> {
    let mut bytes = bytes.iter().copied();
    bytes.find(|byte| !byte.is_ascii_whitespace())
}

fn too_deep() -> Problem {
    let max = limits::JSON_DEPTH_MAX;
    let detail = format!("Objects and arrays may nest {max} deep.");
    Problem::new(ProblemKind::BodyTooDeep, detail)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if depth_exceeds(bytes, limits::JSON_DEPTH_MAX) {
        return Err(too_deep());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        refused(error.inner(), pointer)
    })?;
    reader
        .end()
        .map_err(|error| refused(&error, String::new()))?;
    Ok(value)
}

fn refused(error: &serde_json::Error, pointer: String) -> Problem {
    if error.is_data() {
        Problem::invalid(pointer, sentence(error))
    } else {
        Problem::new(ProblemKind::MalformedJson, sentence(error))
    }
}

fn sentence(error: &serde_json::Error) -> String {
    format!("{error}.")
}

/// The path of an error as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                text.push('/');
                text.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

/// Whether objects and arrays nest deeper than `max`. Looks at brackets outside strings only, so it
/// is right for JSON and harmless for anything else.
fn depth_exceeds(bytes: &[u8], max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth = depth.saturating_add(1);
                if depth > max {
                    return true;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The one id in the path.
#[derive(Debug)]
pub struct PathId<T>(pub T);

impl<T, S> FromRequestParts<S> for PathId<T>
where
    T: FromStr + Send,
    T::Err: std::fmt::Display,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| {
                Problem::new(ProblemKind::BadRequest, "The path cannot be read.").because(error)
            })?;
        text.parse().map(Self).map_err(|error: T::Err| {
            Problem::new(
                ProblemKind::ValidationFailed,
                format!("The id in the path is not one: {error}."),
            )
        })
    }
}

/// The query as `T`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        AxumQuery::<T>::from_request_parts(parts, state)
            .await
            .map(|AxumQuery(query)| Self(query))
            .map_err(|error| Problem::new(ProblemKind::BadRequest, format!("{error}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        for (json, depth) in [
            ("1", 0),
            ("[]", 1),
            (r#"{"a":[{"b":1}]}"#, 3),
            (r#""[[[[""#, 0),
            (r#"["\"[[[",[]]"#, 2),
            (r#"["\\",[]]"#, 2),
            ("[[[", 3),
        ] {
            assert!(!depth_exceeds(json.as_bytes(), depth), "{json}");
            assert!(
                depth == 0 || depth_exceeds(json.as_bytes(), depth - 1),
                "{json}"
            );
        }
    }

    #[test]
    fn a_wrong_field_is_named_by_a_pointer() {
        let json = br#"{"request_id":"r1","lines":[{"line_no":1,"quantity":1},{"line_no":2,"quantity":-1}]}"#;
        let problem = parse::<pos_protocol::RefundRequest>(json).unwrap_err();
        assert_eq!(problem.kind(), ProblemKind::ValidationFailed);
        assert!(
            format!("{problem:?}").contains("/lines/1/quantity"),
            "{problem:?}"
        );
    }
}
