//! The repository's pages, and what stands in their blocks.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use std::path::{Path, PathBuf};

pub struct Block {
    pub page: String,
    /// Of the page, from 1.
    pub line: usize,
    /// Nothing if it is indented or does not say.
    pub language: String,
    pub text: String,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page by its path, but for what is built, fetched or generated.
pub fn pages() -> Vec<String> {
    let mut found = Vec::new();
    below(Path::new(""), &mut found);
    found.sort();
    found
}

fn below(folder: &Path, found: &mut Vec<String>) {
    let here = root().join(folder);
    for entry in std::fs::read_dir(&here).unwrap_or_else(|error| panic!("{}: {error}", here.display())) {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("utf-8");
        let path = folder.join(&name);
        if entry.file_type().expect("a kind").is_dir() {
            if !["target", "node_modules", "dist", "generated"].contains(&&*name) && !name.starts_with('.') {
                below(&path, found);
            }
        } else if name.ends_with(".md") {
            found.push(path.display().to_string());
        }
    }
}

pub fn text(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

pub fn blocks(page: &str) -> Vec<Block> {
    let text = text(page);
    let mut found: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (event, range) in Parser::new(&text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                let line = text[..range.start].matches('\n').count() + 1;
                found.push(Block { page: page.to_owned(), line, language, text: String::new() });
                is_open = true;
            }
            Event::End(TagEnd::CodeBlock) => is_open = false,
            Event::Text(part) if is_open => found.last_mut().expect("it was begun").text.push_str(&part),
            _ => {}
        }
    }
    found
}

/// The commands of a page's shell blocks, one to a line, without their comments.
pub fn commands(page: &str) -> Vec<String> {
    let shell: String =
        blocks(page).into_iter().filter(|block| block.language == "sh").map(|block| block.text).collect();
    let joined = shell.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split(" #").next().unwrap_or(line).split_whitespace());
    lines.map(|words| words.collect::<Vec<_>>().join(" ")).filter(|line| !line.is_empty()).collect()
}
