//! A channel by hand: a plan on it, and a payer that is shown to have promised two things.

use super::Terminal;
use crate::support::{run, World};
use joule_localnet::Persona::North;
use joule_sdk::{
    billing::state::{Channel, Plan},
    instruction::billing,
    keys, pda,
    units::{Amount, UnixTime},
    voucher::{Domain, Format, Voucher},
    Pubkey, Signer,
};
use joule_x402::Signed;

/// A promise for the channel, signed by its session's key, as `joule channel dispute-payer` takes it.
pub fn promise(world: &World, channel: &Pubkey, state: &Channel, cumulative: u64) -> String {
    let file = world.state_dir().join("channels").join(channel.to_string()).join("session.json");
    let key = keys::read(&file).expect("the session's key");
    let message = Voucher {
        context: billing::context(Domain::Voucher, &state.genesis_hash, channel),
        sequence: 1.into(),
        cumulative: Amount::new(cumulative).into(),
        units: 1.into(),
        expires_at: UnixTime::new(state.session.expires_at.get()).into(),
        usage_root: [7; 32],
    };
    let signature = key.sign_message(message.as_bytes());
    let signed = Signed { message, signature: signature.as_ref().try_into().expect("64 bytes") };
    serde_json::to_value(signed).expect("JSON").as_str().expect("base64").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_and_double_promises_work_from_the_command_line() {
    let joule = Terminal::open().await;
    let world = &joule.world;
    joule.json(&["provider", "register", "--as", "north", "--gpu-model", "H100", "--gpu-count", "1"]).await;
    let model = joule.json(&["model", "create", "--as", "north"]).await["model"].as_str().expect("a model").to_owned();
    joule.json(&["model", "publish", &model, "--request", "0.01", "--as", "north"]).await;
    let north = world.address(North).to_string();
    let open = ["channel", "open", &model, "--provider", &north, "10", "--yes", "--as", "alice"];
    let opened = joule.json(&open).await;
    assert_eq!((&opened["cap"], &opened["cap_tokens"]), (&"10000000".into(), &"10".into()));
    let channel = opened["channel"].as_str().expect("a channel").to_owned();
    let address: Pubkey = channel.parse().expect("an address");

    // The notice must be paid for.
    let start = ["channel", "plan", "start", &channel, "0.001", "--notice", "1h", "--as", "alice"];
    let error = joule.fails(4, "refused", &start).await;
    let said = error["message"].as_str().expect("a message");
    assert!(said.starts_with("0 JOULE of the deposit is free, the notice comes to 3.6 JOULE"), "{said}");
    let nobody = ["channel", "plan", "pause", &channel, "--as", "north"];
    assert!(joule.fails(3, "not_found", &nobody).await["message"].as_str().expect("a message").contains("no plan"));
    joule.json(&["channel", "deposit", "10", "--as", "alice"]).await;
    let started = joule.json(&start).await;
    assert_eq!((&started["rate_tokens"], &started["lockup_tokens"]), (&"0.001".into(), &"3.6".into()));
    let again = joule.fails(4, "refused", &start).await;
    assert!(again["message"].as_str().expect("a message").contains("has a plan already"), "{again}");
    joule.fails(4, "refused", &["channel", "plan", "pause", &channel, "--as", "alice"]).await;
    joule.json(&["channel", "plan", "pause", &channel, "--as", "north"]).await;
    joule.json(&["channel", "plan", "resume", &channel, "--as", "alice"]).await;
    let ends = joule.json(&["channel", "plan", "terminate", &channel, "--as", "alice"]).await["ends_at"].as_i64();
    world.after(ends.expect("a moment") + 5).await;
    joule.json(&["channel", "plan", "settle", &channel, "--as", "bob"]).await;
    assert!(world.chain.find::<Plan>(&pda::plan(&address)).await.unwrap().is_none(), "it has ended");
    let reclaimed = joule.json(&["channel", "reclaim", "2", "--as", "alice"]).await;
    assert_eq!(reclaimed["reclaimed_tokens"], "2");

    // Two promises of one number; the same one twice is none.
    let state: Channel = world.chain.get(&address).await.unwrap();
    let [one, other] = [1_000_000, 2_000_000].map(|cumulative| promise(world, &address, &state, cumulative));
    let dispute = ["channel", "dispute-payer", &channel, &one];
    joule.fails(2, "input", &[&dispute[..], &[&one, "--as", "north"]].concat()).await;
    joule.fails(2, "input", &[&dispute[..], &["nonsense", "--as", "north"]].concat()).await;
    let convicted = joule.json(&[&dispute[..], &[&other, "--as", "north"]].concat()).await;
    assert_eq!((&convicted["forfeited"], &convicted["forfeited_tokens"]), (&"10000000".into(), &"10".into()));
    let error = joule.fails(4, "refused", &[&dispute[..], &[&other, "--as", "north"]].concat()).await;
    assert!(error["message"].as_str().expect("a message").contains("convicted"), "{error}");
    joule.fails(4, "refused", &["channel", "claim-owed", &channel, "--as", "north"]).await;
    let screen = joule.text(&["provider", "status", "--as", "north"]).await;
    assert!(screen.contains("1 H100") && screen.contains("not paid out yet"), "{screen}");
    assert!(run("joule", &["channel", "plan", "--help"]).await.status.success());
    joule.close().await;
}
