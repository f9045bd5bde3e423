//! What is logged is for people and for programs that read logs: no field and no message is Rust's debug form, such as `Some(5)`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Whose code may log.
const FOLDERS: [&str; 6] = ["indexer/src", "node/src", "gateway/src", "localnet/src", "geyser/src", "crates"];
const MACROS: [&str; 5] = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// What stands between the parentheses, up to the one that closes them.
fn arguments(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (1, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// `?field`, `field = ?value`, `{:?}`, `{value:#?}`.
fn is_debug(arguments: &str) -> bool {
    let tight: String = arguments.split_whitespace().collect();
    let begins = arguments.trim_start().starts_with('?');
    begins || [",?", "=?", "(?", ":?}", ":#?}"].iter().any(|form| tight.contains(form))
}

#[test]
fn debug_forms_are_told_from_others() {
    for debug in ["?after, \"x\"", "%error, ?after", "code = ?status.code()", "\"{error:?}\"", "\"{:#?}\", x"] {
        assert!(is_debug(debug), "{debug}");
    }
    for other in ["%error, \"why?\"", "after, upto", "error = %text()?, \"x\"", "\"(really?)\""] {
        assert!(!is_debug(other), "{other}");
    }
    assert_eq!(arguments("a = f(1), \"never)\"); b)"), "a = f(1), \"never)\"");
}

#[test]
fn nothing_is_logged_in_rusts_debug_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&root.join(folder), &mut files);
    }
    files.retain(|path| !path.starts_with(root.join("crates/logs")));
    let (mut wrong, mut lines) = (Vec::new(), 0);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in MACROS.iter().flat_map(|name| text.match_indices(name)) {
            let inside = arguments(&text[at..][text[at..].find('(').unwrap() + 1..]);
            lines += 1;
            if is_debug(inside) {
                let line = text[..at].lines().count();
                wrong.push(format!("{}:{line}: {}", path.display(), inside.lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(lines > 100, "it looks at the services: {lines}");
    assert!(wrong.is_empty(), "write fields as `field` or `%field`:\n{}", wrong.join("\n"));
}
