//! What `--help`, manual pages and completions say: the commands, each with examples that are parsed by a test.

use crate::{failure::Failure, Cli};
use anyhow::Context as _;
use clap::CommandFactory as _;
use std::path::Path;

/// By command; `$NAME` stands for an address.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("", &["joule demo", "joule job submit --module work.wasm --input data.bin --budget 2.5 --watch --as alice"]),
    (
        "job submit",
        &[
            "joule job submit --module work.wasm --input data.bin --budget 2.5 --watch --output result.bin",
            "joule job submit --module work.wasm --input data.bin --budget 20 --verification panel --vote-window 1h",
            "joule job submit --module work.wasm --input data.bin --budget 20 --per-second 0.01 --work-window 2h --timeout 1h",
        ],
    ),
    ("job show", &["joule job show $JOB", "joule job show $JOB --json"]),
    ("job list", &["joule job list --mine --as alice", "joule job list --status open --limit 50"]),
    ("job watch", &["joule job watch $JOB --output result.bin"]),
    ("job approve", &["joule job approve $JOB --as alice"]),
    ("job challenge", &["joule job challenge $JOB --result right.bin --as carol"]),
    ("job cancel", &["joule job cancel $JOB --as alice"]),
    ("job bids", &["joule job bids $JOB"]),
    ("job pick", &["joule job pick $JOB $PROVIDER --as alice"]),
    ("job stop", &["joule job stop $JOB --as alice"]),
    ("job pay", &["joule job pay $JOB"]),
    ("job fail", &["joule job fail $JOB"]),
    ("job crank", &["joule job crank $JOB"]),
    ("job redirect", &["joule job redirect $JOB --to $ACCOUNT --as alice"]),
    ("job withdraw-bid", &["joule job withdraw-bid $JOB --provider $PROVIDER"]),
    ("job requirements retire", &["joule job requirements retire $REQUIREMENTS --as alice"]),
    ("job requirements close", &["joule job requirements close $REQUIREMENTS"]),
    (
        "provider register",
        &[
            "joule provider register --cpu-cores 8 --memory 16GiB --region eu-west --capacity 4 --as north",
            "joule provider register --gpu-model H100 --gpu-count 8 --vram 80GiB --region na-east",
        ],
    ),
    ("provider status", &["joule provider status --as north", "joule provider status --set paused --as north"]),
    ("provider retire", &["joule provider retire --as north"]),
    ("provider bond open", &["joule provider bond open 100 --as north", "joule provider bond open 100 --withdrawer $COLD"]),
    ("provider bond services", &["joule provider bond services --unname billing --as north"]),
    ("provider bond deposit", &["joule provider bond deposit 10 --owner $OWNER --as bob"]),
    ("provider bond unbond", &["joule provider bond unbond 20 --as north", "joule provider bond unbond --cancel --as north"]),
    ("provider bond withdraw", &["joule provider bond withdraw --as north"]),
    ("provider bond release", &["joule provider bond release --owner $OWNER --as bob"]),
    ("provider bond close", &["joule provider bond close --as north"]),
    ("provider bond show", &["joule provider bond show --as north"]),
    ("model create", &["joule model create --royalty 5 --as north", "joule model create --base $MODEL"]),
    ("model update", &["joule model update $MODEL --metadata card.json"]),
    ("model retire", &["joule model retire $MODEL", "joule model retire $MODEL --undo"]),
    ("model publish", &["joule model publish $MODEL --input 0.5 --output 1.5 --as north", "joule model publish $MODEL --request 0.01 --share $OWNER=2.5"]),
    ("model show", &["joule model show $MODEL"]),
    ("model list", &["joule model list --status active"]),
    ("dispute list", &["joule dispute list --status voting"]),
    ("dispute show", &["joule dispute show $JOB"]),
    ("dispute vote", &["joule dispute vote $JOB --result right.bin --as uma", "joule dispute vote $JOB --could-not-run --as uma"]),
    ("dispute reveal", &["joule dispute reveal $JOB --as uma"]),
    ("dispute draw", &["joule dispute draw $JOB"]),
    ("dispute appeal", &["joule dispute appeal $JOB --as alice"]),
    ("dispute resolve", &["joule dispute resolve $JOB"]),
    ("dispute enroll", &["joule dispute enroll 100 --as uma"]),
    ("dispute unenroll", &["joule dispute unenroll --as uma"]),
    ("dispute panel", &["joule dispute panel --next"]),
    ("stake add", &["joule stake add 1000 --lock 90d --as alice"]),
    ("stake extend", &["joule stake extend --lock 180d --as alice"]),
    ("stake unstake", &["joule stake unstake 1000 --as alice"]),
    ("stake withdraw", &["joule stake withdraw --as alice"]),
    ("stake claim", &["joule stake claim --as alice"]),
    ("stake show", &["joule stake show --owner $OWNER"]),
    ("attest issue", &["joule attest issue $SUBJECT --schema 3 --valid 90d --document audit.pdf --as carol"]),
    ("attest revoke", &["joule attest revoke $SUBJECT --schema 3 --as carol"]),
    ("attest show", &["joule attest show $SUBJECT"]),
    ("attestor admit", &["joule attestor admit $ATTESTOR --as authority"]),
    ("attestor disable", &["joule attestor disable $ATTESTOR --as authority"]),
    ("attestor enable", &["joule attestor enable $ATTESTOR --as authority"]),
    (
        "pay",
        &[
            "joule pay http://127.0.0.1:8402 --model $MODEL --budget 5 --prompt Hello --stream --as alice",
            "joule pay http://127.0.0.1:8402 --model $MODEL --budget 5 --requests 1000 --concurrency 16 --body questions.jsonl --keep --yes",
        ],
    ),
    ("channel list", &["joule channel list --status open"]),
    ("channel show", &["joule channel show $CHANNEL"]),
    ("channel open", &["joule channel open $MODEL --provider $AUTHORITY 10 --session 7d --as alice"]),
    ("channel top-up", &["joule channel top-up $CHANNEL 10 --yes"]),
    ("channel close", &["joule channel close $CHANNEL --as alice"]),
    ("channel deposit", &["joule channel deposit 10 --as alice"]),
    ("channel reclaim", &["joule channel reclaim --as alice", "joule channel reclaim 2.5"]),
    (
        "channel dispute",
        &["joule channel dispute $CHANNEL --as alice", "joule channel dispute $CHANNEL --proof proof.json --as alice"],
    ),
    ("channel dispute-payer", &["joule channel dispute-payer $CHANNEL one.voucher other.voucher --as north"]),
    ("channel reclaim-table", &["joule channel reclaim-table $TABLE --as alice"]),
    ("channel claim-owed", &["joule channel claim-owed $CHANNEL --as north"]),
    ("channel plan start", &["joule channel plan start $CHANNEL 0.001 --notice 1d --as alice"]),
    ("channel plan pause", &["joule channel plan pause $CHANNEL --as north"]),
    ("channel plan resume", &["joule channel plan resume $CHANNEL --as alice"]),
    ("channel plan terminate", &["joule channel plan terminate $CHANNEL --as alice"]),
    ("channel plan settle", &["joule channel plan settle $CHANNEL"]),
    ("revenue", &["joule revenue --by day --from 2026-01-01", "joule revenue --by model --limit 10"]),
    ("index status", &["joule index status"]),
    ("localnet", &["joule localnet", "joule localnet --reset", "joule localnet time-travel 3h"]),
    ("localnet time-travel", &["joule localnet time-travel 3h", "joule localnet time-travel '7d 1h'"]),
    ("demo", &["joule demo", "joule demo --keep"]),
    ("config check", &["joule config check", "joule config check --config joule.toml --offline"]),
    ("completions", &["joule completions bash"]),
    ("man", &["joule man ~/.local/share/man/man1"]),
];

/// The whole command line.
pub fn command() -> clap::Command {
    with_examples(Cli::command(), "")
}

/// Those of its own, or else of what is below it.
fn examples(path: &str) -> Vec<&'static str> {
    let own = EXAMPLES.iter().find(|(of, _)| *of == path).map(|(_, lines)| lines.to_vec());
    own.unwrap_or_else(|| {
        let below = EXAMPLES.iter().filter(|(of, _)| of.strip_prefix(path).is_some_and(|rest| rest.starts_with(' ')));
        below.filter_map(|(_, lines)| lines.first().copied()).take(3).collect()
    })
}

fn with_examples(command: clap::Command, path: &str) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut command = command;
    for name in names {
        let below = format!("{path} {name}").trim().to_owned();
        command = command.mut_subcommand(name, |sub| with_examples(sub, &below));
    }
    match examples(path) {
        lines if lines.is_empty() => command,
        lines => {
            let lines: Vec<String> = lines.into_iter().map(folded).collect();
            command.after_help(format!("Examples:\n  {}", lines.join("\n  ")))
        }
    }
}

/// As much as a terminal shows in a line; a shell reads the rest on.
const WIDTH: usize = 84;

fn folded(line: &str) -> String {
    let (mut whole, mut width) = (String::new(), 0);
    for (place, word) in line.split(' ').enumerate() {
        if place > 0 && word.starts_with("--") && width + word.len() > WIDTH - 16 {
            whole.push_str(" \\\n      ");
            width = 6;
        } else if place > 0 {
            whole.push(' ');
        }
        whole.push_str(word);
        width += word.len() + 1;
    }
    whole
}

/// Whether programs read what is said, before the arguments are understood.
pub fn wants_json() -> bool {
    let said = std::env::args_os().any(|arg| arg == "--json");
    said || std::env::var("JOULE_JSON").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no" | "off"))
}

/// What is wrong, without how a command is used.
pub fn first_lines(message: &str) -> String {
    let first = message.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A manual page for each command.
pub fn man(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    clap_mangen::generate_to(command(), folder).with_context(|| format!("writing into {}", folder.display()))?;
    println!("manual pages are in {}; `man -l {}/joule.1` shows the first", folder.display(), folder.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "So11111111111111111111111111111111111111112";

    /// Words as a shell has them.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (Vec::new(), false);
        let mut word = String::new();
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(std::mem::take(&mut word)),
                c => word.push(c),
            }
        }
        words.push(word);
        let address = |word: String| match word.split_once('$') {
            Some((before, name)) => {
                let rest = name.trim_start_matches(|c: char| c.is_ascii_uppercase());
                format!("{before}{ADDRESS}{rest}")
            }
            None => word,
        };
        words.into_iter().map(address).collect()
    }

    fn every(command: &clap::Command, path: &str, see: &mut impl FnMut(&clap::Command, &str)) {
        see(command, path);
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            every(sub, format!("{path} {}", sub.get_name()).trim(), see);
        }
    }

    #[test]
    fn every_command_has_an_example_in_its_help_and_every_example_is_understood() {
        let mut seen = std::collections::BTreeSet::new();
        every(&command(), "", &mut |command, path| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("  joule "), "`joule {path}` has no example");
            seen.insert(path.to_owned());
        });
        for (path, lines) in EXAMPLES {
            assert!(seen.contains(*path), "there is no `joule {path}`");
            for line in *lines {
                assert!(line.starts_with(format!("joule {path}").trim_end()), "{line} is of `joule {path}`");
                if let Err(error) = command().try_get_matches_from(words(line)) {
                    panic!("{line}: {error}");
                }
            }
        }
    }

    #[test]
    fn global_options_come_last_and_everything_is_explained() {
        every(&command(), "", &mut |command, path| {
            for arg in command.get_arguments().filter(|arg| arg.is_global_set()) {
                assert_eq!(arg.get_help_heading(), Some("Global options"), "joule {path}: {arg}");
            }
        });
        let mut all = command();
        let help = all.render_long_help().to_string();
        let [own, global] = ["\nOptions:", "\nGlobal options:"].map(|heading| help.find(heading).unwrap());
        assert!(own < global, "{help}");
    }

    #[test]
    fn a_long_example_goes_on_in_the_next_line() {
        let long = EXAMPLES.iter().flat_map(|(_, lines)| *lines).max_by_key(|line| line.len()).unwrap();
        let shown = folded(long);
        assert!(shown.contains(" \\\n") && shown.lines().all(|line| line.len() <= 100), "{shown}");
        assert_eq!(shown.replace(" \\\n      ", " "), *long);
        assert_eq!(folded("joule demo"), "joule demo");
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        let error = command().try_get_matches_from(["joule", "job", "show", "nonsense"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let line = first_lines(&error.to_string());
        assert!(line.contains("'nonsense'") && line.ends_with("an address is 32 bytes in base58"), "{line}");
    }
}
