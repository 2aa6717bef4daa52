//! An answer as bytes, and what may come instead of it or of its end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER,
};
use hyper::{Response, StatusCode};

use super::answer::{Answer, Request};
use super::bomb;
use super::faults::FaultKind;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// The clock of an answer that says when to retry. It stands still, and
/// somewhere else than the reader's, who has to take the difference.
const ITS_NOW: HeaderValue = HeaderValue::from_static("Mon, 12 Oct 2026 06:00:00 GMT");
const A_SECOND_LATER: HeaderValue = HeaderValue::from_static("Mon, 12 Oct 2026 06:00:01 GMT");
/// What a proxy in between may say.
const PAGE: &str = "<!doctype html>\n<title>Sign in</title>\n<p>Your network wants you to sign in.</p>\n";

/// A body that may end badly.
#[derive(Debug)]
pub struct Body {
    pieces: VecDeque<Bytes>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Everything was sent.
    Whole,
    /// A part is missing; the rest is sent first.
    Short,
    /// Nothing more comes, the end neither.
    Never,
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Never => Poll::Pending,
            End::Short => {
                // A moment's rest lets the connection send what it has.
                self.end = End::Whole;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.pieces.iter().map(|piece| piece.len() as u64).sum();
        match self.end {
            End::Whole => SizeHint::with_exact(length),
            End::Short | End::Never => SizeHint::default(),
        }
    }
}

/// The answer as it should be.
pub fn well(answer: Answer) -> Response<Body> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if answer.is_problem { PROBLEM } else { JSON };
    let response = respond(status, kind, whole([Bytes::from(answer.body)]));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => with(response, ALLOW, HeaderValue::from_static("GET")),
        _ => response,
    }
}

/// What comes instead; a reset is the connection's to make.
pub fn ill(kind: FaultKind, answer: Answer, request: Request, place: SocketAddr) -> Response<Body> {
    match kind {
        FaultKind::Unavailable => well(request.refused(503, "Service Unavailable")),
        FaultKind::Busy => {
            let response = well(request.refused(429, "Too Many Requests"));
            with(response, RETRY_AFTER, HeaderValue::from_static("1"))
        }
        FaultKind::BusyUntil => {
            let response = well(request.refused(429, "Too Many Requests"));
            with(with(response, DATE, ITS_NOW), RETRY_AFTER, A_SECOND_LATER)
        }
        FaultKind::Html => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            respond(StatusCode::OK, kind, whole([Bytes::from_static(PAGE.as_bytes())]))
        }
        FaultKind::Truncate => part(answer, End::Short),
        FaultKind::Stall => part(answer, End::Never),
        FaultKind::Redirect => redirect(place, request),
        FaultKind::Bomb => {
            let response = respond(StatusCode::OK, JSON, whole(bomb::pieces()));
            with(response, CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        }
        _ => well(answer),
    }
}

/// The same place by another name, so that who follows gives itself away by one
/// more request.
fn redirect(place: SocketAddr, request: Request) -> Response<Body> {
    let query = if request.query.is_empty() { "" } else { "?" };
    let target = format!("{}{query}{}", request.path, request.query);
    let response = respond(StatusCode::FOUND, JSON, whole([]));
    match HeaderValue::from_str(&format!("http://localhost:{}{target}", place.port())) {
        Ok(location) => with(response, LOCATION, location),
        Err(_) => response,
    }
}

/// The first half, under the length of the whole.
fn part(answer: Answer, end: End) -> Response<Body> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut bytes = Bytes::from(answer.body);
    let length = HeaderValue::from(bytes.len());
    bytes.truncate(bytes.len() / 2);
    with(respond(status, JSON, Body { pieces: [bytes].into(), end }), CONTENT_LENGTH, length)
}

fn whole(pieces: impl IntoIterator<Item = Bytes>) -> Body {
    Body { pieces: pieces.into_iter().filter(|piece| !piece.is_empty()).collect(), end: End::Whole }
}

fn respond(status: StatusCode, kind: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    with(response, CONTENT_TYPE, kind)
}

fn with(mut response: Response<Body>, name: HeaderName, value: HeaderValue) -> Response<Body> {
    response.headers_mut().insert(name, value);
    response
}
