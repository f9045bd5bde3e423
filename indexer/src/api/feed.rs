//! The live feed, as server-sent events.

use super::{ApiError, State};
use crate::feed::{Feed, Item, Next};
use axum::{
    extract::State as From,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::Stream;
use joule_api::ErrorBody;
use std::{collections::VecDeque, convert::Infallible, sync::Arc};
use tokio::sync::{watch, OwnedSemaphorePermit};
use tokio_util::sync::CancellationToken;

/// Changes as they happen: events named `job`, `dispute`, `provider`, `channel`, `plan`, `event` and `slot`, each with the same JSON as
/// elsewhere.
///
/// Everything is told twice: when it is seen (`processed`) and when it is confirmed. A reader that comes back with
/// `Last-Event-ID` misses nothing; if that is too long ago, or of another run of the indexer, it gets an event named
/// `reset` first, and should read the lists again.
#[utoipa::path(get, path = "/v1/feed", operation_id = "get_feed", tag = "chain",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was read")),
    responses(
        (status = 200, description = "Server-sent events without end", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A Last-Event-ID that is not a number", body = ErrorBody),
        (status = 503, description = "As many read it as may", body = ErrorBody),
    ))]
pub async fn get(
    From(state): From<State>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let seen =
        match headers.get("last-event-id") {
            None => state.feed.newest(),
            Some(id) => id.to_str().ok().and_then(|id| id.trim().parse().ok()).ok_or_else(|| {
                ApiError::BadRequest("Last-Event-ID must be the id of an event of this feed".to_owned())
            })?,
        };
    let place = state.readers.try_acquire_owned().map_err(|_| ApiError::TooManyReaders)?;
    let reader = Reader {
        _place: place,
        watch: state.feed.watch(),
        feed: state.feed,
        stop: state.stop,
        seen,
        ready: VecDeque::new(),
    };
    let stream = futures::stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

struct Reader {
    _place: OwnedSemaphorePermit,
    feed: Arc<Feed>,
    watch: watch::Receiver<u64>,
    stop: CancellationToken,
    seen: u64,
    ready: VecDeque<Arc<Item>>,
}

impl Reader {
    /// `None` when the indexer stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                self.seen = item.id;
                return Some(Event::default().id(item.id.to_string()).event(item.name).data(&item.data));
            }
            // Before looking, so that what is published while looking is not slept over.
            self.watch.mark_unchanged();
            match self.feed.after(self.seen) {
                Next::Items(items) if items.is_empty() => {
                    tokio::select! {
                        () = self.stop.cancelled() => return None,
                        changed = self.watch.changed() => changed.ok()?,
                    }
                }
                Next::Items(items) => self.ready = items.into(),
                Next::Reset { oldest, newest } => {
                    self.seen = newest;
                    let data = serde_json::json!({
                        "oldest": oldest, "newest": newest,
                        "message": "changes before this are no longer here; read the lists again",
                    });
                    return Some(Event::default().id(newest.to_string()).event("reset").data(data.to_string()));
                }
            }
        }
    }
}
