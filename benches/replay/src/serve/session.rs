//! One `Subscribe` stream: a thread that reads the file for it, at the chain's pace and no faster than it is read.

use super::{chain::Chain, codec::Encoded, filter::Filter, level::Gate};
use crate::wire::{self, Look};
use bytes::Bytes;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::{Status, Streaming};
use yellowstone_grpc_proto::{
    geyser::SubscribeRequest,
    prelude::{subscribe_update::UpdateOneof, SubscribeUpdate, SubscribeUpdatePing, SubscribeUpdatePong},
    prost::Message,
};

type Outgoing = Result<Encoded, Status>;
type Batch = Vec<Outgoing>;

/// Updates that are handed to the connection at a time, and such batches that may wait for it.
const BATCH: usize = 256;
const BATCHES: usize = 4;
/// Between pings.
const PING: Duration = Duration::from_secs(10);
/// How near to its time an update is sent.
const NEAR: Duration = Duration::from_micros(200);

/// Batches, one update after another.
pub struct Answers {
    batches: mpsc::Receiver<Batch>,
    batch: std::vec::IntoIter<Outgoing>,
}

impl Stream for Answers {
    type Item = Outgoing;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        loop {
            if let Some(next) = self.batch.next() {
                return Poll::Ready(Some(next));
            }
            match self.batches.poll_recv(context) {
                Poll::Ready(Some(batch)) => self.batch = batch.into_iter(),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

pub fn open(chain: Arc<Chain>, requests: Streaming<SubscribeRequest>) -> Answers {
    let (out, batches) = mpsc::channel(BATCHES);
    tokio::spawn(async move {
        if let Err(status) = listen(chain, requests, &out).await {
            let _ = out.send(vec![Err(status)]).await;
        }
    });
    Answers { batches, batch: Vec::new().into_iter() }
}

/// The first request says what is wanted; those after it may only be pings.
async fn listen(
    chain: Arc<Chain>,
    mut requests: Streaming<SubscribeRequest>,
    out: &mpsc::Sender<Batch>,
) -> Result<(), Status> {
    let mut reading = false;
    let mut pings = tokio::time::interval(PING);
    let mut open = true;
    loop {
        tokio::select! {
            () = out.closed() => return Ok(()),
            _ = pings.tick() => {
                // A full connection is no idle one.
                let _ = out.try_send(vec![Ok(bare(UpdateOneof::Ping(SubscribeUpdatePing {})))]);
            }
            request = requests.message(), if open => match request? {
                None => open = false,
                Some(SubscribeRequest { ping: Some(ping), .. }) => {
                    let _ = out.send(vec![Ok(bare(UpdateOneof::Pong(SubscribeUpdatePong { id: ping.id })))]).await;
                }
                Some(_) if reading => return Err(Status::unimplemented("a replayed file is asked for once")),
                Some(request) => {
                    reading = true;
                    let filter = Filter::new(&request)?;
                    let gate = Gate::new(request.commitment)?;
                    let from = from(&chain, request.from_slot)?;
                    let (chain, out) = (chain.clone(), out.clone());
                    std::thread::Builder::new().name("reading".to_owned()).spawn(move || {
                        let told = tell(&chain, &filter, gate, from, &out);
                        if let Err(error) = told {
                            let _ = out.blocking_send(vec![Err(Status::data_loss(format!("{error:#}")))]);
                        }
                    })?;
                }
            }
        }
    }
}

/// Where a subscriber begins: at a slot, or after so many updates.
enum From {
    Slot(u64),
    Place(u64),
}

fn from(chain: &Chain, slot: Option<u64>) -> Result<From, Status> {
    let first = chain.header.first_slot;
    match slot {
        None => Ok(From::Place(chain.past())),
        Some(slot) if slot < first && slot != chain.base.slot => {
            Err(Status::out_of_range(format!("broadcast from {slot} is not available, last available: {first}")))
        }
        Some(slot) => Ok(From::Slot(slot)),
    }
}

/// Until the file ends, or nobody listens any more.
fn tell(
    chain: &Chain,
    filter: &Filter,
    mut gate: Gate<Encoded>,
    from: From,
    out: &mpsc::Sender<Batch>,
) -> anyhow::Result<()> {
    let mut reader = chain.reader()?;
    let mut batch = Vec::with_capacity(BATCH);
    let send = |batch: &mut Batch| out.blocking_send(std::mem::replace(batch, Vec::with_capacity(BATCH))).is_ok();
    let mut created_at = now();
    let mut place = 0;
    while let Some(update) = reader.next()? {
        let this = place;
        place += 1;
        let look = Look::of(&update);
        let slot = look.slot();
        match from {
            From::Place(place) if this < place => continue,
            From::Slot(from) if slot.is_some_and(|slot| slot < from) => continue,
            _ => {}
        }
        let due = chain.due(this);
        if due > Instant::now() + NEAR {
            if !batch.is_empty() && !send(&mut batch) {
                return Ok(());
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            created_at = now();
        }
        let encoded = filter.matching(&look).map(|filters| {
            if let Some(hook) = &chain.hook {
                hook(&update);
            }
            Encoded { filters, update: update.clone(), created_at: created_at.clone() }
        });
        gate.pass(&look, encoded, &mut |encoded| batch.push(Ok(encoded)));
        chain.tell(this, slot);
        if batch.len() >= BATCH {
            if !send(&mut batch) {
                return Ok(());
            }
            created_at = now();
        }
    }
    send(&mut batch);
    Ok(())
}

/// The encoded field `created_at`.
fn now() -> Bytes {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut time = Vec::new();
    wire::put_number(&mut time, 1, since.as_secs());
    wire::put_number(&mut time, 2, since.subsec_nanos().into());
    let mut field = Vec::new();
    wire::put_bytes(&mut field, wire::update::CREATED_AT, &time);
    field.into()
}

/// An update that belongs to no filter.
fn bare(update: UpdateOneof) -> Encoded {
    let update = SubscribeUpdate { update_oneof: Some(update), ..Default::default() };
    Encoded { filters: Bytes::new(), update: update.encode_to_vec().into(), created_at: now() }
}
