//! Every command of the pages cli/README.md, gateway/README.md, indexer/README.md and node/README.md, typed as it stands there, with addresses
//! and numbers put in.

use crate::{
    cli::channel::promise,
    support::{root, until, Buyer, Indexer, Market, Page, World},
};
use joule_artifacts::Hash;
use joule_localnet::Persona::{self, Carol, East, North, South, Uma, Vera, Wim};
use joule_sdk::{
    billing::state::Channel,
    escrow::{constants::PANEL_EPOCH, state::Dispute},
    pda, Pubkey,
};
use joule_tests::pages;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder of its own, and what a reader has told `joule`: where the network is, and whose key is Bob's.
fn desk(world: &World, indexer: &Indexer, name: &str) -> (PathBuf, Vec<(&'static str, String)>) {
    let folder = world.folder.path().join(name);
    let key = folder.join(".config/solana/id.json");
    std::fs::create_dir_all(key.parent().expect("a folder")).expect("a folder");
    std::fs::copy(world.key_file(Persona::Bob), key).expect("a key");
    let env = vec![
        ("HOME", folder.display().to_string()),
        ("JOULE_STATE_DIR", world.state_dir().display().to_string()),
        ("JOULE_INDEXER", indexer.url.clone()),
        ("JOULE_JSON", "true".into()),
    ];
    (folder, env)
}

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::write(folder.join(name), content).expect("a file");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("text: {value}")).to_owned()
}

fn json(printed: &str) -> Value {
    serde_json::from_str(printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// Starts what the line starts, sees it say where it is, and ends it.
async fn lives(page: &mut Page, start: &str, put: &[(&str, &str)], says: &str) {
    let mut process = page.starts(start, put);
    until(&format!("{start:?} says {says:?}"), async || {
        assert!(process.status().is_none(), "{start:?} has ended:\n{}", process.log());
        process.log().contains(says).then_some(())
    })
    .await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_lines_page_is_typed_to_its_last_line() {
    let market = Market::open().await;
    let world = &market.world;
    let indexer = world.indexer("indexer", None).await;
    indexer.well().await;
    let (gateway, url) = market.gateway("enabled = false", None).await;
    let (folder, env) = desk(world, &indexer, "desk");
    let mut page = Page::open("cli/README.md", folder.clone(), env);
    std::fs::write(folder.join("work.wasm"), crate::support::counting(1)).expect("a module");
    write(&folder, "input", "input");

    a_bond_and_what_is_wanted(&mut page, world, &folder).await;
    // While the chain's clock is the gateway's.
    paying(&mut page, &market, &url, &folder).await;
    disputes(&mut page, world, &folder).await;
    south_goes(&mut page, world).await;

    page.ends();
    gateway.stop().await;
    indexer.process.stop().await;
    market.world.stop().await;
}

async fn a_bond_and_what_is_wanted(page: &mut Page, world: &World, folder: &Path) {
    let south = world.address(South).to_string();
    let as_south = &[("--as north", "--as south")][..];
    page.json("joule provider register", as_south).await;
    page.json("joule provider bond open 100", as_south).await;
    page.json("joule provider status", as_south).await;
    page.json("joule provider bond services --unname billing", as_south).await;
    let bond = page.json("joule provider bond deposit 10", &[("<north>", &south)]).await;
    assert!(bond.is_object(), "{bond}");
    page.json("joule provider bond release", &[("<north>", &south)]).await;
    page.json("joule provider bond unbond 20", as_south).await;
    assert_eq!(world.bond(South).await.unbonding.get(), 20_000_000);

    // What the page says that a requirements file may hold.
    let toml = pages::blocks("cli/README.md").into_iter().find(|block| block.language == "toml").expect("a file");
    let filled = toml.text.replace("<provider>", &world.provider(South).to_string()).replace("<key>", &south);
    write(folder, "wanted.toml", &filled);
    let posted = page
        .also("joule job submit --as alice --module work.wasm --input input --budget 2 --requirements wanted.toml")
        .await;
    let job = text(&json(&posted)["job"]);
    page.also(&format!("joule job cancel {job} --as alice")).await;
}

/// Posts a job of Alice's that north delivers with this result.
async fn delivered(page: &Page, world: &World, terms: &str, result: Hash) -> (String, Pubkey) {
    let line = format!("joule job submit --as alice --module work.wasm --input input --budget 2 --review-window 1h --vote-window 1h {terms}");
    let job = text(&json(&page.also(&line).await)["job"]);
    let address = job.parse().expect("an address");
    world.accept(North, address, 1_000_000).await;
    world.submit(North, address, result).await;
    (job, address)
}

async fn disputes(page: &mut Page, world: &World, folder: &Path) {
    for member in [Uma, Vera, Wim, East] {
        world.register_without_bond(member).await;
    }
    for (member, stake) in [("uma", 100), ("vera", 5), ("wim", 5), ("east", 5)] {
        page.also(&format!("joule provider bond open 200 --as {member}")).await;
        match member {
            "uma" => page.json("joule dispute enroll", &[]).await,
            _ => json(&page.also(&format!("joule dispute enroll {stake} --as {member}")).await),
        };
    }
    let next = page.json("joule dispute panel --next", &[]).await;
    assert_eq!(next["resolvers"].as_array().map(Vec::len), Some(4));
    let left = page.json("joule dispute unenroll", &[]).await;
    assert_eq!(left["locked"].as_array().map(Vec::len), Some(1), "the epoch has not begun");
    let begins = next["begins"].as_i64().expect("a moment");
    world.after(begins).await;

    // Anybody judges: uma sees that carol is right.
    write(folder, "right.json", r#"{"right":true}"#);
    let right = Hash::of(br#"{"right":true}"#);
    let (job, address) = delivered(page, world, "--verification quorum --jurors 1", Hash::of(b"a lie")).await;
    let put = &[("<job>", &*job)][..];
    page.json("joule job challenge", put).await;
    page.json("joule dispute show", put).await;
    page.json("joule dispute vote", put).await;
    let dispute: Dispute = world.chain.get(&pda::dispute(&address)).await.expect("a dispute");
    world.after(dispute.commit_by.get()).await;
    page.json("joule dispute reveal", put).await;
    world.after(dispute.final_at.get()).await;
    page.json("joule dispute resolve", put).await;

    // A panel says that the provider is right, and alice wants another.
    let (job, address) = delivered(page, world, "--verification panel --jurors 1", right).await;
    world.challenge(Carol, address, Hash::of(b"another lie")).await;
    page.json("joule dispute draw", &[("<job>", &job)]).await;
    let place = pda::dispute(&address);
    let dispute: Dispute = world.chain.get(&place).await.expect("a dispute");
    let members = &dispute.members[..usize::from(dispute.drawn)];
    let drawn = [Uma, Vera, Wim, East].into_iter().filter(|who| members.contains(&world.address(*who)));
    let drawn: Vec<_> = drawn.map(Persona::name).collect();
    assert_eq!(drawn.len(), 1);
    page.also(&format!("joule dispute vote {job} --result right.json --as {}", drawn[0])).await;
    world.after(dispute.commit_by.get()).await;
    page.also(&format!("joule dispute reveal {job} --as {}", drawn[0])).await;
    world.after(dispute.reveal_by.get()).await;
    page.json("joule dispute appeal", &[("<job>", &job)]).await;
    let dispute: Dispute = world.chain.get(&place).await.expect("a dispute");
    assert_eq!(dispute.round, 1);
    world.after(begins + PANEL_EPOCH).await;
}

async fn paying(page: &mut Page, market: &Market, url: &str, folder: &Path) {
    let (world, model) = (&market.world, market.model().to_string());
    let question = |n| Buyer::question(n, false).to_string();
    write(folder, "questions.jsonl", &format!("{}\n{}\n", question(1), question(2)));
    write(folder, "request.json", &question(3));
    let drawn = "\n...##...\n..#..#..\n.#....#.\n.#....#.\n.#....#.\n.#....#.\n..#..#..\n...##...";
    let at = ("http://127.0.0.1:8402", url);
    // Nobody is there who could be asked.
    page.text(
        "joule pay http://127.0.0.1:8402 --model <model> --budget 5 --prompt",
        &[at, ("<model>", &model), ("Hello", drawn), ("--stream", "--stream --yes")],
    )
    .await;
    let many = [at, ("<model>", &*model), ("--requests 10000", "--requests 20")];
    let bought = page.json("joule pay http://127.0.0.1:8402 --model <model> --budget 5 --requests", &many).await;
    let channel = text(&bought["channel"]);
    let more = [("<channel> 10", &*format!("{channel} 10 --yes"))];
    page.json("joule channel top-up", &more).await;
    // Which gives notice in the end.
    page.json(
        "joule pay http://127.0.0.1:8402 --model <model> --budget 5 --channel",
        &[at, ("<model>", &model), ("<channel>", &channel)],
    )
    .await;
    let of_channel = &[("<channel>", &*channel)][..];

    // An honest provider, and one who is owed nothing.
    page.fails(3, "joule channel dispute <channel>", of_channel).await;
    page.fails(4, "joule channel claim-owed", of_channel).await;
    let table = world.address(Carol).to_string();
    page.fails(4, "joule channel reclaim-table", &[("<table>", &table)]).await;

    let address: Pubkey = channel.parse().expect("an address");
    let state: Channel = world.chain.get(&address).await.expect("a channel");
    for (name, cumulative) in [("one.voucher", 1_000_000), ("other.voucher", 2_000_000)] {
        write(folder, name, &promise(world, &address, &state, cumulative));
    }
    let convicted = page.json("joule channel dispute-payer", of_channel).await;
    assert!(convicted["forfeited"] != "0", "{convicted}");

    // Another channel, which is paid by the second until the provider pauses.
    let north = world.address(North);
    let opened = json(&page.also(&format!("joule channel open {model} 10 --provider {north} --yes")).await);
    let channel = text(&opened["channel"]);
    let of_channel = &[("<channel>", &*channel)][..];
    page.json("joule channel deposit", &[]).await;
    page.json("joule channel plan start", of_channel).await;
    page.json("joule channel plan pause", of_channel).await;
    page.json("joule channel plan settle", of_channel).await;
    page.json("joule channel plan terminate", of_channel).await;
    page.json("joule channel close", of_channel).await;
    page.json("joule channel reclaim", &[]).await;
}

/// Its whole bond is free a week after it was asked for.
async fn south_goes(page: &mut Page, world: &World) {
    page.also("joule provider bond unbond 90 --as south").await;
    let bond = world.bond(South).await;
    world.after(bond.unbonds_at.get()).await;
    page.also("joule provider bond withdraw --as south").await;
    let as_south = &[("--as north", "--as south")][..];
    page.json("joule provider bond close", as_south).await;
    page.json("joule provider retire", as_south).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_pages_are_typed_to_their_last_line() {
    let market = Market::open().await;
    let world = &market.world;
    let indexer = world.indexer("indexer", None).await;
    indexer.well().await;
    // Leaves a joule.toml for the next.
    let (gateway, _) = market.gateway("enabled = false", None).await;
    gateway.stop().await;
    let (rpc, grpc, mint) = (world.localnet.rpc_url(), world.localnet.grpc_url(), world.localnet.mint().to_string());
    let free = ("127.0.0.1:8600", "127.0.0.1:0");

    let (folder, env) = desk(world, &indexer, "gateway");
    std::fs::copy(world.folder.path().join("joule.toml"), folder.join("joule.toml")).expect("settings");
    let mut page = Page::open("gateway/README.md", folder, env);
    let north = world.address(North).to_string();
    let put = [("<model>", &*market.model().to_string()), ("<key>", &*north), ("--backing", "--yes --backing")];
    page.json("joule channel open", &put).await;
    page.text("joule-gateway check", &[]).await;
    page.text("joule-gateway settle", &[]).await;
    lives(&mut page, "joule-gateway run", &[], "joule-gateway: http").await;
    let module = root().join("workloads/digits/digits.wasm").display().to_string();
    let upstream = [free, ("upstream", &*format!("upstream --module {module}"))];
    // A model of the repository's, which nothing is lost of.
    let mut upstream = page.starts("joule-gateway upstream", &upstream);
    until("the model is there", async || upstream.log().contains("joule-gateway upstream: http").then_some(())).await;
    upstream.kill();
    page.ends();

    let (folder, mut env) = desk(world, &indexer, "indexer-page");
    let database = indexer.database.display().to_string();
    env.extend([
        ("JOULE_RPC", rpc.into()),
        ("JOULE_GRPC", grpc.into()),
        ("JOULE_INDEXER_DATABASE", database),
        ("JOULE_INDEXER_LISTEN", "127.0.0.1:0".into()),
    ]);
    let mut page = Page::open("indexer/README.md", folder, env);
    let other = ("joule-indexer", "joule-indexer --database other.sqlite");
    lives(&mut page, "joule-indexer", &[other], "joule-indexer: http").await;
    let (at, by) = (format!("--grpc {grpc}"), format!("--rpc {rpc}"));
    let put = [
        ("--grpc https://…", &*at),
        ("--x-token …", "--x-token token"),
        ("--rpc https://…", &*by),
        ("/var/lib/joule/indexer.sqlite", "third.sqlite"),
    ];
    lives(&mut page, "joule-indexer --grpc", &put, "joule-indexer: http").await;
    page.text("joule-indexer verify", &[]).await;
    page.text("joule-indexer backup", &[]).await;
    page.text("joule-indexer redecode", &[]).await;
    page.json("joule-indexer openapi", &[]).await;
    page.text("joule-indexer schema", &[]).await;
    page.text("joule-indexer export jobs --out jobs.parquet", &[]).await;
    page.json("joule-indexer check", &[]).await;
    let model = market.model().to_string();
    page.text("joule-indexer export jobs --out jobs.csv", &[]).await;
    page.text("joule-indexer export channels", &[]).await;
    page.text("joule-indexer export events", &[]).await;
    page.text("joule-indexer export accounts", &[]).await;
    page.text("joule-indexer export trail", &[("BL7gZ8GFASHUG7uopwvh5ayaR1Gpw6cv4GUobJCwARSA", &*model)]).await;
    page.ends();

    node(world, &indexer, &mint).await;
    indexer.process.stop().await;
    market.world.stop().await;
}

async fn node(world: &World, indexer: &Indexer, mint: &str) {
    let (folder, mut env) = desk(world, indexer, "node");
    env.extend([
        ("JOULE_RPC", world.localnet.rpc_url().into()),
        ("JOULE_ARTIFACTS", world.artifacts().display().to_string()),
    ]);
    std::fs::copy(world.key_file(North), folder.join("north.json")).expect("a key");
    write(&folder, "joule.toml", &format!("mint = '{mint}'\nkey = 'north.json'\nsymbol = 'JOULE'\n[node]\nlisten = '127.0.0.1:0'\nmin_price = '0.5 JOULE'\n"));
    let digits = root().join("workloads/digits");
    std::fs::copy(digits.join("digits.wasm"), folder.join("digits.wasm")).expect("a module");
    std::fs::copy(digits.join("data/test_images.bin"), folder.join("images.bin")).expect("an input");
    let mut page = Page::open("node/README.md", folder, env);
    page.json("joule-node check", &[]).await;
    page.text("joule-node exec --module", &[]).await;
    let posted =
        json(&page.also("joule job submit --as alice --module digits.wasm --input images.bin --budget 5").await);
    let job = text(&posted["job"]);
    let job = until("the indexer knows the job", async || indexer.api.job(&job).await.ok()).await;
    let expected = Hash::of(&std::fs::read(digits.join("data/expected.json")).expect("a result")).to_string();
    let put = [
        ("<hash> --input", &*format!("{} --input", job.spec_hash)),
        ("<hash>", &*job.input_hash),
        ("<result hash>", &*expected),
    ];
    page.text("joule-node exec --spec", &put).await;
    lives(&mut page, "joule-node run", &[], "metrics and health").await;
    lives(&mut page, "joule-node run --key", &[("<address>", mint)], "metrics and health").await;
    page.ends();
}
