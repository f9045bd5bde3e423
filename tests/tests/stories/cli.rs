//! The `joule` binary: every command a client or a provider uses, its JSON, and each exit code.

pub mod channel;
mod seldom;

use crate::support::{counting, nobody, run, until, Indexer, World};
use joule_artifacts::Hash;
use joule_localnet::Persona::{Alice, Bob, Carol, East, North};
use joule_sdk::{escrow::state::Dispute, instruction::escrow, pda, Pubkey};
use serde_json::Value;

/// A world seen through the command line.
pub struct Terminal {
    pub world: World,
    pub indexer: Indexer,
    pub module: String,
    pub input: String,
}

impl Terminal {
    pub async fn open() -> Self {
        let world = World::start().await;
        let indexer = world.indexer("indexer", None).await;
        indexer.well().await;
        let write = |name: &str, bytes: &[u8]| {
            let path = world.folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.display().to_string()
        };
        let (module, input) = (write("module.wasm", &counting(1)), write("input.bin", b"input"));
        Self { world, indexer, module, input }
    }

    async fn output(&self, args: &[&str]) -> std::process::Output {
        let state = self.world.state_dir().display().to_string();
        run("joule", &[args, &["--state-dir", &state, "--indexer", &self.indexer.url]].concat()).await
    }

    /// What it printed as JSON, after success.
    pub async fn json(&self, args: &[&str]) -> Value {
        let output = self.output(&[args, &["--json"]].concat()).await;
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}"))
    }

    /// What it printed for people, after success.
    pub async fn text(&self, args: &[&str]) -> String {
        let output = self.output(args).await;
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The error object, after this exit code.
    pub async fn fails(&self, code: i32, kind: &str, args: &[&str]) -> Value {
        let output = self.output(&[args, &["--json"]].concat()).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        let last = said.lines().last().unwrap_or_default();
        let body: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"));
        assert_eq!(
            (body["error"]["kind"].as_str(), body["error"]["exit_code"].as_i64()),
            (Some(kind), Some(code.into()))
        );
        assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
        body["error"].clone()
    }

    async fn submit(&self, persona: &str) -> String {
        let job = self
            .json(&[
                "job",
                "submit",
                "--as",
                persona,
                "--module",
                &self.module,
                "--input",
                &self.input,
                "--budget",
                "2.5",
            ])
            .await["job"]
            .as_str()
            .expect("an address")
            .to_owned();
        until("the indexer knows the job", async || self.indexer.api.job(&job).await.ok()).await;
        job
    }

    pub async fn close(self) {
        self.indexer.process.stop().await;
        self.world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_and_a_provider_work_from_the_command_line() {
    let joule = Terminal::open().await;
    let registered =
        joule.json(&["provider", "register", "--as", "north", "--cpu-cores", "8", "--capacity", "3"]).await;
    assert_eq!(registered["provider"], joule.world.provider(North).to_string());
    assert_eq!(registered["updated"], false);
    assert_eq!(joule.json(&["provider", "register", "--as", "north", "--cpu-cores", "4"]).await["updated"], true);
    joule.json(&["provider", "bond", "open", "50", "--as", "north"]).await;
    until("the indexer knows the update", async || {
        let north = joule.json(&["provider", "status", "--as", "north"]).await;
        (north["attributes"]["cpu_cores"] == 4 && north["capacity"] == 2 && north["status"] == "active").then_some(())
    })
    .await;

    let job = joule.submit("alice").await;
    let shown = joule.json(&["job", "show", &job]).await;
    assert_eq!((&shown["status"], &shown["budget"]), (&"open".into(), &"2500000".into()));
    assert_eq!((&shown["budget_tokens"], &shown["symbol"]), (&"2.5".into(), &"JOULE".into()));
    assert_eq!(shown["client"], joule.world.address(Alice).to_string());
    assert_eq!(shown["input_hash"], Hash::of(b"input").to_string());
    let listed = joule.json(&["job", "list", "--status", "open", "--mine", "--as", "alice"]).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(joule.json(&["job", "list", "--mine", "--as", "bob"]).await["items"], serde_json::json!([]));
    assert!(joule.text(&["job", "list"]).await.contains(&job), "people see it too");
    let shown = joule.text(&["job", "show", &job]).await;
    assert!(shown.contains("2.5 JOULE") && shown.contains("(in ") && !shown.contains("base units"), "{shown}");

    // A provider delivers; the client watches, agrees, and has the result.
    let address: Pubkey = job.parse().unwrap();
    let result = joule.world.store().put("the answer").await.unwrap();
    joule.world.accept(North, address, 2_000_000).await;
    joule.world.submit(North, address, result).await;
    let before = joule.world.balance(Alice).await;
    let file = joule.world.folder.path().join("result").display().to_string();
    let screen = joule.text(&["provider", "status", "--as", "north"]).await;
    for said in ["active", "50 JOULE", "held by", "escrow", "delivered", "2 JOULE delivered, in review"] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    let watch = ["job", "watch", &job, "--output", &file];
    let approve = async {
        let approved = joule.json(&["job", "approve", &job, "--as", "alice"]).await;
        assert_eq!(approved["job"], *job);
    };
    let (watched, ()) = tokio::join!(joule.json(&watch), approve);
    assert_eq!((&watched["status"], &watched["paid"]["provider"]), (&"settled".into(), &"1950000".into()));
    assert_eq!(std::fs::read(&file).unwrap(), b"the answer");
    assert_eq!(joule.world.balance(Alice).await - before, 500_000);

    // Another is taken back.
    let job = joule.submit("bob").await;
    let before = joule.world.balance(Bob).await;
    joule.json(&["job", "cancel", &job, "--as", "bob"]).await;
    assert_eq!(joule.world.balance(Bob).await - before, 2_500_000);
    let error = joule.fails(6, "outcome", &["job", "watch", &job]).await;
    assert!(error["message"].as_str().unwrap().contains("refunded"));
    the_chain_is_read_where_the_indexer_is_away(&joule, &job).await;

    let status = until("the indexer has stored both ends", async || {
        let status = joule.json(&["index", "status"]).await;
        (status["totals"]["mints"][0]["jobs_refunded"] == 1).then_some(status)
    })
    .await;
    assert_eq!((&status["health"]["ok"], &status["totals"]["mints"][0]["jobs_settled"]), (&true.into(), &1.into()));
    assert!(joule.text(&["index", "status"]).await.contains("live"));
    joule.json(&["provider", "status", "--set", "paused", "--as", "north"]).await;
    until("the indexer knows the pause", async || {
        (joule.json(&["provider", "status", "--as", "north"]).await["status"] == "paused").then_some(())
    })
    .await;
    joule.close().await;
}

/// What became of a job whose account is gone.
async fn the_chain_is_read_where_the_indexer_is_away(joule: &Terminal, refunded: &str) {
    let (nowhere, state) = (format!("http://{}", nobody()), joule.world.state_dir().display().to_string());
    let args = ["job", "watch", refunded, "--indexer", &nowhere, "--state-dir", &state, "--json"];
    let output = run("joule", &args).await;
    assert_eq!(output.status.code(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&seen["status"], &seen["from"]), (&"refunded".into(), &"chain".into()));
    assert_eq!((&seen["paid"]["client"], &seen["paid"]["client_tokens"]), (&"2500000".into(), &"2.5".into()));
    let stranger = joule.world.address(Bob).to_string();
    let args = ["job", "watch", &stranger, "--indexer", &nowhere, "--state-dir", &state];
    assert_eq!(run("joule", &args).await.status.code(), Some(3), "nobody knows it");
}

#[tokio::test(flavor = "multi_thread")]
async fn bonds_bids_disputes_and_stakes_work_from_the_command_line() {
    let joule = Terminal::open().await;
    let world = &joule.world;
    for provider in ["north", "east", "uma"] {
        joule.json(&["provider", "register", "--as", provider, "--cpu-cores", "8"]).await;
        joule.json(&["provider", "bond", "open", "50", "--as", provider]).await;
    }
    joule
        .json(&["provider", "bond", "deposit", "10", "--as", "bob", "--owner", &world.address(North).to_string()])
        .await;
    let carol = world.address(Carol).to_string();
    let error = joule
        .fails(4, "refused", &["provider", "bond", "deposit", "10", "--as", "north", "--withdrawer", &carol])
        .await;
    assert!(error["message"].as_str().unwrap().contains(&carol), "{error}");
    let error = joule.fails(4, "refused", &["provider", "bond", "open", "10", "--as", "north"]).await;
    assert!(error["message"].as_str().unwrap().contains("joule provider bond deposit 10"), "{error}");
    let unbonding = joule.json(&["provider", "bond", "unbond", "20", "--as", "north"]).await;
    assert_eq!((&unbonding["unbonding"], &unbonding["unbonding_tokens"]), (&"20000000".into(), &"20".into()));
    assert!(unbonding["unbonds_at"].is_i64(), "{unbonding}");
    let error = joule.fails(4, "refused", &["provider", "bond", "unbond", "41", "--as", "north"]).await;
    assert!(error["message"].as_str().unwrap().contains("40 JOULE"), "{error}");
    let error = joule.fails(4, "refused", &["provider", "bond", "close", "--as", "north"]).await;
    assert_eq!(error["name"], "BondNotEmpty");
    let bond = joule.json(&["provider", "bond", "show", "--as", "north"]).await;
    assert_eq!((&bond["amount"], &bond["free"]), (&"60000000".into(), &"40000000".into()));
    assert_eq!(bond["services"], serde_json::json!(["escrow", "billing"]));
    joule.json(&["provider", "bond", "services", "--unname", "billing", "--as", "north"]).await;
    let bond = joule.json(&["provider", "bond", "services", "--as", "north"]).await;
    assert_eq!(bond["services"], serde_json::json!(["escrow"]));
    let owner = world.address(North).to_string();
    joule
        .fails(4, "refused", &["provider", "bond", "services", "--name", "billing", "--owner", &owner, "--as", "bob"])
        .await;
    joule.json(&["provider", "bond", "services", "--name", "billing", "--as", "north"]).await;
    assert!(joule.text(&["provider", "bond", "show", "--as", "north"]).await.contains("20 JOULE, can be withdrawn"));
    let error = joule.fails(4, "refused", &["provider", "bond", "withdraw", "--as", "north"]).await;
    assert_eq!(error["name"], "StillUnbonding");
    assert!(error["message"].as_str().unwrap().contains("20 JOULE can be withdrawn from"), "{error}");
    joule.json(&["provider", "bond", "unbond", "--cancel", "--as", "north"]).await;
    let error = joule.fails(3, "not_found", &["provider", "bond", "show", "--as", "south"]).await;
    assert!(error["message"].as_str().unwrap().contains("joule provider bond open"), "{error}");

    // Bids: two offers, of which the client picks the dearer one; and requirements that keep a third one away.
    let wanted = world.folder.path().join("wanted.toml");
    std::fs::write(&wanted, "cpu_cores = 8\nmin_bond = \"40 JOULE\"\n").unwrap();
    let wanted = wanted.display().to_string();
    let base =
        ["job", "submit", "--as", "alice", "--module", &joule.module, "--input", &joule.input, "--budget", "2.5"];
    let submit = async |more: &[&str]| -> String {
        joule.json(&[&base[..], more].concat()).await["job"].as_str().expect("an address").to_owned()
    };
    let job = submit(&["--bid-window", "5m", "--requirements", &wanted, "--bond", "150"]).await;
    let address: Pubkey = job.parse().unwrap();
    for (bidder, price) in [(North, 2_000_000), (East, 1_500_000)] {
        let me = escrow::Provider::new(world.address(bidder), world.tokens(bidder));
        let bid = escrow::place_bid(me, address, &world.job(address).await, price);
        world.send("bid", bidder, &[bid]).await;
    }
    let bids = until("both bids are known", async || {
        let bids = joule.json(&["job", "bids", &job]).await;
        (bids.as_array().map(Vec::len) == Some(2)).then_some(bids)
    })
    .await;
    assert_eq!((&bids[0]["price"], &bids[1]["exposure"]), (&"1500000".into(), &"3000000".into()));
    let north = world.provider(North).to_string();
    joule.fails(4, "refused", &["job", "pick", &job, &north, "--as", "bob"]).await;
    joule.json(&["job", "pick", &job, &north, "--as", "alice"]).await;
    assert_eq!(world.job(address).await.price.get(), 2_000_000);
    joule.fails(4, "refused", &["job", "fail", &job, "--as", "bob"]).await;

    // A wrong result: challenged, judged by hand, and all of it to be seen.
    let judged = ["--verification", "quorum", "--jurors", "1", "--vote-window", "1h", "--review-window", "1h"];
    let job = submit(&judged).await;
    let address: Pubkey = job.parse().unwrap();
    world.accept(East, address, 1_000_000).await;
    world.submit(East, address, Hash::of(b"a lie")).await;
    let right = Hash::of(b"the truth").to_string();
    joule.json(&["job", "challenge", &job, "--result", &right, "--as", "carol"]).await;
    joule.json(&["dispute", "vote", &job, "--result", &right, "--as", "uma"]).await;
    let other = Hash::of(b"second thoughts").to_string();
    let error = joule.fails(4, "refused", &["dispute", "vote", &job, "--result", &other, "--as", "uma"]).await;
    assert!(error["message"].as_str().unwrap().contains("made already"), "{error}");
    let error = joule.fails(4, "refused", &["dispute", "reveal", &job, "--as", "uma"]).await;
    assert_eq!(error["name"], "RevealWindowClosed");
    let dispute: Dispute = world.chain.get(&pda::dispute(&address)).await.unwrap();
    world.after(dispute.commit_by.get()).await;
    joule.json(&["dispute", "reveal", &job, "--as", "uma"]).await;
    world.after(dispute.final_at.get()).await;
    joule.json(&["dispute", "resolve", &job, "--as", "bob"]).await;
    let case = until("the verdict is known", async || {
        let case = joule.json(&["dispute", "show", &job]).await;
        (case["dispute"]["verdict"] == "counter").then_some(case)
    })
    .await;
    assert_eq!(case["job"]["status"], "refunded");
    assert!(joule.text(&["dispute", "show", &job]).await.contains("the challenger is right"));
    assert!(joule.text(&["dispute", "list"]).await.contains(&job));
    joule.json(&["dispute", "resolve", &job, "--as", "bob"]).await;
    joule.json(&["job", "pay", &job, "--as", "bob"]).await;
    assert!(world.chain.job(&address).await.unwrap().is_none(), "nothing is left of it");

    // Stakes, and what others say.
    joule.json(&["stake", "add", "1000", "--lock", "30d", "--as", "alice"]).await;
    joule.json(&["stake", "extend", "--lock", "60d", "--as", "alice"]).await;
    let stake = joule.json(&["stake", "show", "--as", "alice"]).await;
    assert_eq!((&stake["amount"], &stake["discount_bps"]), (&"1000000000".into(), &500.into()));
    assert_eq!(stake["amount_tokens"], "1000");
    let error = joule.fails(4, "refused", &["stake", "unstake", "1", "--as", "alice"]).await;
    assert_eq!(error["name"], "StillLocked");
    let cheaper = submit(&[]).await;
    let fee = world.job(cheaper.parse().unwrap()).await.fee_bps.get();
    assert!(fee < 250, "a stake makes the fee smaller: {fee}");
    let (carol, subject) = (world.address(Carol).to_string(), world.address(North).to_string());
    joule.fails(4, "refused", &["attestor", "admit", &carol, "--as", "alice"]).await;
    joule.json(&["attestor", "admit", &carol, "--as", "authority"]).await;
    joule.json(&["attest", "issue", &subject, "--schema", "3", "--as", "carol"]).await;
    let said = joule.json(&["attest", "show", &subject]).await;
    assert_eq!(said["attestations"][0]["schema"], 3);
    joule.json(&["attest", "revoke", &subject, "--schema", "3", "--as", "carol"]).await;
    assert_eq!(joule.json(&["attest", "show", &subject]).await["attestations"], serde_json::json!([]));

    // What makes no sense is said before anything is sent.
    for more in [
        &["--jurors", "3"][..],
        &["--verification", "quorum", "--jurors", "2"],
        &["--bond", "5"],
        &["--bid-window", "1h"],
        &["--verification", "quorum", "--vote-window", "2days"],
        &["--requirements", &right],
    ] {
        let output = joule.output(&[&base[..], more].concat()).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(2 | 3)), "{more:?}: {said}");
    }
    joule.indexer.equals_the_chain(world.localnet.rpc_url()).await;
    joule.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exit_code_means_what_it_says() {
    let joule = Terminal::open().await;
    let (module, input) = (joule.module.clone(), joule.input.clone());
    let submit = |budget: &str| {
        ["job", "submit", "--as", "alice", "--module", &module, "--input", &input, "--budget", budget]
            .map(str::to_owned)
    };
    let job = joule.submit("alice").await;
    let stranger = joule.world.address(Bob).to_string();
    let nowhere = format!("http://{}", nobody());

    // 2: input.
    for (budget, word) in [("a lot", "amount"), ("0.0000001", "decimals"), ("-1", "unexpected"), ("2 USDC", "JOULE")] {
        let args = submit(budget);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let error = joule.fails(2, "input", &args).await;
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    joule
        .fails(2, "input", &["job", "submit", "--as", "alice", "--module", "/none", "--input", &input, "--budget", "1"])
        .await;
    joule
        .fails(2, "input", &["job", "submit", "--as", "alice", "--module", &input, "--input", &input, "--budget", "1"])
        .await;
    // Before any service is asked.
    for args in [
        &["job", "show", "nonsense"][..],
        &["job", "cancel", "not-an-address", "--as", "alice"],
        &["job", "list", "--client", "nobody"],
        &["dispute", "show", "nonsense"],
        &["provider", "status", "nonsense"],
        &["provider", "register", "--gpu-model", "H10"],
        &["provider", "register", "--region", "eu_west"],
        &["provider", "bond", "open", "1.2.3"],
        &["stake", "add", "1", "--lock", "soon"],
        &["channel", "show", "nonsense"],
        &["model", "show", "nonsense"],
        &["model", "create", "--royalty", "200"],
        &["attest", "show", "nonsense"],
        &["revenue", "--from", "yesterday"],
        &["job", "challenge", &job, "--result", "/none"],
    ] {
        let output = run("joule", &[args, &["--rpc", &nowhere, "--indexer", &nowhere]].concat()).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    }
    joule.fails(2, "input", &["job", "cancel", &job, "--as", "nobody"]).await;
    assert_eq!(joule.output(&["job", "dance"]).await.status.code(), Some(2));
    // 3: not found.
    joule.fails(3, "not_found", &["job", "show", &stranger]).await;
    joule.fails(3, "not_found", &["job", "cancel", &stranger, "--as", "alice"]).await;
    joule.fails(3, "not_found", &["provider", "status", &stranger]).await;
    // 4: refused, by the program's own name for it where it was asked.
    let error = joule.fails(4, "refused", &["job", "approve", &job, "--as", "alice"]).await;
    assert!(error["message"].as_str().unwrap().contains("no result"), "{error}");
    joule.fails(4, "refused", &["job", "cancel", &job, "--as", "bob"]).await;
    let args = submit("5000000000");
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let error = joule.fails(4, "refused", &args).await;
    let said = error["message"].as_str().unwrap();
    assert!(said.starts_with("alice has 999,997.5 JOULE, the budget is 5,000,000,000 JOULE"), "{said}");
    let error = joule.fails(4, "refused", &["job", "crank", &job, "--as", "bob"]).await;
    assert_eq!(error["name"], "NotExpired");
    // 5: nobody answers.
    let error = joule.fails(5, "unreachable", &["job", "cancel", &job, "--as", "alice", "--rpc", &nowhere]).await;
    let said = error["message"].as_str().unwrap();
    assert!(said.contains("RPC") && said.contains(&nowhere) && said.ends_with("does not answer"), "{said}");
    let dead = run("joule", &["index", "status", "--indexer", &nowhere]).await;
    assert_eq!(dead.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&dead.stderr).contains(&nowhere), "it names the address");
    // 6: ended otherwise.
    joule.json(&["job", "cancel", &job, "--as", "alice"]).await;
    joule.fails(6, "outcome", &["job", "watch", &job]).await;
    // None of this cost anything, or took anything along.
    joule.indexer.equals_the_chain(joule.world.localnet.rpc_url()).await;
    // The clock goes forward, and only that.
    let before = joule.world.chain.now().await.unwrap();
    let after = joule.json(&["localnet", "time-travel", "3h"]).await["now"].as_i64().unwrap();
    assert!(after >= before + 3 * 3_600 && joule.world.chain.now().await.unwrap() >= after);
    joule.fails(2, "input", &["localnet", "time-travel", "0s"]).await;
    joule.close().await;
}

#[tokio::test]
async fn completions_and_help_are_printed_without_any_service() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run("joule", &["completions", shell]).await;
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("joule"), "{shell}");
    }
    assert!(run("joule", &["--help"]).await.status.success());
    assert!(run("joule", &["localnet", "--help"]).await.status.success());
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    assert!(run("joule", &["man", pages.to_str().unwrap()]).await.status.success());
    let page = std::fs::read_to_string(pages.join("joule-job-submit.1")).unwrap();
    assert!(page.contains("Examples") && page.contains("budget"), "{page}");
}
