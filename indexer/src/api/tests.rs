//! The API over a real server, a real client and a real file.

use super::*;
use crate::{
    query::{Changes, Overlay, Unconfirmed},
    source::BankRef,
    store::{Batch, Sqlite, Store},
    telemetry,
    testing::{self, Chain},
    types::Address,
};
use joule_api::{Client, Commitment, JobStatus};
use joule_listen::{Limits, Share};
use std::net::SocketAddr;

struct Server {
    address: SocketAddr,
    store: Arc<Sqlite>,
    overlay: Arc<Overlay>,
    feed: Arc<Feed>,
    health: Arc<Health>,
    scheduler: Arc<Scheduler>,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let server = Self::start_unsynced().await;
        server.health.checkpoint(1);
        server
    }

    async fn start_unsynced() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(folder.path().join("indexer.sqlite")).unwrap());
        let overlay = Arc::new(Overlay::default());
        let (feed, health) = (Arc::new(Feed::new(100)), Arc::new(Health::default()));
        let scheduler = Arc::new(Scheduler::load(&*store).unwrap());
        let stop = CancellationToken::new();
        let state = State {
            view: View::new(store.clone(), overlay.clone()),
            feed: feed.clone(),
            health: health.clone(),
            scheduler: scheduler.clone(),
            metrics: telemetry::metrics().unwrap(),
            readers: Arc::new(Semaphore::new(3)),
            stop: stop.clone(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let idle = std::time::Duration::from_secs(30);
        let limits = Limits { connections: 100, share: Share::Usual, header_bytes: 65_536, header: idle, write: idle };
        tokio::spawn(joule_listen::serve(listener, router(state), limits, stop.clone()));
        Self { address, store, overlay, feed, health, scheduler, stop, _folder: folder }
    }

    fn confirm(&self, chain: &mut Chain) {
        let blocks = chain.take();
        let checkpoint = blocks.last().map(|block| block.slot);
        let applied = self.store.apply(&Batch { blocks, checkpoint, ..Batch::default() }).unwrap();
        self.scheduler.update(&applied.changes.jobs);
        self.tell(applied.changes, Commitment::Confirmed);
        self.health.block_time(testing::EPOCH);
    }

    fn show(&self, chain: &mut Chain) {
        for block in chain.take() {
            let bank = BankRef { slot: block.slot, bank: 0 };
            let mut happened: Vec<_> =
                block.writes.iter().map(|write| Unconfirmed::Write(bank, write.clone())).collect();
            happened.extend(block.transactions.iter().map(|tx| Unconfirmed::Transaction(bank, tx.clone())));
            let mut touched = self.overlay.apply(happened, true).unwrap();
            self.overlay.compare(&mut touched, &*self.store).unwrap();
            let changes = touched.changes;
            self.tell(changes, Commitment::Processed);
        }
    }

    /// Of jobs alone.
    fn tell(&self, changes: Changes, commitment: Commitment) {
        self.feed.changes(&Changes { jobs: changes.jobs, ..Changes::default() }, commitment);
    }

    fn client(&self) -> Client {
        Client::new(format!("http://{}", self.address))
    }

    async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let answer = reqwest::get(format!("http://{}{path}", self.address)).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn jobs_are_listed_filtered_and_paged() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let jobs: Vec<_> = (0..5).map(|client| chain.open(client, 1_000)).collect();
    chain.accept(&jobs[0], &provider, 500);
    server.confirm(&mut chain);
    let client = server.client();
    let all = client.jobs(&[]).await.unwrap();
    assert_eq!((all.items.len(), all.next_cursor), (5, None));
    let open = client.jobs(&[("status", "open".to_owned())]).await.unwrap();
    assert_eq!(open.items.len(), 4);
    let of = client.jobs(&[("provider", provider.to_string())]).await.unwrap();
    assert_eq!(of.items[0].address, jobs[0].to_string());
    let first = client.jobs(&[("limit", "2".to_owned())]).await.unwrap();
    let cursor = first.next_cursor.unwrap();
    let second = client.jobs(&[("limit", "2".to_owned()), ("cursor", cursor)]).await.unwrap();
    assert_eq!(first.items.iter().chain(&second.items).cloned().collect::<Vec<_>>(), all.items[..4]);
}

#[tokio::test]
async fn channels_are_listed_and_shown_with_their_plan_and_payments() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let (provider, model) = (chain.register(1), chain.model(2, None, 0));
    let payer = chain.pay_in(1, 100_000);
    let channels: Vec<_> = (0..3).map(|_| chain.open_channel(1, &provider, &model, 10_000)).collect();
    chain.start_plan(&channels[0], 1, 60);
    chain.settle_voucher(&channels[0], 4, 250);
    chain.distribute(&channels[0], None);
    chain.request_close(&channels[1]);
    chain.settle_voucher(&channels[2], 1, 10);
    chain.condemn(&channels[2]);
    server.confirm(&mut chain);
    let client = server.client();
    let lost = client.channels(&[("lost_by", "provider".to_owned())]).await.unwrap().items;
    assert_eq!(lost.iter().map(|channel| &channel.address).collect::<Vec<_>>(), [&channels[2].to_string()]);
    assert!(client.channels(&[("lost_by", "payer".to_owned())]).await.unwrap().items.is_empty());
    let all = client.channels(&[("payer", payer.to_string())]).await.unwrap().items;
    assert_eq!(all.len(), 3);
    let closing = client.channels(&[("status", "closing".to_owned())]).await.unwrap().items;
    assert_eq!(closing[0].address, channels[1].to_string());
    assert!(client.channels(&[("model", provider.to_string())]).await.unwrap().items.is_empty());
    let first = client.channels(&[("limit", "2".to_owned())]).await.unwrap();
    let rest = client.channels(&[("limit", "2".to_owned()), ("cursor", first.next_cursor.unwrap())]).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.next_cursor), (2, 1, None));

    let shown = client.channel(&channels[0].to_string()).await.unwrap();
    assert_eq!((shown.channel.requests, shown.channel.paid_out.provider), (4, 840));
    assert_eq!(shown.plan.unwrap().rate, 1);
    assert_eq!((shown.distributions.len(), shown.distributions[0].settled), (1, 1_000));
    assert!(client.channel(&channels[1].to_string()).await.unwrap().plan.is_none());
    let payer = client.payer(&payer.to_string()).await.unwrap();
    assert_eq!((payer.balance, payer.open_channels, payer.rate), (99_000, 3, 1));
    assert!(client.payer(&provider.to_string()).await.unwrap_err().is_not_found(), "a provider is no payer");
    assert!(client.channel(&provider.to_string()).await.unwrap_err().is_not_found());
    let plans = client.plans(&[("status", "running".to_owned())]).await.unwrap().items;
    assert_eq!(plans[0].channel, channels[0].to_string());
    assert!(client.plans(&[("channel", channels[1].to_string())]).await.unwrap().items.is_empty());
    let paid = client.distributions(&[("provider", provider.to_string())]).await.unwrap().items;
    assert_eq!((paid.len(), paid[0].paid.shares, paid[0].commitment), (1, 150, Commitment::Confirmed));
    let (_, body) = server.get(&format!("/v1/channels/{}", channels[0])).await;
    assert_eq!(body["channel"]["settled"], "1000", "money is a decimal string");
}

#[tokio::test]
async fn revenue_is_answered_by_what_is_asked_and_whole_days_only() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let (provider, models) = (chain.register(1), [chain.model(2, None, 0), chain.model(3, None, 0)]);
    chain.pay_in(1, 100_000);
    for (model, requests) in models.iter().zip([3, 5]) {
        let channel = chain.open_channel(1, &provider, model, 10_000);
        chain.settle_voucher(&channel, requests, 100);
        chain.distribute(&channel, None);
    }
    server.confirm(&mut chain);
    let client = server.client();
    let report = client.revenue(&[("by", "model".to_owned()), ("limit", "1".to_owned())]).await.unwrap();
    assert_eq!((report.rows.len(), report.left_out), (1, 1));
    assert_eq!((report.rows[0].key.clone(), report.rows[0].requests), (Some(models[1].to_string()), 5));
    let day = testing::EPOCH.div_euclid(86_400) * 86_400;
    let asked = |from: i64| [("by", "day".to_owned()), ("from", from.to_string()), ("mint", testing::MINT.to_string())];
    let report = client.revenue(&asked(day)).await.unwrap();
    assert_eq!((report.rows[0].day, report.rows[0].amount, report.rows[0].units), (Some(day), 800, 800));
    assert!(client.revenue(&asked(day + 86_400)).await.unwrap().rows.is_empty());
    let (status, error) = server.get(&format!("/v1/revenue?by=day&from={}", day + 1)).await;
    assert_eq!(status, 400);
    assert!(error["message"].as_str().unwrap().contains(&day.to_string()), "{error}");
    assert_eq!(server.get("/v1/revenue").await.0, 400, "by what?");
    assert_eq!(server.get("/v1/revenue?by=hour").await.0, 400);
}

#[tokio::test]
async fn unconfirmed_jobs_stand_in_lists_where_they_will_stand() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    chain.open(1, 1_000);
    chain.register(1);
    server.confirm(&mut chain);
    chain.open(2, 1_000);
    server.show(&mut chain);
    let before = server.client().jobs(&[]).await.unwrap().items;
    assert_eq!(
        before.iter().map(|job| job.commitment).collect::<Vec<_>>(),
        [Commitment::Processed, Commitment::Confirmed]
    );
}

#[tokio::test]
async fn open_jobs_are_explained_ranked_and_follow_unconfirmed_changes() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let provider = chain.register(1);
    chain.bond(1, 100_000);
    let small = chain.open(1, 1_000);
    let large = chain.open(2, 9_000);
    server.confirm(&mut chain);
    let client = server.client();
    let offered = client.open_jobs(&provider.to_string(), 10).await.unwrap();
    assert_eq!(offered.iter().map(|offer| offer.pay).collect::<Vec<_>>(), [8_910, 990]);
    assert!(offered[0].reasons.iter().any(|reason| reason.contains("pays 8910")), "{:?}", offered[0].reasons);
    assert!(offered[0].seconds_left > 0);

    chain.accept(&large, &provider, 9_000);
    server.show(&mut chain);
    let offered = client.open_jobs(&provider.to_string(), 10).await.unwrap();
    assert_eq!(offered.iter().map(|offer| offer.job.address.clone()).collect::<Vec<_>>(), [small.to_string()]);

    let another = chain.open(3, 50);
    server.show(&mut chain);
    chain.accept(&another, &provider, 50);
    server.show(&mut chain);
    assert!(client.open_jobs(&provider.to_string(), 10).await.unwrap().is_empty(), "all its places are taken");

    let refused = client.refused_jobs(&provider.to_string(), 10).await.unwrap();
    assert_eq!(refused.iter().map(|refusal| refusal.job.clone()).collect::<Vec<_>>(), [small.to_string()]);
    assert!(refused[0].reasons[0].contains("all 2 places"), "{:?}", refused[0].reasons);

    chain.pause(&provider);
    server.show(&mut chain);
    assert!(client.open_jobs(&provider.to_string(), 10).await.unwrap().is_empty(), "paused");
}

#[tokio::test]
async fn an_account_comes_with_its_fields_and_history() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 500);
    chain.deliver(&job);
    server.confirm(&mut chain);
    chain.settle(&job);
    server.show(&mut chain);
    let account = server.client().account(&job.to_string()).await.unwrap();
    assert_eq!((account.kind.as_str(), account.program.as_str(), account.closed), ("job", "escrow", true));
    assert_eq!(account.data["budget"], "1000");
    let names: Vec<_> = account.history.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["JobSettled", "JobDelivered", "JobAccepted", "JobOpened"]);
    let of_provider = server.client().account(&provider.to_string()).await.unwrap();
    let names: Vec<_> = of_provider.history.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["JobSettled", "JobDelivered", "JobAccepted", "ProviderRegistered"]);
    let job = server.client().job(&job.to_string()).await.unwrap();
    assert_eq!((job.status, job.closed), (JobStatus::Settled, true));
}

#[tokio::test]
async fn a_juror_finds_all_it_needs_and_a_bond_says_who_holds_it() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let provider = chain.register(1);
    for who in [1, 2] {
        chain.bond(who, 10_000);
    }
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    server.confirm(&mut chain);
    let client = server.client();
    let voting = [("status", "voting".to_owned())];
    assert!(client.disputes(&voting).await.unwrap().items.is_empty());

    chain.challenge(&job);
    server.show(&mut chain);
    let case = client.disputes(&voting).await.unwrap().items.remove(0);
    assert_eq!((case.dispute.job.clone(), case.dispute.commitment), (job.to_string(), Commitment::Processed));
    assert_eq!((case.job.address.clone(), case.job.status), (job.to_string(), JobStatus::Challenged));
    assert_eq!(case.dispute.counter_result, hex::encode(testing::COUNTER));
    assert!(case.dispute.commit_by < case.dispute.reveal_by && !case.job.input_hash.is_empty());
    assert_eq!(client.dispute(&job.to_string()).await.unwrap(), case);
    let challenged = client.jobs(&[("status", "challenged".to_owned())]).await.unwrap();
    assert_eq!(challenged.items, [case.job]);

    chain.commit(&job, 2, 500);
    server.show(&mut chain);
    let case = client.dispute(&job.to_string()).await.unwrap();
    assert_eq!((case.dispute.votes.len(), case.dispute.votes[0].stake), (1, 500));
    let bonds = client.bonds(&testing::authority(2).to_string()).await.unwrap();
    assert_eq!((bonds.len(), bonds[0].bond.free, bonds[0].claims[0].amount), (1, 9_500, 500));
    assert_eq!(bonds[0].claims[0].subject, case.dispute.votes[0].address);
    let shown = client.provider(&provider.to_string()).await.unwrap();
    assert_eq!((shown.bonds[0].locked, shown.bonds[0].free), (400, 9_600));
    assert!(client.bonds(&Address::from(&testing::MINT).to_string()).await.unwrap().is_empty());
}

#[tokio::test]
async fn bids_are_listed_from_the_cheapest() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let providers = [1, 2].map(|who| chain.register(who));
    let until = chain.now() + 100;
    let job = chain.open_with(1, 1_000, |job| job.bid_until = until.into());
    chain.bid(&job, &providers[0], 900);
    server.confirm(&mut chain);
    let best = chain.bid(&job, &providers[1], 700);
    server.show(&mut chain);
    let bids = server.client().bids(&job.to_string()).await.unwrap();
    assert_eq!(bids.iter().map(|bid| (bid.price, bid.exposure)).collect::<Vec<_>>(), [(700, 350), (900, 450)]);
    let shown = server.client().job(&job.to_string()).await.unwrap();
    assert_eq!((shown.best_bid, shown.best_price), (Some(best.to_string()), 700));
}

#[tokio::test]
async fn a_model_comes_with_its_lineage_and_its_prices() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let base = chain.model(1, None, 250);
    let model = chain.model(2, Some(&base), 0);
    for price in [3, 4, 5] {
        chain.publish(&model, price, 1_000);
    }
    server.confirm(&mut chain);
    let client = server.client();
    let shown = client.model(&model.to_string()).await.unwrap();
    assert_eq!((shown.model.address.clone(), shown.bases[0].address.clone()), (model.to_string(), base.to_string()));
    assert_eq!((shown.model.lineage[0].bps, shown.bases[0].royalty_bps, shown.bases.len()), (250, 250, 1));
    assert_eq!(shown.prices.map(|list| (list.version, list.per_request)), Some((3, 5)));
    assert_eq!(client.model(&base.to_string()).await.unwrap().prices, None);
    let versions = |lists: Vec<joule_api::PriceList>| lists.iter().map(|list| list.version).collect::<Vec<_>>();
    assert_eq!(versions(client.prices(&model.to_string(), &[]).await.unwrap()), [3, 2, 1]);
    let older = [("before", "3".to_owned()), ("limit", "1".to_owned())];
    assert_eq!(versions(client.prices(&model.to_string(), &older).await.unwrap()), [2]);
    let of = [("base", base.to_string()), ("creator", testing::creator(2).to_string())];
    assert_eq!(client.models(&of).await.unwrap().items, [shown.model]);
    // Numbers that JavaScript would round are text.
    let (_, raw) = server.get(&format!("/v1/models/{model}")).await;
    assert_eq!(
        (&raw["model"]["id"], &raw["prices"]["per_request"]),
        (&serde_json::json!("1"), &serde_json::json!("5"))
    );
    let account = client.account(&model.to_string()).await.unwrap();
    let names: Vec<_> = account.history.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["PricesPublished", "PricesPublished", "PricesPublished", "ModelCreated"]);
    assert_eq!((account.kind.as_str(), &account.data["lineage"][0]["bps"]), ("model", &serde_json::json!(250)));
}

#[tokio::test]
async fn every_kind_of_account_has_its_fields() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let bond = chain.bond(1, 10_000);
    let mut wanted = testing::Demands { cpu_cores: 2, min_bond: 7, ..testing::Demands::default() };
    wanted.regions[0] = 3;
    let requirements = chain.demand(1, &wanted);
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    let dispute = chain.challenge(&job);
    server.confirm(&mut chain);
    let client = server.client();
    for (address, kind, field, value) in [
        (bond, "bond", "amount", serde_json::json!("10000")),
        (requirements, "requirements", "regions", serde_json::json!([3])),
        (requirements, "requirements", "min_bond", serde_json::json!("7")),
        (dispute, "dispute", "deposit", serde_json::json!("400")),
        (job, "job", "exposure", serde_json::json!("400")),
    ] {
        let account = client.account(&address.to_string()).await.unwrap();
        assert_eq!((account.kind.as_str(), &account.data[field]), (kind, &value), "{}", account.data);
    }
    let history = client.account(&bond.to_string()).await.unwrap().history;
    let names: Vec<_> = history.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["ClaimLocked", "BondDeposited", "BondOpened"]);
}

#[tokio::test]
async fn one_thing_is_answered_once_per_etag() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    let job = chain.open(1, 1_000);
    server.confirm(&mut chain);
    let url = format!("http://{}/v1/jobs/{job}", server.address);
    let http = reqwest::Client::new();
    let first = http.get(&url).send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = http.get(&url).header("if-none-match", known).send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()["etag"].to_str().unwrap(), tag);
    }
    let provider = chain.register(1);
    chain.accept(&job, &provider, 10);
    server.confirm(&mut chain);
    assert_eq!(http.get(&url).header("if-none-match", tag).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn every_refusal_is_json_with_a_code_and_says_what_to_do() {
    let server = Server::start().await;
    let unknown = crate::types::Address([5; 32]);
    for (path, status, code) in [
        ("/v1/jobs?limit=0".to_owned(), 400, "bad_request"),
        ("/v1/jobs?limit=501".to_owned(), 400, "bad_request"),
        ("/v1/jobs?limit=many".to_owned(), 400, "bad_request"),
        ("/v1/jobs?status=lost".to_owned(), 400, "bad_request"),
        ("/v1/jobs?colour=red".to_owned(), 400, "bad_request"),
        ("/v1/jobs?client=me".to_owned(), 400, "bad_address"),
        ("/v1/jobs?cursor=abc".to_owned(), 400, "bad_cursor"),
        ("/v1/jobs/me".to_owned(), 400, "bad_address"),
        ("/v1/jobs/%FF".to_owned(), 400, "bad_request"),
        (format!("/v1/jobs/{unknown}"), 404, "not_found"),
        (format!("/v1/providers/{unknown}"), 404, "not_found"),
        (format!("/v1/providers/{unknown}/open-jobs"), 404, "not_found"),
        (format!("/v1/providers/{unknown}/refused-jobs"), 404, "not_found"),
        (format!("/v1/jobs/{unknown}/bids"), 404, "not_found"),
        (format!("/v1/disputes/{unknown}"), 404, "not_found"),
        (format!("/v1/models/{unknown}"), 404, "not_found"),
        (format!("/v1/models/{unknown}/prices"), 404, "not_found"),
        ("/v1/models?creator=me".to_owned(), 400, "bad_address"),
        ("/v1/models?status=paused".to_owned(), 400, "bad_request"),
        ("/v1/disputes?status=lost".to_owned(), 400, "bad_request"),
        ("/v1/bonds/me".to_owned(), 400, "bad_address"),
        (format!("/v1/accounts/{unknown}"), 404, "not_found"),
        ("/v2".to_owned(), 404, "no_route"),
    ] {
        let (got, body) = server.get(&path).await;
        assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{path}: {body}");
        assert!(!body["message"].as_str().unwrap().is_empty());
    }
    let answer = reqwest::Client::new().post(format!("http://{}/v1/jobs", server.address)).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["code"], "method_not_allowed");
}

#[tokio::test]
async fn totals_and_metrics_and_health_and_the_document_are_there() {
    let server = Server::start().await;
    let mut chain = Chain::new();
    chain.register(1);
    chain.open(1, 1_000);
    server.confirm(&mut chain);
    let totals = server.client().totals().await.unwrap();
    assert_eq!((totals.providers_active, totals.mints[0].escrowed), (1, 1_000));
    let (status, health) = server.get("/healthz").await;
    assert_eq!((status, health["phase"].as_str()), (503, Some("starting")));
    server.health.connected(0);
    server.health.checkpoint(2);
    assert_eq!(server.get("/healthz").await.0, 200);
    let (_, document) = server.get("/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    for path in [
        "/v1/jobs",
        "/v1/jobs/{address}",
        "/v1/jobs/{address}/bids",
        "/v1/disputes",
        "/v1/disputes/{job}",
        "/v1/bonds/{owner}",
        "/v1/models",
        "/v1/models/{address}",
        "/v1/models/{address}/prices",
        "/v1/providers/{address}/open-jobs",
        "/v1/providers/{address}/refused-jobs",
        "/v1/payers/{address}",
        "/v1/channels",
        "/v1/channels/{address}",
        "/v1/plans",
        "/v1/distributions",
        "/v1/revenue",
        "/v1/feed",
        "/healthz",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let metrics = reqwest::get(format!("http://{}/metrics", server.address)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("joule_indexer_events_total"), "{metrics}");
    let index = reqwest::get(format!("http://{}/", server.address)).await.unwrap().text().await.unwrap();
    assert!(index.contains("/v1/jobs"));
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_response_says_what_it_is() {
    let document = serde_json::to_value(document()).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let get = &methods["get"];
        assert!(names.insert(get["operationId"].as_str().unwrap().to_owned()), "{path}: {}", get["operationId"]);
        let responses = get["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{path} {status}");
        }
        if path.starts_with("/v1/") {
            assert!(responses.contains_key("400") && responses.contains_key("503"), "{path}");
        }
    }
    assert_eq!(names.len(), 24);
}

#[tokio::test]
async fn before_the_first_sync_nothing_is_answered_as_if_there_were_nothing() {
    let server = Server::start_unsynced().await;
    let address = Address([9; 32]).to_string();
    let paths = document().paths.paths;
    let of_the_chain = paths.keys().filter(|path| path.starts_with("/v1/") && *path != "/v1/feed");
    for path in of_the_chain {
        let path =
            ["{address}", "{job}", "{owner}"].iter().fold(path.clone(), |path, name| path.replace(name, &address));
        let (status, error) = server.get(&path).await;
        assert_eq!((status, error["code"].as_str()), (503, Some("not_synced")), "{path}");
    }
    assert_eq!(server.get("/healthz").await.0, 503);
    assert_eq!(reqwest::get(format!("http://{}/v1/feed", server.address)).await.unwrap().status(), 200);
    server.health.checkpoint(1);
    assert_eq!(server.get("/v1/jobs").await.0, 200);
}

/// Reads the stream until `count` events are there: (id, name, data).
async fn events(answer: &mut reqwest::Response, count: usize) -> Vec<(u64, String, serde_json::Value)> {
    let mut text = String::new();
    loop {
        let found: Vec<_> = text
            .split("\n\n")
            .filter(|event| event.contains("data:"))
            .map(|event| {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                (field("id:").parse().unwrap(), field("event:"), serde_json::from_str(&field("data:")))
            })
            .filter_map(|(id, name, data)| Some((id, name, data.ok()?)))
            .collect();
        if found.len() >= count {
            return found;
        }
        text.push_str(std::str::from_utf8(&answer.chunk().await.unwrap().unwrap()).unwrap());
    }
}

#[tokio::test]
async fn the_feed_tells_changes_as_they_happen_and_goes_on_where_a_reader_left() {
    let server = Server::start().await;
    let url = format!("http://{}/v1/feed", server.address);
    let http = reqwest::Client::new();
    let mut live = http.get(&url).send().await.unwrap();
    let mut chain = Chain::new();
    let job = chain.open(1, 1_000);
    server.show(&mut chain);
    let seen = events(&mut live, 1).await;
    assert_eq!((seen[0].1.as_str(), seen[0].2["address"].as_str()), ("job", Some(job.to_string().as_str())));
    chain.open(2, 1_000);
    chain.open(3, 1_000);
    server.show(&mut chain);
    let mut resumed = http.get(&url).header("last-event-id", seen[0].0).send().await.unwrap();
    let missed = events(&mut resumed, 2).await;
    assert_eq!(missed.iter().map(|event| event.0 - seen[0].0).collect::<Vec<_>>(), [1, 2]);

    let mut lost = http.get(&url).header("last-event-id", 5).send().await.unwrap();
    assert_eq!(events(&mut lost, 1).await[0].1, "reset");
    assert_eq!(http.get(&url).header("last-event-id", "x").send().await.unwrap().status(), 400);

    let refused = http.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), 503, "three read it");
    drop(lost);
    while http.get(&url).send().await.unwrap().status() != 200 {}

    server.stop.cancel();
    while let Ok(Some(_)) = live.chunk().await {}
}
