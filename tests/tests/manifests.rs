//! What `make test` leaves out holds no tests: doc tests, and targets that say `test = false`. Every one of them would cost a build.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files below a folder that end so, without what is built or fetched.
fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", "workloads"].contains(&name.as_str()) && !name.starts_with('.') {
                files(&path, end, found);
            }
        } else if name.ends_with(end) {
            found.push(path);
        }
    }
}

fn below(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(folder, end, &mut found);
    assert!(!found.is_empty(), "nothing in {} ends with {end}", folder.display());
    found
}

#[test]
fn examples_in_doc_comments_are_text() {
    for file in below(&root(), ".rs") {
        let mut is_open = false;
        for line in std::fs::read_to_string(&file).unwrap().lines().map(str::trim_start) {
            let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            if let Some(kind) = comment.and_then(|text| text.trim_start().strip_prefix("```")) {
                assert!(is_open || kind == "text", "{}: nobody runs this example; make it a test", file.display());
                is_open = !is_open;
            }
        }
    }
}

/// The sources of a target: a library's are the folder's, a program's its file's and those of the modules that it names.
fn sources(crate_root: &Path, section: &str) -> Vec<PathBuf> {
    let src = crate_root.join("src");
    if section == "lib" || !src.join("lib.rs").exists() {
        return below(&src, ".rs");
    }
    let main = src.join("main.rs");
    let text = std::fs::read_to_string(&main).unwrap();
    let modules = text.lines().filter_map(|line| line.trim().strip_prefix("mod ")?.strip_suffix(';'));
    let mut found: Vec<_> = modules.map(|name| src.join(format!("{name}.rs"))).filter(|path| path.exists()).collect();
    found.push(main);
    found
}

#[test]
fn a_target_that_is_not_tested_has_no_tests() {
    let mut untested = 0;
    for manifest in below(&root(), "Cargo.toml") {
        let text = std::fs::read_to_string(&manifest).unwrap();
        let sections = text.split("\n[").filter(|section| section.lines().any(|line| line == "test = false"));
        for section in sections {
            let name = section.trim_start_matches('[').split(']').next().unwrap();
            if name == "test" {
                continue;
            }
            untested += 1;
            for file in sources(manifest.parent().unwrap(), name) {
                let has_tests =
                    std::fs::read_to_string(&file).unwrap().lines().any(|line| line.trim() == "#[cfg(test)]");
                assert!(!has_tests, "{} is tested by nobody: {} says test = false", file.display(), manifest.display());
            }
        }
    }
    assert!(untested > 10, "{untested} targets");
}
