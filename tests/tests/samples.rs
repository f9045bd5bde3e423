//! Whatever a page tells its reader to type is run by something.

use joule_tests::pages::{self, Block};
use std::collections::BTreeSet;

/// Language, page, and what runs each such block of the page: a file that names the page.
const RUN: &[(&str, &str, &str)] = &[
    ("sh", "README.md", "Makefile"),
    ("sh", "deploy/README.md", "deploy/walk"),
    ("sh", "docs/runbook.md", "deploy/walk-runbook"),
    ("sh", "docs/sell-a-model.md", "Makefile"),
    ("sh", "docs/sell-machine-time.md", "Makefile"),
    ("sh", "fuzz/README.md", "Makefile"),
    ("sh", "store/README.md", "Makefile"),
    ("sh", "cli/README.md", "tests/tests/stories/typed.rs"),
    ("sh", "gateway/README.md", "tests/tests/stories/typed.rs"),
    ("sh", "indexer/README.md", "tests/tests/stories/typed.rs"),
    ("sh", "node/README.md", "tests/tests/stories/typed.rs"),
    ("toml", "cli/README.md", "tests/tests/stories/typed.rs"),
    ("toml", "indexer/README.md", "indexer/src/config.rs"),
    ("sql", "indexer/README.md", "indexer/src/store/tests/shards.rs"),
    ("rust", "crates/client/README.md", "crates/client/tests/it/page.rs"),
    ("ts", "sdk/ts/README.md", "sdk/ts/test/node/samples.ts"),
    ("json", "docs/wire.md", "crates/x402/tests/wire_page.rs"),
    ("json", "geyser/README.md", "geyser/src/config.rs"),
];

/// What no test machine has all of: read by the shell, and not run.
const READ: &[(&str, &str)] = &[
    ("benches/peers/README.md", "builds two other frameworks for half an hour: `make bench-peers`"),
    ("benches/replay/README.md", "wants release builds and millions of updates: `make bench-replay`"),
    ("findings/README.md", "installs libraries for minutes; each script fails by itself when it is no longer so"),
    ("geyser/README.md", "wants Solana's validator"),
];

/// What is shown, and typed by nobody.
const SHOWN: &str = "text";

fn blocks() -> Vec<Block> {
    let found: Vec<_> = pages::pages().iter().flat_map(|page| pages::blocks(page)).collect();
    assert!(found.len() > RUN.len(), "{} blocks", found.len());
    found
}

fn runner(block: &Block) -> Option<&'static str> {
    let by = RUN.iter().find(|(language, page, _)| (*language, *page) == (&*block.language, &*block.page));
    by.map(|(.., runner)| *runner)
}

fn is_read(block: &Block) -> bool {
    block.language == "sh" && READ.iter().any(|(page, _)| *page == block.page)
}

#[test]
fn every_sample_of_every_page_is_run_by_something() {
    let nobody = |block: &Block| block.language != SHOWN && runner(block).is_none() && !is_read(block);
    let wrong: Vec<_> = blocks()
        .iter()
        .filter(|block| nobody(block))
        .map(|block| {
            let Block { page, line, language, text } = block;
            let first = text.lines().next().unwrap_or_default();
            match language.as_str() {
                "" => format!(
                    "{page}:{line} does not say what it is in (```sh, or ```{SHOWN} for what is only shown): {first}"
                ),
                _ => {
                    format!("{page}:{line} is {language} that nothing runs: see RUN in tests/tests/samples.rs: {first}")
                }
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_said_to_run_a_page_names_it() {
    let there: BTreeSet<_> = blocks().into_iter().map(|block| (block.language, block.page)).collect();
    for (language, page, runner) in RUN {
        assert!(there.contains(&((*language).into(), (*page).into())), "{page} has no {language} any more");
        let file = pages::text(runner);
        let name = page.rsplit('/').next().expect("a name");
        let is_near = runner.starts_with(page.trim_end_matches(name)) && file.contains(name);
        assert!(file.contains(page) || is_near, "{runner} does not name {page}");
    }
    for (page, why) in READ {
        assert!(there.contains(&("sh".into(), (*page).into())), "{page} has no commands any more ({why})");
    }
}

#[test]
fn what_cannot_run_here_is_read_by_the_shell() {
    for block in blocks().iter().filter(|block| is_read(block)) {
        let read = std::process::Command::new("bash").args(["-n", "-c", &block.text]).output().expect("a shell");
        assert!(read.status.success(), "{}:{}: {}", block.page, block.line, String::from_utf8_lossy(&read.stderr));
    }
}

/// Both languages read the blocks that have a label.
#[test]
fn every_block_of_the_wire_page_is_an_example() {
    let page = pages::text("docs/wire.md");
    let examples = page.matches("<!-- example ").count();
    assert_eq!(
        pages::blocks("docs/wire.md").len(),
        examples,
        "a block without <!-- example NAME --> is read by no test"
    );
}
