//! What the README and SECURITY.md say of tests is so.

use std::{collections::BTreeSet, path::Path};

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

fn name(line: &str) -> Option<&str> {
    line.trim_start_matches("async ").strip_prefix("fn ")?.split_once('(').map(|(name, _)| name)
}

/// The names of the functions that are tests.
fn tests(code: &str) -> BTreeSet<&str> {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let is_test = |line: &str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    lines.windows(2).filter(|pair| is_test(pair[0])).filter_map(|pair| name(pair[1])).collect()
}

/// What somebody can, and cannot, by a row of the table: as many sentences as semicolons part.
fn of_row(row: &str) -> Vec<String> {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [who, can, cannot] = cells[..] else { panic!("not a row of three cells: {row}") };
    let say = |verb: &'static str, cell: &str| -> Vec<String> {
        cell.split("; ").filter(|clause| !clause.is_empty()).map(|clause| format!("{who} {verb} {clause}")).collect()
    };
    [say("can", can), say("cannot", cannot)].concat()
}

/// The sentences of a paragraph, or of a limit without the bold words that it is called by.
fn of_paragraph(text: &str) -> Vec<String> {
    let text = text.trim().trim_start_matches("- ");
    let said = text.strip_prefix("**").and_then(|text| text.split_once(".** ")).map_or(text, |(_, said)| said);
    said.replace("**", "").split_inclusive(". ").map(|sentence| sentence.trim().to_owned()).collect()
}

/// Every sentence of SECURITY.md but what is for reviewers.
fn sentences(security: &str) -> Vec<String> {
    let (stated, _) = security.split_once("## For reviewers").expect("a part for reviewers");
    let (mut found, mut paragraph) = (Vec::new(), String::new());
    for line in stated.lines() {
        let is_row = line.starts_with('|');
        if (is_row || line.is_empty() || line.starts_with("- ") || line.starts_with('#')) && !paragraph.is_empty() {
            found.extend(of_paragraph(&std::mem::take(&mut paragraph)));
        }
        match line {
            "| who | can | cannot |" | "|---|---|---|" => {}
            row if is_row => found.extend(of_row(row)),
            heading if heading.starts_with('#') => {}
            words => paragraph.extend([words.trim(), " "].into_iter().filter(|_| !words.is_empty())),
        }
    }
    found
}

/// A row of what shows SECURITY.md.
struct Shown<'a> {
    words: &'a str,
    /// None where no test can show it.
    tests: Vec<&'a str>,
    needs_tests: bool,
}

fn rows(text: &str) -> Vec<Shown<'_>> {
    let (by_tests, by_none) = text.split_once("## What no test can show").expect("what no test can show");
    let row = |line, needs_tests| {
        let (words, cell) = str::strip_prefix(line, "| ")?.rsplit_once(" | ")?;
        (words != "sentence").then(|| Shown { words, tests: cell.split('`').skip(1).step_by(2).collect(), needs_tests })
    };
    let shown = by_tests.lines().filter_map(|line| row(line, true));
    shown.chain(by_none.lines().filter_map(|line| row(line, false))).collect()
}

#[test]
fn every_sentence_of_security_is_shown_by_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let (stated, document) = (sentences(&read("SECURITY.md")), read("docs/what-shows-security.md"));
    let rows = rows(&document);
    let mut code = String::new();
    for folder in ["tests", "programs", "gateway", "node", "crates", "indexer", "store"] {
        sources(&root.join(folder), &mut code);
    }
    let known = tests(&code);
    let mut wrong = Vec::new();
    for sentence in &stated {
        if !rows.iter().any(|row| sentence.contains(row.words)) {
            wrong.push(format!("nothing shows: {sentence}"));
        }
    }
    for Shown { words, tests, needs_tests } in &rows {
        let fit = stated.iter().filter(|sentence| sentence.contains(words)).count();
        if fit != 1 {
            wrong.push(format!("{fit} sentences of SECURITY.md say: {words}"));
        }
        if tests.is_empty() == *needs_tests {
            wrong.push(format!("has tests, or none, in the wrong table: {words}"));
        }
        wrong.extend(tests.iter().filter(|test| !known.contains(*test)).map(|test| format!("there is no test {test}")));
    }
    assert!(wrong.is_empty(), "docs/what-shows-security.md says how to keep it:\n{}", wrong.join("\n"));
    assert!(stated.len() > 100 && rows.len() >= stated.len(), "{} sentences, {} rows", stated.len(), rows.len());
}
