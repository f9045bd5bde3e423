//! From hashes in a real store to the hash of an output, and everything that may be wrong with what lies there.

use joule_artifacts::{ArtifactError, ArtifactStore, Bytes, Hash, JobSpec};
use joule_node::{
    executor::{ExecError, Executor},
    runner::RunError,
};
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
        let executor = Executor::new(store.clone(), 1000, 1000).unwrap();
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
        let prepared = self.executor.prepare(spec, input).await?;
        let outcome = self.executor.run(prepared).await?;
        self.executor.store(outcome.output.into()).await
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
    assert!(matches!(&error, ExecError::Artifact(ArtifactError::NotFound { .. })) && error.may_pass());
    let input = world.store.put("x").await.unwrap();
    for error in
        [world.run(nothing, input).await.unwrap_err(), world.run(world.module(ECHO).await, nothing).await.unwrap_err()]
    {
        assert!(
            matches!(&error, ExecError::Artifact(ArtifactError::NotFound { hash, .. }) if *hash == nothing),
            "{error}"
        );
        assert!(error.may_pass());
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
        assert!(matches!(error, ExecError::Artifact(ArtifactError::TooLarge { .. })) && !error.may_pass(), "{error}");
    }
}

#[tokio::test]
async fn a_spec_that_is_none_is_refused_for_good() {
    let world = World::new();
    for text in ["hello", "{}", r#"{"version":9}"#] {
        let hash = world.store.put(text).await.unwrap();
        let error = world.executor.spec(hash).await.unwrap_err();
        assert!(matches!(error, ExecError::Spec(_)) && !error.may_pass(), "{error}");
    }
    let hash = world.store.put(vec![b' '; JobSpec::MAX_BYTES + 1]).await.unwrap();
    assert!(!world.executor.spec(hash).await.unwrap_err().may_pass());
}

#[tokio::test]
async fn a_module_that_fails_fails_for_good_and_stores_nothing() {
    let world = World::new();
    let module = world.module(&ECHO.replace("(result i64)", "(result i64) (loop br 0)")).await;
    let input = world.store.put("x").await.unwrap();
    let error = world.run(module, input).await.unwrap_err();
    assert!(matches!(error, ExecError::Run(RunError::OutOfFuel { .. })) && !error.may_pass(), "{error}");
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
        let answer = world.executor.answer(world.executor.prepare(spec, input).await.unwrap()).await.unwrap();
        assert_eq!(answer.bytes, format!(r#"{{"version":1,"failed":"{word}"}}"#));
        assert!(answer.run.is_err() && !answer.depends_on_machine(), "{word}");
    }
    // Time is the machine's.
    let module = world.module(&body("(loop $on (br $on))")).await;
    let spec = JobSpec::new(module, 100_000_000_000_000, 65_536, 1).unwrap();
    let answer = world.executor.answer(world.executor.prepare(spec, input).await.unwrap()).await.unwrap();
    assert_eq!(answer.bytes, r#"{"version":1,"failed":"time"}"#);
    assert!(answer.depends_on_machine());
}
