//! Every error that a job can end in, and whose doing it is: as the README says, and none is missed.

use joule_artifacts::{ArtifactError, ArtifactStore, Hash, JobSpec};
use joule_node::{executor::ExecError, fault::Fault, kept::KeptError, runner::RunError};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What an enum of this file is made of.
fn variants(source: &str, name: &str) -> Vec<String> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).expect("the enum is here");
    let body = body.split("\n}").next().expect("it ends");
    let starts = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = starts.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names.map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect()).collect()
}

fn all_variants() -> BTreeSet<String> {
    let own = variants(include_str!("../src/executor.rs"), "ExecError");
    // Those that hold the others.
    let wrappers = ["Artifact", "Spec", "Run", "Kept"];
    assert!(wrappers.iter().all(|wrapper| own.iter().any(|name| name == wrapper)), "{own:?}");
    let own = own.into_iter().filter(|name| !wrappers.contains(&name.as_str()));
    own.chain(variants(include_str!("../src/runner/error.rs"), "RunError"))
        .chain(variants(include_str!("../src/kept.rs"), "KeptError"))
        .chain(variants(include_str!("../../crates/artifacts/src/store.rs"), "ArtifactError"))
        .chain(variants(include_str!("../../crates/artifacts/src/spec.rs"), "SpecError"))
        .collect()
}

/// The README's table: the error, and whose it is.
fn table() -> BTreeMap<String, String> {
    let rows = include_str!("../README.md").lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        Some((name.to_owned(), cells.nth(1)?.trim_end_matches(" |").to_owned()))
    });
    let all = all_variants();
    rows.filter(|(name, _)| all.contains(name)).collect()
}

async fn every() -> Vec<ExecError> {
    let folder = tempfile::tempdir().unwrap();
    let store = ArtifactStore::open(folder.path().to_str().unwrap()).unwrap();
    let (hash, location) = (Hash::of(b""), String::new());
    let missing = store.get(hash, 1).await.unwrap_err();
    std::fs::remove_dir_all(folder.path().join("sha256")).ok();
    for name in ["sha256", "incoming"] {
        std::fs::write(folder.path().join(name), "in the way").unwrap();
    }
    let artifacts = [
        missing,
        ArtifactError::HashMismatch { expected: hash, actual: hash, location },
        ArtifactError::TooLarge { hash, max_bytes: 0 },
        store.receive().write(&vec![0; 6 << 20]).await.unwrap_err(),
        store.put("").await.unwrap_err(),
    ];
    let spec = String::from_utf8(JobSpec::new(hash, 1, 65_536, 1).unwrap().to_bytes().to_vec()).unwrap();
    let zero = spec.replace(r#""fuel":1"#, r#""fuel":0"#);
    let specs = [" ".repeat(JobSpec::MAX_BYTES + 1), "{".into(), r#"{"version":2}"#.into(), zero];
    let specs = specs.map(|text| JobSpec::parse(text.as_bytes()).unwrap_err());
    let time = Duration::ZERO;
    let runs = [
        RunError::OutOfFuel { fuel: 0 },
        RunError::OutOfMemory { asked: 0, allowed: 0 },
        RunError::TableTooLarge { asked: 0, allowed: 0 },
        RunError::TooManyTables { asked: 0, allowed: 0 },
        RunError::TimedOut { timeout: time },
        RunError::OutOfMoney { paid: time },
        RunError::OutOfStack { during: "" },
        RunError::Trapped { during: "", trap: String::new() },
        RunError::ForbiddenImport { module: String::new(), name: String::new() },
        RunError::BadModule(String::new()),
        RunError::BadAbi(String::new()),
        RunError::OutputTooLarge { bytes: 0, allowed: 0 },
        RunError::Untranslatable(String::new()),
        RunError::SlowToCompile { allowed: time },
        RunError::Host(String::new()),
    ];
    let disk = KeptError::Disk { path: "".into(), cause: std::io::Error::other("") };
    let mut all = vec![ExecError::AboveLimit { hash, max_bytes: 0 }, disk.into()];
    all.push(ExecError::AsksTooMuch { what: "", asked: 1, allowed: 0 });
    all.push(KeptError::Full { needed: 1, most: 0 }.into());
    all.extend(artifacts.map(ExecError::from));
    all.extend(specs.map(ExecError::from));
    all.extend(runs.map(ExecError::from));
    all
}

/// The variant's name, without what holds it.
fn name(error: &ExecError) -> String {
    let text = format!("{error:?}");
    let inner = ["Artifact(", "Spec(", "Run(", "Kept("].iter().find_map(|wrapper| text.strip_prefix(wrapper));
    inner.unwrap_or(&text).chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[tokio::test]
async fn every_error_of_runner_and_artifacts_is_somebodys_and_the_readme_says_whose() {
    let (errors, table) = (every().await, table());
    let seen: BTreeSet<_> = errors.iter().map(name).collect();
    assert_eq!(seen, all_variants(), "one of each is tried");
    assert_eq!(table.keys().cloned().collect::<BTreeSet<_>>(), seen, "and each is in the README's table");
    let mut words = BTreeSet::new();
    for error in &errors {
        let said = match error.fault() {
            Fault::Theirs(word) => {
                words.insert(word);
                format!("theirs, `{word}`")
            }
            Fault::Beyond => "beyond this node".into(),
            Fault::Ours => "ours".into(),
        };
        assert_eq!(table[&name(error)], said, "{error:?}");
    }
    assert_eq!(words.len(), 15, "{words:?}");
}
