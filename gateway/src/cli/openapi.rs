//! `gateway openapi`: prints the document that `/openapi.json` serves.

use super::{Failure, output};

pub(super) fn run() -> Result<(), Failure> {
    let document = crate::http::openapi_document();
    let text = document
        .to_pretty_json()
        .map_err(|error| Failure::io("cannot write JSON")(std::io::Error::other(error)))?;
    output::line(text)
}
