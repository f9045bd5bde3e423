//! A page for people who open the address in a browser.

use std::fmt::Write as _;
use utoipa::openapi::OpenApi;

/// Lists every endpoint of the document.
pub fn page(document: &OpenApi) -> String {
    let mut rows = String::new();
    for (path, item) in &document.paths.paths {
        let summary = item.get.as_ref().and_then(|get| get.summary.as_deref()).unwrap_or_default();
        let name = if path.contains('{') { escape(path) } else { format!("<a href=\"{path}\">{}</a>", escape(path)) };
        // Writing into a String cannot fail.
        let _ = writeln!(rows, "<tr><td><code>{name}</code></td><td>{}</td></tr>", escape(summary));
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Joule indexer</title>\
         <style>body{{font:16px system-ui;margin:3rem auto;max-width:52rem;padding:0 1rem;color:#222}}\
         td{{padding:.4rem 1.5rem .4rem 0;vertical-align:top}}</style>\
         <h1>Joule indexer</h1><p>Described in <a href=\"/openapi.json\">OpenAPI 3.1</a>. \
         <a href=\"/v1/feed\"><code>/v1/feed</code></a> does not end.</p><table>{rows}</table></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
