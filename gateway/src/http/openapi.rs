//! The OpenAPI 3.1 document, made from the code, and the page to browse it.

use std::collections::BTreeMap;

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response as HttpResponse,
};
use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, Response, ResponseBuilder,
        security::{ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityScheme},
    },
};
use utoipa_swagger_ui::SwaggerUi;

use super::problem::{PROBLEM_JSON, ProblemBody, ProblemError};

/// The document before any call is added.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Point gateway",
        description = "Authorizes in-store point use from member cards, durably.\n\nJSON, snake_case. Ids are strings, points and yen are integers, times are RFC 3339 UTC, `business_date` is `YYYY-MM-DD`. A decline is an answer with status 200. Every 4xx and 5xx answer is a problem (RFC 9457), listed at `/problems`; none of them implies an outcome. Every answer carries `x-request-id`.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    components(schemas(ProblemBody<'_>, ProblemError<'_>)),
    tags(
        (name = "till", description = "For tills. The token names the terminal, the terminal its store. Every POST carries a `request_id`, unique per terminal: the same id and body again gets the same answer, byte for byte."),
        (name = "shopper", description = "For the shopper's phone, which proves itself with its card's key."),
        (name = "shop", description = "For EC shops: webhooks of the platforms, which sign them, and calls of shop systems, whose token names the shop."),
        (name = "events", description = "For the CRM and other listeners. Events come through RabbitMQ; here is what does not fit into a message."),
        (name = "console", description = "For staff: `docs/console.md` shows every answer by example, and which role may make which call. Every call that changes something has a `reason`, and is noted with it."),
        (name = "oauth", description = "Access tokens for tills, shop systems and staff tools."),
        (name = "operations", description = "For whoever runs the gateway."),
        (name = "problems", description = "What can go wrong, and what to do then."),
    ),
    modifiers(&Security),
)]
pub(super) struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scopes = Scopes::from_iter([
            ("pos", "Tills"),
            ("ec", "Shop systems"),
            ("admin", "Staff tools"),
        ]);
        let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
        components.add_security_scheme("client", SecurityScheme::OAuth2(OAuth2::new([flow])));
        let mut proof = Http::new(HttpAuthScheme::Bearer);
        proof.bearer_format = Some("JWT".to_owned());
        proof.description = Some(
            "A JWT signed by the card's own key, fresh for every request. Header: `alg` ES256, `typ` card-proof+jwt, `kid` the card id in 16 hex digits. Claims: `aud` the programme id, `iat`, `exp` at most 60 s later, `jti` used once, `htm` the method, `htu` the path or the absolute URL without query."
                .to_owned(),
        );
        components.add_security_scheme("card", SecurityScheme::Http(proof));
    }
}

/// Stands for "or any problem" among the responses of a call.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let body = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description("A problem, see `/problems`")
            .content(PROBLEM_JSON, body)
            .build();
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}

/// `/openapi.json` and the page at `/docs/`, whose scripts are built into the binary.
pub(super) fn browser<S: Clone + Send + Sync + 'static>(
    document: utoipa::openapi::OpenApi,
) -> axum::Router<S> {
    let page = SwaggerUi::new("/docs").url("/openapi.json", document);
    axum::Router::from(page).layer(middleware::from_fn(allow_own_scripts))
}

/// The page runs its own scripts and styles, and calls this server.
async fn allow_own_scripts(request: Request, next: Next) -> HttpResponse {
    let mut response = next.run(request).await;
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    response
}
