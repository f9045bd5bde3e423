//! One `Subscribe` stream: a thread that reads the file for it, at the chain's pace and no faster than it is read.

use super::{
    chain::Chain,
    codec::Encoded,
    faults::{Bank, Disorder, End, Fate, Opening},
    filter::Filter,
    level::Gate,
};
use crate::wire::{self, Fields, Look, Value};
use bytes::Bytes;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{mpsc, oneshot};
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
/// Between two looks at whether anybody still listens.
const AT_MOST: Duration = Duration::from_millis(200);

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

pub fn open(chain: Arc<Chain>, requests: Streaming<SubscribeRequest>, opening: Option<Opening>) -> Answers {
    let (out, batches) = mpsc::channel(BATCHES);
    tokio::spawn(async move {
        if let Err(status) = listen(chain, requests, opening, &out).await {
            let _ = out.send(vec![Err(status)]).await;
        }
    });
    Answers { batches, batch: Vec::new().into_iter() }
}

/// The first request says what is wanted; those after it may only be pings.
async fn listen(
    chain: Arc<Chain>,
    mut requests: Streaming<SubscribeRequest>,
    opening: Option<Opening>,
    out: &mpsc::Sender<Batch>,
) -> Result<(), Status> {
    let mut fate = match opening {
        None => Fate::default(),
        Some(Opening::Follow(fate)) => fate,
        Some(Opening::Refused { status, .. }) => {
            chain.fault("refused");
            return Err(status);
        }
        Some(Opening::Hangs) => return Ok(()),
    };
    let mut over = None;
    let mut pings = tokio::time::interval(PING);
    let (mut open, mut reading, mut hangs) = (true, false, false);
    loop {
        tokio::select! {
            () = out.closed() => return Ok(()),
            end = ended(&mut over) => match end {
                End::Broken(status) => return Err(status),
                End::Ended => return Ok(()),
                End::Hangs => hangs = true,
            },
            _ = pings.tick(), if !hangs => {
                // A full connection is no idle one.
                let _ = out.try_send(vec![Ok(bare(UpdateOneof::Ping(SubscribeUpdatePing {})))]);
            }
            request = requests.message(), if open => match request? {
                None => open = false,
                Some(_) if hangs => {}
                Some(SubscribeRequest { ping: Some(ping), .. }) => {
                    let _ = out.send(vec![Ok(bare(UpdateOneof::Pong(SubscribeUpdatePong { id: ping.id })))]).await;
                }
                Some(_) if reading => return Err(Status::unimplemented("a replayed file is asked for once")),
                Some(request) => {
                    let filter = Filter::new(&request)?;
                    let gate = Gate::new(request.commitment)?;
                    let from = from(&chain, request.from_slot)?;
                    let (chain, out, fate) = (chain.clone(), out.clone(), std::mem::take(&mut fate));
                    let (end, told) = oneshot::channel();
                    (over, reading) = (Some(told), true);
                    std::thread::Builder::new().name("reading".to_owned()).spawn(move || {
                        let told = Telling { chain: &chain, filter: &filter, gate, out: &out, batch: Vec::new() };
                        match told.run(from, fate) {
                            // Whoever listens goes on listening after the last update.
                            Ok(None) => {}
                            Ok(Some(over)) => drop(end.send(over)),
                            Err(error) => drop(end.send(End::Broken(Status::data_loss(format!("{error:#}"))))),
                        }
                    })?;
                }
            }
        }
    }
}

/// How the stream ends; never, where nobody says so.
async fn ended(over: &mut Option<oneshot::Receiver<End>>) -> End {
    if let Some(told) = over {
        let end = told.await;
        *over = None;
        if let Ok(end) = end {
            return end;
        }
    }
    std::future::pending().await
}

/// Where a subscriber begins: at a slot, or after so many updates.
enum From {
    Slot(u64),
    Place(u64),
}

fn from(chain: &Chain, slot: Option<u64>) -> Result<From, Status> {
    let Some(slot) = slot else { return Ok(From::Place(chain.past())) };
    let first = chain.first_available();
    // Whoever has the last block before the file has nothing of it.
    let is_base = first == chain.header.first_slot && slot == chain.ledger.base().slot;
    if slot < first && !is_base {
        chain.fault("out_of_range");
        return Err(Status::out_of_range(format!("broadcast from {slot} is not available, last available: {first}")));
    }
    if chain.ledger.is_whole() && slot > chain.tip() {
        chain.fault("ahead");
        return Err(Status::internal("failed to get replay response"));
    }
    Ok(From::Slot(slot))
}

/// What one subscriber is told.
struct Telling<'a> {
    chain: &'a Chain,
    filter: &'a Filter,
    gate: Gate<Encoded>,
    out: &'a mpsc::Sender<Batch>,
    batch: Batch,
}

/// Nobody listens any more.
struct Gone;

impl Telling<'_> {
    /// Until the file ends, nobody listens any more, or the connection is to end, and then how.
    fn run(mut self, from: From, fate: Fate) -> anyhow::Result<Option<End>> {
        let mut reader = self.chain.reader()?;
        let Fate { end, mut stall, mut disorder } = fate;
        let (mut place, mut told) = (0, 0);
        while let Some(update) = reader.next()? {
            let this = place;
            place += 1;
            let slot = Look::of(&update).slot();
            match from {
                From::Place(place) if this < place => continue,
                From::Slot(from) if slot.is_some_and(|slot| slot < from) => continue,
                _ => {}
            }
            if let Some((after, end)) = end.as_ref().filter(|(after, _)| told >= *after) {
                let _ = (after, self.send());
                self.chain.fault(end.name());
                return Ok(Some(end.clone()));
            }
            if let Some((_, time)) = stall.take_if(|(after, _)| told >= *after) {
                if self.send().is_err() {
                    return Ok(None);
                }
                self.chain.fault("stalls");
                std::thread::sleep(time);
            }
            if self.wait(this).is_err() {
                return Ok(None);
            }
            told += 1;
            let updates = match &mut disorder {
                None => vec![update],
                Some(disorder) => disorder.next(update.clone(), bank(&update), slot),
            };
            self.chain.tell(this, slot);
            if updates.into_iter().try_for_each(|update| self.tell(&update)).is_err() {
                return Ok(None);
            }
        }
        let rest = disorder.iter_mut().flat_map(Disorder::rest).collect::<Vec<_>>();
        let _ = rest.into_iter().try_for_each(|update| self.tell(&update)).and_then(|()| self.send());
        Ok(None)
    }

    /// Until the update at a place is due.
    fn wait(&mut self, place: u64) -> Result<(), Gone> {
        loop {
            let wait = self.chain.wait(place);
            if wait <= NEAR {
                return Ok(());
            }
            self.send()?;
            if self.out.is_closed() {
                return Err(Gone);
            }
            std::thread::sleep(wait.min(AT_MOST));
        }
    }

    fn tell(&mut self, update: &Bytes) -> Result<(), Gone> {
        let look = Look::of(update);
        let encoded = self.filter.matching(&look).map(|filters| {
            if let Some(hook) = &self.chain.hook {
                hook(update);
            }
            Encoded { filters, update: update.clone(), created_at: Bytes::new() }
        });
        self.gate.pass(&look, encoded, &mut |encoded| self.batch.push(Ok(encoded)));
        if self.batch.len() >= BATCH {
            return self.send();
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), Gone> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let created_at = now();
        let mut batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        batch.iter_mut().flatten().for_each(|encoded| encoded.created_at = created_at.clone());
        self.out.blocking_send(batch).map_err(|_| Gone)
    }
}

/// Of content: the bank that it is part of.
fn bank(update: &[u8]) -> Option<Bank> {
    let number = |fields: &Fields, field| fields.get(field).map_or(0, Value::number);
    match Look::of(update) {
        Look::Account(fields) => Some((number(&fields, 2), number(&fields, 4))),
        Look::Transaction(fields) => Some((number(&fields, 2), number(&fields, 3))),
        _ => None,
    }
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
