//! Names and texts one after the other, since a table of addresses would have to be relocated, and the line that is made of them.

/// Of `COUNT` errors with numbers that follow each other; `BYTES` is what [`bytes`] says.
pub struct Named<const COUNT: usize, const BYTES: usize> {
    bytes: [u8; BYTES],
    /// Of each where its name and where its text ends; a name begins where the text before it ends.
    ends: [[u16; 2]; COUNT],
}

/// A line that no error is too long for.
const LINE: usize = 256;
const PARTS: [&str; 4] = ["AnchorError occurred. Error Code: ", ". Error Number: ", ". Error Message: ", "."];
const DIGITS: usize = 4;

/// Of all names and texts.
pub const fn bytes(list: &[(&str, &str)]) -> usize {
    let (mut sum, mut at) = (0, 0);
    while at < list.len() {
        sum += list[at].0.len() + list[at].1.len();
        at += 1;
    }
    sum
}

impl<const COUNT: usize, const BYTES: usize> Named<COUNT, BYTES> {
    /// Names with texts, made by the compiler, which refuses what would not fit into a line.
    pub const fn of(list: &[(&str, &str)]) -> Self {
        let mut named = Self { bytes: [0; BYTES], ends: [[0; 2]; COUNT] };
        let (mut end, mut at) = (0, 0);
        while at < COUNT {
            let start = end;
            let both = [list[at].0.as_bytes(), list[at].1.as_bytes()];
            let mut which = 0;
            while which < 2 {
                let mut byte = 0;
                while byte < both[which].len() {
                    named.bytes[end] = both[which][byte];
                    (end, byte) = (end + 1, byte + 1);
                }
                assert!(end <= u16::MAX as usize);
                named.ends[at][which] = end as u16;
                which += 1;
            }
            let fixed = PARTS[0].len() + PARTS[1].len() + DIGITS + PARTS[2].len() + PARTS[3].len();
            assert!(fixed + end - start <= LINE);
            at += 1;
        }
        named
    }

    fn get(&self, index: usize) -> Option<[&[u8]; 2]> {
        let [name, text] = self.ends.get(index)?.map(usize::from);
        let start = index.checked_sub(1).map_or(0, |before| usize::from(self.ends[before][1]));
        Some([self.bytes.get(start..name)?, self.bytes.get(name..text)?])
    }
}

/// Anchor's own errors that programs return as numbers; its others are the runtime's, which have names everywhere.
const ANCHORS: &[(&str, &str)] = &[
    ("ConstraintMut", "An account must be writable"),
    ("ConstraintHasOne", "An account does not name another one that it should"),
    ("ConstraintRaw", "A constraint of an account does not hold"),
    ("ConstraintRentExempt", "An account holds too few lamports to be exempt from rent"),
    ("ConstraintExecutable", "An account must be a program"),
    ("ConstraintClose", "An account cannot be closed into itself"),
    ("ConstraintAddress", "An account is not the one expected"),
    ("ConstraintZero", "An account must be fresh and zeroed"),
    ("ConstraintSpace", "An account does not have the size expected"),
    ("ConstraintAccountIsNone", "An account that may be left out is needed here"),
    ("ConstraintDuplicateMutableAccount", "One account is in two places, and may be written in one of them"),
];
static ANCHORS_NAMED: Named<{ ANCHORS.len() }, { bytes(ANCHORS) }> = Named::of(ANCHORS);
static ANCHORS_NUMBERS: [u16; ANCHORS.len()] = [2000, 2001, 2003, 2005, 2007, 2011, 2012, 2013, 2019, 2020, 2040];

/// Logs the error with this number, which is Anchor's or one of `own`, of which the first has the number `first`. Whether there is one.
pub fn log<const COUNT: usize, const BYTES: usize>(number: u32, first: u32, own: &Named<COUNT, BYTES>) -> bool {
    let found = match number.checked_sub(first) {
        Some(index) => own.get(index as usize),
        None => ANCHORS_NUMBERS
            .iter()
            .position(|known| u32::from(*known) == number)
            .and_then(|index| ANCHORS_NAMED.get(index)),
    };
    let Some([name, text]) = found else { return false };
    let digits = [1_000, 100, 10, 1].map(|place| b'0' + (number / place % 10) as u8);
    let mut line = [0; LINE];
    let mut end = 0;
    let [occurred, before_number, before_text, stop] = PARTS.map(str::as_bytes);
    for part in [occurred, name, before_number, &digits, before_text, text, stop] {
        line[end..end + part.len()].copy_from_slice(part);
        end += part.len();
    }
    say(&line[..end]);
    true
}

/// `line` is UTF-8.
fn say(line: &[u8]) {
    #[cfg(target_os = "solana")]
    // SAFETY: the bytes are the caller's.
    unsafe {
        anchor_lang::pinocchio::syscalls::sol_log_(line.as_ptr(), line.len() as u64);
    }
    #[cfg(not(target_os = "solana"))]
    let _ = line;
}
