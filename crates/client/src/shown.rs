//! What strangers say, as it may stand on a terminal: they could have it hide, move and rewrite what else stands there.

use std::borrow::Cow;

/// Characters of a complaint that are passed on.
const MOST: usize = 1_000;

/// A line of a complaint, no longer than somebody reads.
pub fn line(text: &str) -> String {
    text.chars().filter(|c| !is_obeyed(*c)).take(MOST).collect()
}

/// Text of any length, with its lines and tabs.
pub fn text(text: &str) -> Cow<'_, str> {
    let is_left_out = |c: char| is_obeyed(c) && !matches!(c, '\n' | '\t');
    match text.contains(is_left_out) {
        true => Cow::Owned(text.replace(is_left_out, "")),
        false => Cow::Borrowed(text),
    }
}

/// Control characters, and those that turn the direction of writing.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        let hostile = "\u{1b}]0;mine\u{7}\u{1b}[2Ka\u{9b}31mb\r\u{8}\u{202e}c\n\td";
        assert_eq!(line(hostile), "]0;mine[2Ka31mbcd");
        assert_eq!(text(hostile), "]0;mine[2Ka31mbc\n\td");
        assert_eq!(text("ein Wört 數字\n"), "ein Wört 數字\n");
        assert_eq!(line(&"x".repeat(5_000)).len(), MOST);
    }
}
