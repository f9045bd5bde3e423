//! Work to be paid for: the handwritten digits, and small modules written by hand.

use super::root;
use joule_artifacts::{ArtifactStore, Bytes, Hash, JobSpec};
use joule_sdk::Pubkey;

/// The committed workload, its whole test set, and the answer.
pub struct Digits {
    pub module: Bytes,
    pub images: Bytes,
    pub expected: Bytes,
}

impl Digits {
    pub fn read() -> Self {
        let read = |name: &str| -> Bytes {
            let path = root().join("workloads/digits").join(name);
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
        };
        Self { module: read("digits.wasm"), images: read("data/test_images.bin"), expected: read("data/expected.json") }
    }
}

/// A job to be opened, with its windows in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub spec: Hash,
    pub input: Hash,
    /// Base units.
    pub budget: u64,
    pub accept_window: u32,
    /// 0 takes no bids.
    pub bid_window: u32,
    pub work_window: u32,
    pub review_window: u32,
    /// Votes that a quorum needs or seats of a panel, and the time of each step; 0 and 0 leave results to the client's review.
    pub jurors: u8,
    pub vote_window: u32,
    /// Who judges, if anybody does: a panel, not a quorum.
    pub by_panel: bool,
    pub per_second: bool,
    /// Who may take it and, in a quorum, judge it; none lets everybody.
    pub requirements: Option<Pubkey>,
}

impl Order {
    /// The handwritten digits, all of them.
    pub async fn digits(store: &ArtifactStore) -> Self {
        let digits = Digits::read();
        Self::stored(store, digits.module, digits.images, 1_000_000_000, 60_000).await
    }

    /// The same, judged by a quorum if somebody challenges the result.
    pub fn judged(self, jurors: u8, vote_window: u32) -> Self {
        Self { jurors, vote_window, ..self }
    }

    /// The same, judged by a panel, whose steps take an hour at least.
    pub fn panelled(self, jurors: u8) -> Self {
        Self { by_panel: true, review_window: 3_600, ..self.judged(jurors, 3_600) }
    }

    /// A job that nobody will run.
    pub fn for_show() -> Self {
        Self {
            spec: Hash::of(b"spec"),
            input: Hash::of(b"input"),
            budget: 1_000_000,
            accept_window: 3_600,
            bid_window: 0,
            work_window: 3_600,
            review_window: 3_600,
            jurors: 0,
            vote_window: 0,
            by_panel: false,
            per_second: false,
            requirements: None,
        }
    }

    /// Puts into the store what a provider needs.
    pub async fn stored(store: &ArtifactStore, module: Bytes, input: Bytes, fuel: u64, timeout_ms: u64) -> Self {
        let module = store.put(module).await.expect("the module is stored");
        let input = store.put(input).await.expect("the input is stored");
        let spec = JobSpec::new(module, fuel, 16 << 20, timeout_ms).expect("limits within range");
        let spec = store.put(spec.to_bytes()).await.expect("the spec is stored");
        Self { spec, input, budget: 2_000_000, work_window: 600, review_window: 3, ..Self::for_show() }
    }
}

/// A module that counts to `rounds` (about ten units of fuel and a few nanoseconds each) and answers its input.
pub fn counting(rounds: u64) -> Bytes {
    let text = format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "alloc") (param i32) (result i32) i32.const 1024)
            (func (export "run") (param $ptr i32) (param $len i32) (result i64)
                (local $left i64)
                (local.set $left (i64.const {rounds}))
                (loop $again
                    (local.set $left (i64.sub (local.get $left) (i64.const 1)))
                    (br_if $again (i64.ne (local.get $left) (i64.const 0))))
                (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                        (i64.extend_i32_u (local.get $len)))))"#
    );
    wat::parse_str(text).expect("a module").into()
}

/// A module that takes memory, page by page, until it gets no more.
pub fn gluttonous() -> Bytes {
    let text = r#"(module
        (memory (export "memory") 1)
        (func (export "alloc") (param i32) (result i32) i32.const 1024)
        (func (export "run") (param i32 i32) (result i64)
            (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
            i64.const 0))"#;
    wat::parse_str(text).expect("a module").into()
}

/// A module with so many tables of one element, that answers its input.
pub fn many_tables(number: usize) -> Bytes {
    let text = format!(
        r#"(module
            {}
            (memory (export "memory") 1)
            (func (export "alloc") (param i32) (result i32) i32.const 1024)
            (func (export "run") (param i32 i32) (result i64)
                (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
                        (i64.extend_i32_u (local.get 1)))))"#,
        "(table 1 funcref)".repeat(number)
    );
    wat::parse_str(text).expect("a module").into()
}
