//! Settings that are looked at against the real things, by the services themselves and through the command line.

use crate::support::{nobody, root, run, until, Market, Process, World};
use joule_localnet::Persona;
use serde_json::Value;
use std::process::Output;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A file of settings for North, with every section that a service has.
fn settings(world: &World, gateway: &str, indexer: &str) -> String {
    let path = world.folder.path().join("all.toml");
    let text = format!(
        "rpc = '{rpc}'\ngrpc = '{grpc}'\nartifacts = '{artifacts}'\nkey = '{key}'\nmint = '{mint}'\nsymbol = 'JOULE'\n\
         [node]\nmin_price = '0.5 JOULE'\nlisten = 'off'\n[indexer]\nurl = '{indexer}'\ndatabase = 'checked.sqlite'\n\
         [store]\nlisten = '127.0.0.1:0'\nmin_free = '0 B'\n{gateway}",
        rpc = world.localnet.rpc_url(),
        grpc = world.localnet.grpc_url(),
        artifacts = world.artifacts().display(),
        key = world.key_file(Persona::North).display(),
        mint = world.localnet.mint(),
    );
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn sections(market: &Market, upstream: &str) -> String {
    format!(
        "[gateway]\nlisten = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1/'\nledger = 'checked-ledger.sqlite'\n\
         [[gateway.model]]\nname = 'digits'\nmodel = '{}'\nprices = ['{}']\nupstream = '{upstream}'\n",
        market.model(),
        market.prices,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_good_are_said_to_be_so_with_what_would_be_done() {
    let market = Market::open().await;
    let world = &market.world;
    let indexer = world.indexer("indexer", None).await;
    let file = settings(world, &sections(&market, market.upstream()), &indexer.url);
    let output = run("joule", &["config", "check", "--config", &file]).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for word in [
        "the node would run",
        "the gateway would run",
        "the indexer would run",
        "the store would run",
        "at least 0.5 JOULE",
        "escrow may lock",
    ] {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
    let output = run("joule", &["config", "check", "--json", "--config", &file]).await;
    let reports: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(reports.as_array().expect("a list").iter().all(|report| report["ok"] == true), "{reports}");
    indexer.process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_is_said_with_what_to_do_and_a_start_is_refused_in_the_same_words() {
    let market = Market::open_without_bond().await;
    let world = &market.world;
    let silent = nobody();
    let file = settings(world, &sections(&market, &format!("http://{silent}/v1")), &format!("http://{silent}"));

    let output = run("joule-node", &["check", "--config", &file]).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("joule provider bond open"), "{}", said(&output));

    let output = run("joule-gateway", &["check", "--config", &file]).await;
    assert_eq!(output.status.code(), Some(0), "an upstream may come later: {}", said(&output));
    assert!(said(&output).contains("warning  upstream of \"digits\""), "{}", said(&output));

    // Alice is no provider.
    let alice = world.key_file(Persona::Alice).display().to_string();
    let words = "is not registered; `joule provider register`, with this key";
    for command in ["check", "run"] {
        let output = run("joule-gateway", &[command, "--config", &file, "--key", &alice]).await;
        assert_eq!(output.status.code(), Some(1), "{command}: {}", said(&output));
        assert!(said(&output).contains(words), "{command}: {}", said(&output));
    }
    let none = world.folder.path().join("none.json").display().to_string();
    for (service, command) in [("node", "check"), ("node", "run"), ("gateway", "check"), ("gateway", "run")] {
        let output = run(&format!("joule-{service}"), &[command, "--config", &file, "--key", &none]).await;
        assert_eq!(output.status.code(), Some(2), "{service} {command}: {}", said(&output));
        assert!(
            said(&output).contains("none.json is not there; make one by"),
            "{service} {command}: {}",
            said(&output)
        );
    }
    let output = run("joule-indexer", &["check", "--config", &file, "--grpc", &format!("http://{silent}")]).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("waits    grpc"), "{}", said(&output));
    // It looks at the same when it starts: what can only be wrong ends it, what may come it waits for.
    let text = world.folder.path().join("text.sqlite");
    std::fs::write(&text, "no database").unwrap();
    let text = text.display().to_string();
    let grpc = ["--grpc", &format!("http://{silent}"), "--listen", "127.0.0.1:0"];
    let output = run("joule-indexer", &[&["run", "--config", &file, "--database", &text], &grpc[..]].concat()).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("database: ") && said(&output).contains("text.sqlite"), "{}", said(&output));
    let new = format!("{text}.new");
    let args = [&["run", "--config", &file, "--database", &new], &grpc[..]].concat();
    let mut indexer = Process::start(world.folder.path(), "waiting", "joule-indexer", &args, &[]);
    until("it says what it waits for", async || {
        assert!(indexer.status().is_none(), "{}", indexer.log());
        (indexer.log().contains("grpc: ") && indexer.log().contains("joule-indexer: http")).then_some(())
    })
    .await;
    indexer.stop().await;
}

/// What a newcomer has in hands: its form is good, and nothing that it names is there.
#[tokio::test]
async fn the_untouched_example_has_a_good_form_and_is_not_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("joule.toml").display().to_string();
    std::fs::copy(root().join("joule.example.toml"), &file).unwrap();
    let output = run("joule", &["config", "check", "--offline", "--config", &file]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let rpc = format!("http://{}", nobody());
    for service in ["joule-node", "joule-gateway"] {
        let output = run(service, &["check", "--config", &file, "--rpc", &rpc]).await;
        assert_eq!(output.status.code(), Some(2), "{service}: {}", said(&output));
        assert!(said(&output).contains("north.json is not there; make one by"), "{service}: {}", said(&output));
    }
    let output = run("joule", &["config", "check", "--config", &file]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[tokio::test]
async fn a_slip_is_answered_with_what_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("joule.toml").display().to_string();
    for (text, words) in [
        ("[node]\nmin_prize = '1 JOULE'\n", "line 2: unknown setting `min_prize`: did you mean \"min_price\"?"),
        ("[node]\nmin_price = 5\n", "say what it is of"),
        ("[node]\npoll = 5\n", "5 says no unit"),
        ("[gatway]\n", "did you mean \"gateway\"?"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = run("joule", &["config", "check", "--config", &file]).await;
        assert_eq!(output.status.code(), Some(2), "{text}: {}", said(&output));
        assert!(said(&output).contains(words), "{text}: {}", said(&output));
    }
}
