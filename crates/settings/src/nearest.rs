//! What somebody may have meant.

/// How alike two words must be, from 0 to 1, to be offered for one another.
const ALIKE: f64 = 0.75;

/// The likeness of words that one slip of the finger makes of each other, which in short ones is half of the word.
const SLIP: f64 = 0.9;

/// The known word that is most like `word`, if one is like it at all. Upper and lower case are alike.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| {
        let known = known.to_lowercase();
        let slip = if strsim::damerau_levenshtein(&word, &known) <= 1 { SLIP } else { 0.0 };
        strsim::jaro_winkler(&word, &known).max(slip)
    };
    let scored = known.into_iter().map(|known| (likeness(known), known)).filter(|(score, _)| *score >= ALIKE);
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

/// The end of a sentence about an unknown word: the nearest, or all there are.
pub fn or_nearest(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => format!("there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_what_was_meant_and_nonsense_finds_nothing() {
        let known = ["min_price", "max_jobs", "mint"];
        assert_eq!(nearest("min_prize", known), Some("min_price"));
        assert_eq!(nearest("MAXJOBS", known), Some("max_jobs"));
        assert_eq!(nearest("rcp", ["ws", "rpc", "grpc"]), Some("rpc"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(or_nearest("colour", &known), "there are min_price, max_jobs, mint");
    }
}
