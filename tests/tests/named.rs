//! What the README and SECURITY.md say of tests is so.

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

/// Every Rust file of a folder, and of those in it.
fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The first cells of a table's rows, and what bullets begin with, in bold or up to the first comma or full stop.
fn subjects(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let cell = line.strip_prefix("| ")?.split(" |").next()?.trim().to_owned();
        (!["who", "limit"].contains(&cell.as_str())).then_some(cell)
    };
    let bullet = |line: &str| Some(line.strip_prefix("- ")?.trim_start_matches("**").to_owned());
    text.lines().filter_map(|line| row(line).or_else(|| bullet(line))).collect()
}

#[test]
fn every_row_and_every_limit_of_security_is_shown_by_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let (security, shown) = (read("SECURITY.md"), read("docs/what-shows-security.md"));
    let (stated, _) = security.split_once("## For reviewers").unwrap();
    let named = subjects(&shown);
    for subject in subjects(stated) {
        assert!(named.iter().any(|name| subject.starts_with(name.as_str())), "nothing shows: {subject}");
    }
    for name in &named {
        assert!(
            subjects(stated).iter().any(|subject| subject.starts_with(name.as_str())),
            "SECURITY.md has no: {name}"
        );
    }
    let mut code = String::new();
    for folder in ["tests", "programs", "gateway", "node", "crates", "indexer"] {
        sources(&root.join(folder), &mut code);
    }
    let rows = shown.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let mut tests = 0;
    for test in rows.flat_map(|row| row.split(" | ").nth(1).unwrap().split('`').skip(1).step_by(2)) {
        assert!(code.contains(&format!("fn {test}(")), "there is no test {test}");
        tests += 1;
    }
    assert!(tests > 50, "{tests} tests");
}
