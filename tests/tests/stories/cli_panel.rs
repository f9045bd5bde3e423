//! A panel by hand: enrolled for, drawn, voted in and appealed from with `joule dispute`.

use crate::{cli::Terminal, support::until};
use joule_artifacts::Hash;
use joule_localnet::Persona::{self, North, South, Uma, Vera, Wim};
use joule_sdk::{
    escrow::{constants::PANEL_EPOCH, state::Dispute},
    pda, Pubkey,
};
use serde_json::Value;

const RESOLVERS: [Persona; 4] = [South, Uma, Vera, Wim];

/// Those who were drawn for a round, by name.
fn drawn(joule: &Terminal, dispute: &Dispute) -> Vec<&'static str> {
    let first = if dispute.round == 0 { 0 } else { dispute.first_drawn };
    let members = &dispute.members[usize::from(first)..usize::from(dispute.drawn)];
    let name = |member: &Pubkey| RESOLVERS.into_iter().find(|who| joule.world.address(*who) == *member);
    members.iter().map(|member| name(member).expect("a resolver").name()).collect()
}

/// The members of the present round vote for this, but for so many that cannot run the job, and its time for that is over.
async fn votes(joule: &Terminal, job: &str, result: &str, unable: usize) {
    let place = pda::dispute(&job.parse().expect("an address"));
    let dispute: Dispute = joule.world.chain.get(&place).await.expect("a dispute");
    for (place, member) in drawn(joule, &dispute).into_iter().enumerate() {
        let says = if place < unable { &["--could-not-run"][..] } else { &["--result", result] };
        joule.json(&[&["dispute", "vote", job, "--as", member], says].concat()).await;
    }
    joule.world.after(dispute.commit_by.get()).await;
    for member in drawn(joule, &dispute) {
        joule.json(&["dispute", "reveal", job, "--as", member]).await;
    }
    joule.world.after(dispute.reveal_by.get()).await;
}

async fn shown(joule: &Terminal, job: &str, is: impl Fn(&Value) -> bool) -> Value {
    until("the indexer says so", async || {
        let case = joule.json(&["dispute", "show", job]).await;
        is(&case["dispute"]).then_some(case)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_is_enrolled_for_drawn_and_appealed_from_on_the_command_line() {
    let joule = Terminal::open().await;
    let world = &joule.world;
    world.register(North).await;
    joule.fails(3, "not_found", &["dispute", "panel", "--next"]).await;
    for resolver in RESOLVERS {
        joule.json(&["provider", "bond", "open", "50", "--as", resolver.name()]).await;
        joule.json(&["dispute", "enroll", "5", "--as", resolver.name()]).await;
    }
    let error = joule.fails(4, "refused", &["dispute", "enroll", "5", "--as", "uma"]).await;
    assert_eq!(error["name"], "AlreadyEnrolled");
    let next = joule.json(&["dispute", "panel", "--next"]).await;
    assert_eq!(next["resolvers"].as_array().map(Vec::len), Some(4));
    assert_eq!(next["resolvers"][0]["stake"], "5000000");
    joule.fails(3, "not_found", &["dispute", "panel"]).await;
    let left = joule.json(&["dispute", "unenroll", "--as", "uma"]).await;
    assert_eq!((&left["freed"], &left["locked"][0]["stake"]), (&serde_json::json!([]), &"5000000".into()));
    let begins = next["begins"].as_i64().expect("a moment");
    world.after(begins).await;
    assert!(joule.text(&["dispute", "panel"]).await.contains("5 JOULE"));

    // The first panel is wrong; the provider appeals, and is right.
    let (right, lie) = (Hash::of(b"the truth"), Hash::of(b"a lie").to_string());
    let args = ["job", "submit", "--as", "alice", "--module", &joule.module, "--input", &joule.input, "--budget", "2"];
    let terms = ["--verification", "panel", "--jurors", "1", "--vote-window", "1h", "--review-window", "1h"];
    let job = joule.json(&[&args[..], &terms].concat()).await["job"].as_str().expect("an address").to_owned();
    let address: Pubkey = job.parse().expect("an address");
    world.accept(North, address, 1_000_000).await;
    world.submit(North, address, right).await;
    joule.json(&["job", "challenge", &job, "--result", &lie, "--as", "carol"]).await;
    joule.json(&["dispute", "draw", &job, "--as", "bob"]).await;
    joule.fails(4, "refused", &["dispute", "draw", &job, "--as", "bob"]).await;
    let error = joule.fails(4, "refused", &["dispute", "vote", &job, "--result", &lie, "--as", "east"]).await;
    assert!(error["message"].as_str().expect("a message").contains("was not drawn"), "{error}");
    votes(&joule, &job, &lie, 0).await;
    let case = shown(&joule, &job, |dispute| dispute["votes"][0]["choice"] == "counter").await;
    assert_eq!(case["dispute"]["members"][0]["committed"], true);
    assert!(joule.text(&["dispute", "show", &job]).await.contains("for 2 JOULE"), "what an appeal costs");
    joule.fails(4, "refused", &["dispute", "appeal", &job, "--as", "carol"]).await;
    joule.json(&["dispute", "appeal", &job, "--as", "north"]).await;
    joule.json(&["dispute", "draw", &job, "--as", "bob"]).await;
    votes(&joule, &job, &right.to_string(), 1).await;
    let dispute: Dispute = world.chain.get(&pda::dispute(&address)).await.expect("a dispute");
    world.after(dispute.final_at.get()).await;
    joule.json(&["dispute", "resolve", &job, "--as", "bob"]).await;
    joule.json(&["dispute", "resolve", &job, "--as", "bob"]).await;
    let case = shown(&joule, &job, |dispute| dispute["status"] == "closed").await;
    assert_eq!((&case["dispute"]["verdict"], &case["dispute"]["appellant"]), (&"stands".into(), &"provider".into()));
    assert_eq!(case["dispute"]["members"].as_array().map(Vec::len), Some(4));
    let votes = case["dispute"]["votes"].as_array().expect("the votes");
    let unable: Vec<_> = votes.iter().filter(|vote| vote["choice"] == "undecided").collect();
    assert_eq!((unable.len(), &unable[0]["paid"], &unable[0]["slashed"]), (1, &"0".into(), &"0".into()));
    assert!(joule.text(&["dispute", "show", &job]).await.contains("could not run the job"));
    assert!(joule.text(&["dispute", "show", &job]).await.contains("the provider for 2 JOULE"));

    // Nobody can need the panel any more: stakes and rent come back.
    world.after(begins + PANEL_EPOCH + 38 * 24 * 60 * 60).await;
    let left = joule.json(&["dispute", "unenroll", "--as", "wim"]).await;
    // Whoever the lot has made vote for the lie has lost that much of its seat.
    let wim = world.address(Wim).to_string();
    let lost: u64 = votes
        .iter()
        .filter(|vote| vote["juror"] == wim.as_str())
        .map(|vote| vote["slashed"].as_str().expect("a number").parse::<u64>().expect("base units"))
        .sum();
    let stake = (5_000_000 - lost).to_string();
    assert_eq!((&left["freed"][0]["stake"], &left["locked"]), (&stake.into(), &serde_json::json!([])));
    // Anybody has what is past its end released, and sending money away does it by itself.
    let uma = world.address(Uma).to_string();
    let released = joule.json(&["provider", "bond", "release", "--owner", &uma, "--as", "bob"]).await;
    assert_eq!(released["claims"], 1);
    assert_eq!(world.bond(Uma).await.locked.get(), 0);
    let bond = joule.json(&["provider", "bond", "show", "--as", "vera"]).await;
    assert!(bond["releasable"] != "0" && bond["releasable"] == bond["locked"], "{bond}");
    joule.json(&["provider", "bond", "unbond", "48", "--as", "vera"]).await;
    assert_eq!(world.bond(Vera).await.locked.get(), 0);
    joule.indexer.equals_the_chain(world.localnet.rpc_url()).await;
    joule.close().await;
}
