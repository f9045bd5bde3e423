//! The list of named attacks in the README names tests that there are.

use std::path::Path;

#[test]
fn every_named_attack_is_a_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(here.join("README.md")).unwrap();
    let (_, list) = readme.split_once("## Attacks by name").unwrap();
    let mut tests = 0;
    for row in list.lines().filter(|line| line.contains(".rs` | `")) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, _, file, test, _] = cells[..] else { panic!("not a row of three cells: {row}") };
        let folder = if file.contains('/') { "tests" } else { "../gateway/tests/http" };
        let source = std::fs::read_to_string(here.join(folder).join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let is_test = ["#[test]\nfn", "#[tokio::test]\nasync fn"]
            .iter()
            .any(|start| source.contains(&format!("{start} {test}()")));
        assert!(is_test, "{file} has no test {test}");
        tests += 1;
    }
    assert!(tests > 0, "the README lists no attack");
}
