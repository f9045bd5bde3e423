//! What an operator sees: alerts and dashboard in a real Prometheus that watches real services, and what these log.

use crate::support::{nobody, root, until, Buyer, Digits, Indexer, Market, Order, Process, Proxy, World};
use joule_api::JobStatus;
use joule_localnet::Persona::{Alice, North};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// Where `toolchain/setup.sh` unpacks Debian's.
fn prometheus() -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    let cache = std::env::var("JOULE_CACHE").unwrap_or_else(|_| format!("{home}/.cache/joule"));
    format!("{cache}/prometheus/usr/bin/prometheus")
}

/// A Prometheus with our alerts.
struct Watch {
    process: Process,
    url: String,
}

impl Watch {
    /// `services` are jobs with their addresses.
    fn start(folder: &Path, services: &[(&str, &str)]) -> Self {
        let alerts = root().join("deploy/prometheus/alerts.yml");
        let mut config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: ['{}']\nscrape_configs:\n",
            alerts.canonicalize().expect("it is there").display()
        );
        for (job, url) in services {
            let address = url.trim_start_matches("http://");
            config += &format!("  - {{ job_name: {job}, static_configs: [{{ targets: ['{address}'] }}] }}\n");
        }
        let (path, data, address) = (folder.join("prometheus.yml"), folder.join("prometheus"), nobody());
        std::fs::write(&path, config).expect("a file");
        let args = [
            format!("--config.file={}", path.display()),
            format!("--storage.tsdb.path={}", data.display()),
            format!("--web.listen-address={address}"),
        ];
        let args = args.each_ref().map(String::as_str);
        Self {
            process: Process::start(folder, "prometheus", &prometheus(), &args, &[]),
            url: format!("http://{address}"),
        }
    }

    /// What the API says in `data`; `None` while it is not there.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let answer = reqwest::Client::new().get(format!("{}{path}", self.url)).query(query).send().await.ok()?;
        let body: Value = answer.json().await.ok()?;
        if body["status"] == "error" && body["errorType"] == "bad_data" {
            panic!("{query:?}: {}", body["error"]);
        }
        Some(body["data"].clone())
    }

    /// Until an expression has an answer.
    async fn shows(&self, expression: &str) {
        until(&format!("Prometheus has something for {expression}"), async || {
            let found = self.get("/api/v1/query", &[("query", expression)]).await?;
            found["result"].as_array().is_some_and(|result| !result.is_empty()).then_some(())
        })
        .await;
    }
}

/// What the dashboard asks.
fn expressions() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("deploy/grafana/joule.json")).expect("it is there");
    let board: Value = serde_json::from_str(&text).expect("JSON");
    let panels = board["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| target["expr"].as_str().expect("text").replace("$instance", ".*")).collect()
}

/// Every metric of ours in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("joule_")).collect()
}

/// The sum over all labels.
async fn metric(url: &str, name: &str) -> f64 {
    let text = reqwest::get(format!("{url}/metrics")).await.expect("an answer").text().await.expect("text");
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '{']))?;
        rest.rsplit_once(' ')?.1.parse::<f64>().ok()
    });
    values.reduce(|sum, value| sum + value).unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// North's daemon, and where it says how it is.
fn node(world: &World, indexer: &str) -> (Process, String) {
    let (artifacts, key) = (world.artifacts().display().to_string(), world.key_file(North).display().to_string());
    let (mint, listen) = (world.localnet.mint().to_string(), nobody());
    let place = ["run", "--rpc", world.localnet.rpc_url(), "--indexer", indexer, "--artifacts", &artifacts];
    let own = ["--key", &key, "--mint", &mint, "--listen", &listen, "--poll", "200ms"];
    let process = Process::start(world.folder.path(), "node", "joule-node", &[&place[..], &own[..]].concat(), &[]);
    (process, format!("http://{listen}"))
}

/// An artifact service over the same folder.
fn store(world: &World) -> (Process, String) {
    let (artifacts, listen) = (world.artifacts().display().to_string(), nobody());
    let args = ["--artifacts", &artifacts, "--listen", &listen, "--min-free", "0 B"];
    (Process::start(world.folder.path(), "store", "joule-store", &args, &[]), format!("http://{listen}"))
}

/// No colours, and nothing as only Rust writes it.
fn for_people(log: &str) {
    let rust = |line: &&str| line.contains('\x1b') || line.contains("Some(") || line.contains("None");
    let wrong: Vec<_> = log.lines().filter(rust).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The node's metrics after one job that was paid.
async fn a_job_is_counted(node: &str, world: &World, price: u64) {
    let mint = world.localnet.mint();
    let mut wanted =
        ["accepted", "delivered", "paid"].map(|step| format!("joule_node_jobs_total{{step=\"{step}\"}} 1")).to_vec();
    wanted.extend(["working", "delivered"].map(|state| format!("joule_node_jobs{{state=\"{state}\"}} 0")));
    wanted.push(format!("joule_node_earned_base_units_total{{mint=\"{mint}\"}} {price}"));
    wanted.push(format!("joule_node_bond_base_units{{mint=\"{mint}\",part=\"locked\"}} 0"));
    until(&format!("the node says {wanted:#?}"), async || {
        let said = reqwest::get(format!("{node}/metrics")).await.ok()?.text().await.ok()?;
        wanted.iter().all(|line| said.lines().any(|is| is == line)).then_some(())
    })
    .await;
}

/// What the answer is called is in the log, with whose it was and what came of it.
async fn a_request_is_found_by_its_id(gateway: &Process, buyer: &mut Buyer) {
    let body = Buyer::question(9, false);
    let payment = joule_x402::encode(&buyer.order(&body));
    for (paid, words) in [(true, ["status=200", "amount="]), (false, ["status=402", "outcome="])] {
        let mut call = reqwest::Client::new().post(format!("{}/v1/chat/completions", buyer.url)).body(body.to_string());
        if paid {
            call = call.header(joule_x402::PAYMENT_SIGNATURE, &payment);
        }
        let answer = call.send().await.expect("an answer");
        let id = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
        answer.bytes().await.expect("all of it");
        let line = until("the log has the request", async || {
            gateway.log().lines().find(|line| line.contains(&id)).map(str::to_owned)
        })
        .await;
        assert!(words.iter().all(|word| line.contains(word)), "{words:?}: {line}");
        assert_eq!(line.contains(&buyer.channel.to_string()), paid, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_and_dashboard_ask_for_what_services_say() {
    let market = Market::open().await;
    let indexer = market.world.indexer("indexer", None).await;
    let (gateway, url) = market.gateway("amount = '1 unit'", None).await;
    let (node, node_url) = node(&market.world, &indexer.url);
    let (store, store_url) = store(&market.world);
    let services = [
        ("joule-indexer", &*indexer.url),
        ("joule-gateway", &*url),
        ("joule-node", &*node_url),
        ("joule-store", &*store_url),
    ];
    let watch = Watch::start(market.world.folder.path(), &services);
    indexer.well().await;
    let mut buyer = market.buyer(1, 0).await;
    buyer.url = url.clone();
    for n in 0..3 {
        buyer.buy(n, false).await;
    }
    buyer.pay().await;
    let digits = Digits::read();
    let order = Order::stored(&market.world.store(), digits.module, digits.images, 1_000_000_000, 60_000).await;
    let job = market.world.open(Alice, order).await;
    let price = indexer.job_is(job, JobStatus::Settled).await.price;
    a_job_is_counted(&node_url, &market.world, price).await;
    a_request_is_found_by_its_id(&gateway, &mut buyer).await;

    let asked = expressions();
    assert!(asked.len() > 30, "{}", asked.len());
    for expression in &asked {
        watch.shows(expression).await;
    }
    let rules = std::fs::read_to_string(root().join("deploy/prometheus/alerts.yml")).expect("it is there");
    let mut said = String::new();
    for (_, url) in services {
        let answer = reqwest::get(format!("{url}/metrics")).await.expect("an answer");
        said += &answer.text().await.expect("text");
    }
    let (said, all) = (named(&said), asked.join(" ") + &rules);
    let unknown: Vec<_> = named(&all).into_iter().filter(|name| !said.contains(name)).collect();
    assert!(unknown.is_empty(), "nobody says {unknown:?}");
    until("Prometheus has tried every alert", async || {
        let groups = watch.get("/api/v1/rules", &[]).await?["groups"].as_array()?.clone();
        let rules: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten()).collect();
        assert!(rules.iter().all(|rule| rule["health"] != "err"), "{rules:?}");
        (rules.len() > 10 && rules.iter().all(|rule| rule["health"] == "ok")).then_some(())
    })
    .await;
    for_people(&node.log());
    node.stop().await;
    for_people(&gateway.log());
    for_people(&store.log());
    store.stop().await;
    for_people(&indexer.process.log());
    watch.process.stop().await;
    gateway.stop().await;
    indexer.process.stop().await;
    market.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_connection_is_no_reconnection_however_late_and_a_second_one_is() {
    const RECONNECTS: &str = "joule_indexer_reconnects_total";
    let world = World::start().await;
    let grpc = Proxy::to(world.localnet.grpc_url()).await;
    grpc.cut();
    let indexer = Indexer::start(world.folder.path(), "indexer", &grpc.url(), world.localnet.rpc_url(), None).await;
    until("it has tried twice", async || (indexer.process.log().matches("no gRPC stream").count() > 1).then_some(()))
        .await;
    grpc.mend();
    indexer.well().await;
    assert_eq!(metric(&indexer.url, RECONNECTS).await, 0.0);
    grpc.cut();
    indexer.unwell("gRPC").await;
    grpc.mend();
    indexer.well().await;
    assert!(metric(&indexer.url, RECONNECTS).await >= 1.0);
    for_people(&indexer.process.log());
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_have_colours_on_a_terminal_unless_no_color_says_otherwise() {
    for (name, no_color, coloured) in [("colours", "", true), ("none", "1", false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let (database, nobody) = (folder.path().join("store.sqlite"), format!("http://{}", nobody()));
        let command = format!(
            "{} --rpc {nobody} --grpc {nobody} --listen 127.0.0.1:0 --database {}",
            crate::support::binary("joule-indexer").display(),
            database.display()
        );
        // `script` is the terminal. When it ends, whatever runs in it does.
        let args = ["-qefc", &command, "/dev/null"];
        let mut terminal = Process::start(folder.path(), name, "/usr/bin/script", &args, &[("NO_COLOR", no_color)]);
        let said = "the RPC node does not answer";
        until("it says something", async || terminal.log().contains(said).then_some(())).await;
        assert_eq!(terminal.log().contains("\x1b["), coloured, "{}", terminal.log());
        terminal.kill();
    }
}
