//! From hashes in a real store to the hash of an output, and everything that may be wrong with what lies there.

use joule_artifacts::{ArtifactError, ArtifactStore, Bytes, Hash, JobSpec};
use joule_node::{
    chain::Address,
    executor::{Answer, Bounds, ExecError, Executor, Tie, Wanted},
    fault::Fault,
    kept::Kept,
    runner::Runner,
};
use std::time::Duration;
use tempfile::TempDir;

/// Answers its input.
const ECHO: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) i32.const 1024)
    (func (export "run") (param i32 i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))"#;

struct World {
    folder: TempDir,
    store: ArtifactStore,
    executor: Executor,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = ArtifactStore::open(folder.path().to_str().unwrap()).unwrap();
        let bounds = Bounds { max_module_bytes: 1000, max_input_bytes: 1000, ..Bounds::widest() };
        let executor = Executor::new(store.clone(), Runner::new().unwrap(), bounds);
        Self { folder, store, executor }
    }

    async fn module(&self, wat: &str) -> Hash {
        self.store.put(wat::parse_str(wat).unwrap()).await.unwrap()
    }

    /// Everything a node does with a job, but for the chain.
    async fn run(&self, module: Hash, input: Hash) -> Result<Hash, ExecError> {
        let spec = JobSpec::new(module, 100_000, 65_536, 60_000).unwrap();
        let spec = self.store.put(spec.to_bytes()).await.unwrap();
        let spec = self.executor.spec(spec).await?;
        let prepared = self.executor.prepare(spec, input, Tie::Free).await?;
        let answer = self.executor.answer(prepared, None).await?;
        answer.run?;
        self.executor.store(answer.bytes).await
    }

    /// A job of this module.
    async fn job(&self, module: Hash, input: Hash) -> Wanted {
        let spec = JobSpec::new(module, 100_000, 65_536, 60_000).unwrap();
        let spec = self.store.put(spec.to_bytes()).await.unwrap();
        Wanted { job: Address::new_from_array([7; 32]), spec, input }
    }

    fn path(&self, hash: Hash) -> std::path::PathBuf {
        self.folder.path().join("sha256").join(hash.to_string())
    }
}

#[tokio::test]
async fn the_output_lies_in_the_store_under_the_hash_that_is_submitted() {
    let world = World::new();
    let module = world.module(ECHO).await;
    let input = world.store.put("hello").await.unwrap();
    let result = world.run(module, input).await.unwrap();
    assert_eq!(result, Hash::of(b"hello"));
    assert_eq!(world.store.get(result, 100).await.unwrap(), "hello");
    assert_eq!(world.run(module, input).await.unwrap(), result, "a second run gives the same");
}

#[tokio::test]
async fn what_is_missing_may_still_come() {
    let world = World::new();
    let nothing = Hash::of(b"never stored");
    let error = world.executor.spec(nothing).await.unwrap_err();
    assert!(matches!(&error, ExecError::Artifact(ArtifactError::NotFound { .. })) && error.fault() == Fault::Ours);
    let input = world.store.put("x").await.unwrap();
    for error in
        [world.run(nothing, input).await.unwrap_err(), world.run(world.module(ECHO).await, nothing).await.unwrap_err()]
    {
        assert!(
            matches!(&error, ExecError::Artifact(ArtifactError::NotFound { hash, .. }) if *hash == nothing),
            "{error}"
        );
        assert_eq!(error.fault(), Fault::Ours);
    }
}

#[tokio::test]
async fn a_forged_input_is_not_run() {
    let world = World::new();
    let module = world.module(ECHO).await;
    let input = world.store.put("honest").await.unwrap();
    std::fs::write(world.folder.path().join("sha256").join(input.to_string()), "forged").unwrap();
    let error = world.run(module, input).await.unwrap_err();
    assert!(matches!(error, ExecError::Artifact(ArtifactError::HashMismatch { .. })), "{error}");
}

#[tokio::test]
async fn a_forged_module_is_not_run() {
    let world = World::new();
    let module = world.module(ECHO).await;
    let evil = wat::parse_str(ECHO.replace("1024", "2048")).unwrap();
    std::fs::write(world.folder.path().join("sha256").join(module.to_string()), evil).unwrap();
    let input = world.store.put("x").await.unwrap();
    let error = world.run(module, input).await.unwrap_err();
    assert!(matches!(error, ExecError::Artifact(ArtifactError::HashMismatch { .. })), "{error}");
}

#[tokio::test]
async fn inputs_and_modules_above_the_nodes_limits_are_refused_for_good() {
    let world = World::new();
    let large = world.store.put(Bytes::from(vec![0; 1001])).await.unwrap();
    let input = world.store.put("x").await.unwrap();
    for error in
        [world.run(large, input).await.unwrap_err(), world.run(world.module(ECHO).await, large).await.unwrap_err()]
    {
        assert!(matches!(error, ExecError::AboveLimit { .. }) && error.fault() == Fault::Beyond, "{error}");
    }
}

#[tokio::test]
async fn a_spec_that_is_none_is_refused_for_good() {
    let world = World::new();
    for text in ["hello", "{}", r#"{"version":9}"#] {
        let hash = world.store.put(text).await.unwrap();
        let error = world.executor.spec(hash).await.unwrap_err();
        assert!(matches!(error, ExecError::Spec(_)) && error.fault() != Fault::Ours, "{error}");
    }
    let hash = world.store.put(vec![b' '; JobSpec::MAX_BYTES + 1]).await.unwrap();
    assert_eq!(world.executor.spec(hash).await.unwrap_err().fault(), Fault::Theirs("size"));
}

#[tokio::test]
async fn a_module_that_fails_fails_for_good_and_stores_nothing() {
    let world = World::new();
    let module = world.module(&ECHO.replace("(result i64)", "(result i64) (loop br 0)")).await;
    let input = world.store.put("x").await.unwrap();
    let error = world.run(module, input).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Theirs("fuel"), "{error}");
    let left = std::fs::read_dir(world.folder.path().join("sha256")).unwrap().count();
    assert_eq!(left, 3, "spec, module, input");
}

#[tokio::test]
async fn a_module_that_fails_has_an_answer_that_says_how_and_is_the_same_everywhere() {
    let world = World::new();
    let input = world.store.put("x").await.unwrap();
    let body = |run: &str| ECHO.replace("(i64.or (i64.shl", &format!("{run} (i64.or (i64.shl"));
    for (run, word) in
        [("(loop $on (br $on))", "fuel"), ("(unreachable)", "trap"), ("(drop (memory.grow (i32.const 9)))", "memory")]
    {
        let module = world.module(&body(run)).await;
        let spec = JobSpec::new(module, 100_000, 65_536, 60_000).unwrap();
        let answer =
            world.executor.answer(world.executor.prepare(spec, input, Tie::Free).await.unwrap(), None).await.unwrap();
        assert_eq!(answer.bytes, format!(r#"{{"version":1,"failed":"{word}"}}"#));
        assert!(answer.run.is_err() && !answer.depends_on_machine(), "{word}");
    }
    // Time is the machine's.
    let module = world.module(&body("(loop $on (br $on))")).await;
    let spec = JobSpec::new(module, 100_000_000_000_000, 65_536, 1).unwrap();
    let answer =
        world.executor.answer(world.executor.prepare(spec, input, Tie::Free).await.unwrap(), None).await.unwrap();
    assert_eq!(answer.bytes, r#"{"version":1,"failed":"time"}"#);
    assert!(answer.depends_on_machine());
}

#[tokio::test]
async fn a_limit_that_is_there_from_the_start_is_found_before_a_promise_and_is_a_result_after_it() {
    let world = World::new();
    let input = world.store.put("x").await.unwrap();
    let tables = |number| ECHO.replace("(memory", &format!("{} (memory", "(table 1 funcref) ".repeat(number)));
    let fits = world.job(world.module(&tables(16)).await, input).await;
    assert!(world.executor.gather(fits, Tie::Free).await.is_ok());
    let memory = "\"memory\") 1";
    for (text, word) in [
        (tables(17), "tables"),
        (ECHO.replace("(memory", "(table 2000000 funcref) (memory"), "table"),
        (ECHO.replace(memory, "\"memory\") 2"), "memory"),
        (ECHO.replace("(memory", r#"(import "a" "b" (func)) (memory"#), "import"),
        (ECHO.replace("(export \"run\")", ""), "abi"),
    ] {
        let job = world.job(world.module(&text).await, input).await;
        let refused = world.executor.gather(job, Tie::Free).await.err().expect("it is refused");
        assert_eq!(refused.fault(), Fault::Theirs(word), "{refused}");
        // Whoever is bound to it all the same, or is to judge it, comes to the same bytes.
        for answer in [world.executor.answer_to(job, Tie::Bound, None).await, world.executor.try_out(job).await] {
            let answer: Answer = answer.unwrap();
            assert_eq!(answer.bytes, format!(r#"{{"version":1,"failed":"{word}"}}"#));
            assert!(!answer.depends_on_machine());
        }
    }
}

#[tokio::test]
async fn a_start_function_is_no_part_of_what_is_checked_before() {
    let world = World::new();
    let input = world.store.put("x").await.unwrap();
    for start in ["unreachable", "(loop br 0)"] {
        let text = ECHO.replace("(memory", &format!("(func $s {start}) (start $s) (memory"));
        let job = world.job(world.module(&text).await, input).await;
        assert!(world.executor.gather(job, Tie::Free).await.is_ok(), "{start}");
    }
}

#[tokio::test]
async fn what_a_promise_needs_is_run_from_the_nodes_own_disk_when_the_store_has_lost_it() {
    let world = World::new();
    let folder = world.folder.path().join("kept");
    let keeping = |world: &World| world.executor.clone().keeping(Kept::open(&folder, 10_000).unwrap());
    let module = world.module(ECHO).await;
    let input = world.store.put("hello").await.unwrap();
    let job = world.job(module, input).await;
    keeping(&world).secure(job, Tie::Free).await.unwrap();
    for hash in [job.spec, module, input] {
        std::fs::remove_file(world.path(hash)).unwrap();
    }
    assert_eq!(world.executor.try_out(job).await.unwrap_err().fault(), Fault::Ours, "without the disk");

    // After a restart, with nothing in memory.
    let fresh = World::new();
    let executor = keeping(&fresh);
    assert_eq!(executor.answer_to(job, Tie::Bound, None).await.unwrap().bytes, "hello");
    executor.serve(&job.job).await.unwrap();
    assert_eq!(fresh.store.get(input, 100).await.unwrap(), "hello", "and others can have it again");
}

#[tokio::test]
async fn more_than_the_node_puts_up_with_is_refused_by_name_unless_it_is_bound() {
    let world = World::new();
    let (module, input) = (world.module(ECHO).await, world.store.put("x").await.unwrap());
    let bounds = Bounds { max_fuel: 99_999, max_memory_bytes: 65_535, max_timeout_ms: 59_999, ..Bounds::widest() };
    for (bounds, named) in [
        (bounds, "units of fuel"),
        (Bounds { max_fuel: 100_000, ..bounds }, "bytes of memory"),
        (Bounds { max_fuel: 100_000, max_memory_bytes: 65_536, ..bounds }, "ms of time"),
    ] {
        let executor = Executor::new(world.store.clone(), Runner::new().unwrap(), bounds);
        let job = world.job(module, input).await;
        // Others' results too, which it need not look at.
        for refused in [executor.gather(job, Tie::Free).await.err(), executor.try_out(job).await.err()] {
            let refused = refused.unwrap();
            assert_eq!(refused.fault(), Fault::Beyond);
            assert!(refused.to_string().contains(named), "{refused}");
        }
        assert_eq!(executor.answer_to(job, Tie::Bound, None).await.unwrap().bytes, "x");
    }
}

#[tokio::test]
async fn limits_of_the_nodes_own_are_forgotten_once_it_is_bound() {
    let world = World::new();
    let large = world.store.put(Bytes::from(vec![0; 1001])).await.unwrap();
    let job = world.job(world.module(ECHO).await, large).await;
    assert_eq!(world.executor.gather(job, Tie::Free).await.err().unwrap().fault(), Fault::Beyond);
    assert_eq!(world.executor.answer_to(job, Tie::Bound, None).await.unwrap().bytes.len(), 1001);
}

#[tokio::test]
async fn a_run_ends_where_the_money_does() {
    let world = World::new();
    let input = world.store.put("x").await.unwrap();
    let module = world.module(&ECHO.replace("(result i64)", "(result i64) (loop br 0)")).await;
    let spec = JobSpec::new(module, 100_000_000_000_000, 65_536, 60_000).unwrap();
    let prepared = world.executor.prepare(spec, input, Tie::Free).await.unwrap();
    let answer = world.executor.answer(prepared, Some(Duration::from_millis(1))).await.unwrap();
    assert_eq!(answer.bytes, r#"{"version":1,"failed":"budget"}"#);
    assert!(answer.depends_on_machine(), "jurors know of no such limit");
}
