//! Which web pages may read a service's answers, and which of its headers (the Fetch standard's CORS protocol). Services that look at
//! no cookies lose nothing by it.
//!
//! By hand: `tower-http` has this behind a feature, and `reqwest` has that crate without it, so that turning it on builds Solana's
//! clients anew.

use axum::{
    extract::{Request, State},
    http::{header, HeaderMap, HeaderValue, Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    Router,
};
use std::sync::Arc;

/// Seconds for which a browser may remember what it was told.
const REMEMBER: HeaderValue = HeaderValue::from_static("7200");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, OPTIONS");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");

/// Why something is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no origin: write \"*\" for every page, or scheme and host as in \"https://shop.example\"")]
pub struct BadOrigin(String);

/// Whose pages may read, and what.
#[derive(Debug, Clone)]
pub struct Cors {
    /// None for every page.
    origins: Option<Vec<HeaderValue>>,
    /// Names of headers, beside those that every page sees.
    exposed: HeaderValue,
}

impl Cors {
    /// `origins` as a setting has them: `*`, or scheme and host of each; none of them turns it off. `exposed` are names of headers.
    pub fn new(origins: &[String], exposed: &[&str]) -> Result<Option<Self>, BadOrigin> {
        if origins.is_empty() {
            return Ok(None);
        }
        let read = |origin: &String| match origin.split_once("://") {
            Some(("http" | "https", host)) if !host.is_empty() && !host.contains('/') => {
                HeaderValue::from_str(origin).map_err(|_| BadOrigin(origin.clone()))
            }
            _ => Err(BadOrigin(origin.clone())),
        };
        let some: Result<Vec<_>, _> = origins.iter().filter(|origin| *origin != "*").map(read).collect();
        let origins = if origins.iter().any(|origin| origin == "*") { some.map(|_| None)? } else { Some(some?) };
        let exposed = HeaderValue::from_str(&exposed.join(", ")).unwrap_or(HeaderValue::from_static(""));
        Ok(Some(Self { origins, exposed }))
    }

    /// All of a router's routes, its fallbacks included.
    pub fn around(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Arc::new(self), pass))
    }

    /// What a page of this origin is told, if it may read.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.origins {
            None => Some(ANYBODY),
            Some(some) => some.iter().find(|it| *it == origin).cloned(),
        }
    }
}

async fn pass(State(cors): State<Arc<Cors>>, request: Request, next: Next) -> Response {
    let asks = request.headers();
    let Some(origin) = asks.get(header::ORIGIN).cloned() else { return next.run(request).await };
    let allowed = cors.allowed(&origin);
    let is_preflight = request.method() == Method::OPTIONS && asks.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        let wanted = asks.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let mut response = StatusCode::NO_CONTENT.into_response();
        if allowed.is_some() {
            let told = response.headers_mut();
            told.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            told.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBER);
            wanted.into_iter().for_each(|names| drop(told.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names)));
        }
        response
    } else {
        next.run(request).await
    };
    tell(&cors, allowed, response.headers_mut());
    response
}

fn tell(cors: &Cors, allowed: Option<HeaderValue>, told: &mut HeaderMap) {
    if cors.origins.is_some() {
        told.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = allowed {
        told.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if !cors.exposed.is_empty() {
            told.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, cors.exposed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, routing::post};
    use tower::ServiceExt as _;

    fn cors(origins: &[&str]) -> Result<Option<Cors>, BadOrigin> {
        let origins: Vec<_> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Cors::new(&origins, &["payment-required", "retry-after"])
    }

    async fn ask(origins: &[&str], method: Method, headers: &[(&str, &str)]) -> Response {
        let router = Router::new().route("/paid", post(async || "words")).fallback(async || StatusCode::NOT_FOUND);
        let router = cors(origins).unwrap().unwrap().around(router);
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri("/paid"), |it, (name, value)| it.header(*name, *value));
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn said<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_preflight_is_answered_with_what_it_asks_for() {
        let asks = [
            ("origin", "https://shop.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,payment-signature,authorization"),
        ];
        for (origins, allowed) in [(["*"], "*"), (["https://shop.example"], "https://shop.example")] {
            let response = ask(&origins, Method::OPTIONS, &asks).await;
            assert_eq!(response.status(), 204);
            assert_eq!(said(&response, "access-control-allow-origin"), Some(allowed));
            assert_eq!(said(&response, "access-control-allow-headers"), Some(asks[2].1));
            assert!(said(&response, "access-control-allow-methods").is_some_and(|methods| methods.contains("POST")));
        }
        let other = ask(&["https://other.example"], Method::OPTIONS, &asks).await;
        assert_eq!((other.status().as_u16(), said(&other, "access-control-allow-origin")), (204, None));
    }

    #[tokio::test]
    async fn a_page_may_read_the_answer_and_the_headers_that_are_exposed() {
        let asks = [("origin", "https://shop.example")];
        let response = ask(&["https://a.example", "https://shop.example"], Method::POST, &asks).await;
        assert_eq!(response.status(), 200);
        assert_eq!(said(&response, "access-control-allow-origin"), Some(asks[0].1));
        assert_eq!(said(&response, "access-control-expose-headers"), Some("payment-required, retry-after"));
        assert_eq!(said(&response, "vary"), Some("origin"));
        let other = ask(&["https://a.example"], Method::POST, &asks).await;
        assert_eq!((said(&other, "access-control-allow-origin"), said(&other, "vary")), (None, Some("origin")));
        let nobodys = ask(&["*"], Method::POST, &[]).await;
        assert_eq!(said(&nobodys, "access-control-allow-origin"), None, "no page has asked");
    }

    #[tokio::test]
    async fn an_options_that_is_no_preflight_goes_to_the_routes() {
        let response = ask(&["*"], Method::OPTIONS, &[("origin", "https://shop.example")]).await;
        assert_eq!(response.status(), 405);
    }

    #[test]
    fn what_is_no_origin_is_named_with_what_to_do() {
        assert!(cors(&[]).unwrap().is_none());
        for bad in ["shop.example", "https://", "https://shop.example/", "ftp://shop.example", "null", ""] {
            let error = cors(&["*", bad]).unwrap_err();
            assert!(error.to_string().contains("as in \"https://shop.example\""), "{bad}");
        }
    }
}
