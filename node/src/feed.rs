//! The indexer's feed, used as a bell: it says that something happened, and the daemon then looks what.
//!
//! Nothing is taken from the feed but its timing, so a lost or repeated message costs at most one polling interval.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tracing::{debug, info};

/// Rings `bell` for every job event, for as long as it is polled. An indexer that is down is tried again, ever more
/// slowly; polling goes on meanwhile.
pub async fn listen(indexer: String, bell: Arc<Notify>) {
    let url = format!("{}/v1/feed", indexer.trim_end_matches('/'));
    // No limit on how long the answer may take: it never ends. A dead connection is noticed by TCP.
    let http = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .tcp_keepalive(Duration::from_secs(30))
        .build()
        .unwrap_or_default();
    loop {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(30))
            .without_max_times()
            .with_jitter()
            .build();
        for pause in pauses {
            match follow(&http, &url, &bell).await {
                // Heard something: the next silence starts with a short pause again.
                Ok(true) => break,
                Ok(false) => debug!(%url, "the indexer's feed ended"),
                Err(error) => debug!(%url, %error, "the indexer's feed cannot be heard; polling goes on"),
            }
            tokio::time::sleep(pause).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Follows one connection to its end; tells whether anything came over it.
async fn follow(http: &reqwest::Client, url: &str, bell: &Notify) -> Result<bool, reqwest::Error> {
    let mut answer = http.get(url).header("accept", "text/event-stream").send().await?.error_for_status()?;
    info!(%url, "listening to the indexer's feed");
    let mut lines = Lines::default();
    let mut heard = false;
    // A connection that breaks after it worked is an end like any other.
    while let Ok(Some(chunk)) = answer.chunk().await {
        heard = true;
        if lines.job_event_in(&chunk) {
            bell.notify_one();
        }
    }
    Ok(heard)
}

/// Cuts the stream into lines across chunk borders.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    /// The line's start was dropped because it is longer than any that matters here.
    skipping: bool,
}

impl Lines {
    /// Longest line of interest; the `data:` lines are longer and not looked at.
    const LONGEST: usize = 256;

    fn job_event_in(&mut self, chunk: &[u8]) -> bool {
        let mut found = false;
        for &byte in chunk {
            if byte == b'\n' || byte == b'\r' {
                found |= !self.skipping && is_job_event(&self.rest);
                self.rest.clear();
                self.skipping = false;
            } else if self.rest.len() < Self::LONGEST {
                self.rest.push(byte);
            } else {
                self.skipping = true;
            }
        }
        found
    }
}

fn is_job_event(line: &[u8]) -> bool {
    line.strip_prefix(b"event:").is_some_and(|name| name.trim_ascii() == b"job")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_event_rings_however_the_stream_is_cut() {
        let stream = b"id: 1\nevent: slot\ndata: {}\n\nid: 2\r\nevent:job\r\ndata: {}\r\n\r\n";
        for cut in 0..stream.len() {
            let mut lines = Lines::default();
            let (a, b) = stream.split_at(cut);
            let rings = usize::from(lines.job_event_in(a)) + usize::from(lines.job_event_in(b));
            assert_eq!(rings, 1, "cut at {cut}");
        }
    }

    #[test]
    fn other_events_and_data_that_looks_like_one_do_not_ring() {
        let mut lines = Lines::default();
        assert!(!lines.job_event_in(b"event: provider\ndata: event: job\nevent: jobs\n:event: job\n"));
        let long = [&[b'x'; 1000][..], b"event: job\n"].concat();
        assert!(!lines.job_event_in(&long));
    }
}
