//! Modules that misbehave in every way the runner must survive.

use joule_artifacts::{Bytes, Hash};
use joule_node::runner::{Limits, Outcome, RunError, Runner};
use std::time::Duration;

const LIMITS: Limits =
    Limits { fuel: 1_000_000, memory_bytes: 1 << 20, timeout: Duration::from_secs(60), output_bytes: 1000 };

async fn run_with(wat: &str, input: &[u8], limits: Limits) -> Result<Outcome, RunError> {
    let bytes = Bytes::from(wat::parse_str(wat).unwrap());
    let runner = Runner::new()?;
    let module = runner.compile(Hash::of(&bytes), bytes).await?;
    runner.run(module, Bytes::copy_from_slice(input), limits).await
}

async fn run(wat: &str, input: &[u8]) -> Result<Outcome, RunError> {
    run_with(wat, input, LIMITS).await
}

/// A module with one page, an `alloc` that answers 1024, and `body` as `run`.
fn module(body: &str) -> String {
    format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "alloc") (param i32) (result i32) i32.const 1024)
            (func $run (export "run") (param $ptr i32) (param $len i32) (result i64) {body}))"#
    )
}

/// `run` that answers its input.
const ECHO: &str = "(i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                            (i64.extend_i32_u (local.get $len)))";

#[tokio::test]
async fn a_good_module_answers_and_is_metered() {
    let outcome = run(&module(ECHO), b"hello").await.unwrap();
    assert_eq!(outcome.output, b"hello");
    assert!(outcome.fuel_used > 0 && outcome.fuel_used < 100, "{}", outcome.fuel_used);
    assert_eq!(outcome.peak_memory_bytes, 65_536);
}

#[tokio::test]
async fn two_runs_take_the_same_fuel() {
    let first = run(&module(ECHO), b"hello").await.unwrap();
    let second = run(&module(ECHO), b"hello").await.unwrap();
    assert_eq!((first.output, first.fuel_used), (second.output, second.fuel_used));
}

#[tokio::test]
async fn an_instance_remembers_nothing_of_the_run_before() {
    // Counts its calls in memory, and answers the count as one byte.
    let body = "(i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1))) (i64.const 1)";
    let bytes = Bytes::from(wat::parse_str(module(body)).unwrap());
    let runner = Runner::new().unwrap();
    let hash = Hash::of(&bytes);
    for _ in 0..3 {
        let module = runner.compile(hash, bytes.clone()).await.unwrap();
        assert_eq!(runner.run(module, Bytes::new(), LIMITS).await.unwrap().output, [1]);
    }
    assert!(runner.kept(hash).is_some());
    assert!(runner.kept(Hash::of(b"another")).is_none());
}

#[tokio::test]
async fn an_endless_loop_runs_out_of_fuel() {
    let error = run(&module("(loop br 0) unreachable"), b"").await.unwrap_err();
    assert_eq!(error, RunError::OutOfFuel { fuel: LIMITS.fuel });
}

#[tokio::test]
async fn an_endless_loop_with_endless_fuel_runs_out_of_time() {
    let timeout = Duration::from_millis(30);
    let limits = Limits { fuel: u64::MAX, timeout, ..LIMITS };
    let error = run_with(&module("(loop br 0) unreachable"), b"", limits).await.unwrap_err();
    assert_eq!(error, RunError::TimedOut { timeout });
}

#[tokio::test]
async fn a_start_function_is_metered_too() {
    let text = module(ECHO).replace("(memory", "(func $s (loop br 0)) (start $s) (memory");
    assert!(matches!(run(&text, b"").await, Err(RunError::OutOfFuel { .. })));
}

#[tokio::test]
async fn a_memory_eater_is_stopped_at_the_limit() {
    let eater = "(loop (drop (memory.grow (i32.const 1))) (br 0)) unreachable";
    let error = run(&module(eater), b"").await.unwrap_err();
    assert_eq!(error, RunError::OutOfMemory { asked: (1 << 20) + 65_536, allowed: 1 << 20 });
}

#[tokio::test]
async fn memory_beyond_the_limit_from_the_start_is_refused() {
    let text = module(ECHO).replace("\"memory\") 1", "\"memory\") 17");
    assert!(matches!(run(&text, b"").await, Err(RunError::OutOfMemory { .. })));
}

#[tokio::test]
async fn growing_past_the_modules_own_maximum_answers_minus_one() {
    let body = "(i32.store (i32.const 0) (memory.grow (i32.const 2))) (i64.const 4)";
    let text = module(body).replace("\"memory\") 1", "\"memory\") 1 2");
    assert_eq!(run(&text, b"").await.unwrap().output, (-1i32).to_le_bytes());
}

#[tokio::test]
async fn a_huge_table_is_refused() {
    let text = module(ECHO).replace("(memory", "(table 2000000 funcref) (memory");
    assert!(matches!(run(&text, b"").await, Err(RunError::TableTooLarge { .. })));
}

#[tokio::test]
async fn more_tables_than_allowed_are_named_before_anything_runs() {
    let tables = |number| module(ECHO).replace("(memory", &format!("{} (memory", "(table 1 funcref) ".repeat(number)));
    assert_eq!(run(&tables(16), b"x").await.unwrap().output, b"x");
    let error = run(&tables(17), b"x").await.unwrap_err();
    assert_eq!(error, RunError::TooManyTables { asked: 17, allowed: 16 });
}

#[tokio::test]
async fn whatever_a_valid_module_may_hold_begins_or_is_the_modules_fault() {
    let long = "(table 1 funcref) (elem (i32.const 5) func $run)";
    for part in [
        "(table 1 externref)",
        "(global (mut externref) (ref.null extern))",
        "(func (param externref))",
        "(table 1 2 funcref) (elem (i32.const 0) func $run)",
        long,
        "(data (i32.const 65535) \"ab\")",
        "(table 0 funcref) (elem declare func $run)",
        "(func (result i32 i64) i32.const 1 i64.const 2)",
        "(memory 65537)",
        "(tag)",
        "(type (struct))",
        "(type (array i8))",
    ] {
        let text = module(ECHO).replace("(memory", &format!("{part} (memory"));
        let Ok(bytes) = wat::parse_str(&text).map(Bytes::from) else { continue };
        let runner = Runner::new().unwrap();
        let ran = match runner.compile(Hash::of(&bytes), bytes).await {
            Ok(module) => runner.run(module, Bytes::from_static(b"x"), LIMITS).await,
            Err(error) => Err(error),
        };
        assert!(!matches!(ran, Err(RunError::Host(_) | RunError::Untranslatable(_))), "{part}: {ran:?}");
    }
}

#[tokio::test]
async fn what_takes_too_long_to_compile_is_not_tried_again_in_less() {
    let runner = Runner::new().unwrap();
    let bytes = Bytes::from(wat::parse_str(module(ECHO)).unwrap());
    let hash = Hash::of(&bytes);
    let within = |allowed| runner.compile_within(hash, bytes.clone(), allowed);
    let slow = |allowed| RunError::SlowToCompile { allowed };
    assert_eq!(within(Duration::ZERO).await.err(), Some(slow(Duration::ZERO)));
    assert_eq!(within(Duration::ZERO).await.err(), Some(slow(Duration::ZERO)));
    assert!(within(Duration::from_secs(60)).await.is_ok(), "more time is another matter");
    assert!(runner.kept(hash).is_some());
}

#[tokio::test]
async fn traps_say_where_and_why() {
    let error = run(&module("unreachable"), b"").await.unwrap_err();
    assert_eq!(error.to_string(), "the module trapped in `run`: wasm trap: wasm `unreachable` instruction executed");
    let error = run(&module("(drop (i32.load (i32.const -4))) (i64.const 0)"), b"").await.unwrap_err();
    assert!(error.to_string().contains("out of bounds memory access"), "{error}");
    assert!(!error.depends_on_machine());
    let error = run(&module("(call $run (local.get $ptr) (local.get $len))"), b"").await.unwrap_err();
    assert!(matches!(error, RunError::OutOfStack { during: "`run`" }), "{error}");
    assert!(error.depends_on_machine(), "another machine may have more of it");
}

#[tokio::test]
async fn an_import_is_named_and_forbidden() {
    let text = module(ECHO).replace("(memory", r#"(import "wasi_snapshot_preview1" "fd_write" (func)) (memory"#);
    let error = run(&text, b"").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the module imports "wasi_snapshot_preview1" "fd_write"; a job may import nothing"#
    );
}

#[tokio::test]
async fn bytes_that_are_no_module_are_refused() {
    let runner = Runner::new().unwrap();
    for bytes in [&b""[..], b"hello", b"\0asm\x01\0\0\0\xff", b"\0asm\x0d\0\x01\0", b"(module)"] {
        let bytes = Bytes::copy_from_slice(bytes);
        let result = runner.compile(Hash::of(&bytes), bytes.clone()).await;
        assert!(matches!(result.err(), Some(RunError::BadModule(_) | RunError::BadAbi(_))), "{bytes:?}");
    }
}

#[tokio::test]
async fn what_differs_between_machines_is_refused() {
    for text in [
        module(ECHO).replace("\"memory\") 1", "\"memory\") 1 2 shared"),
        module(ECHO).replace("\"memory\") 1", "\"memory\") i64 1"),
        module("(drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))) (i64.const 0)"),
        module(ECHO).replace("(memory (", "(memory 1) (memory ("),
    ] {
        assert!(matches!(run(&text, b"").await, Err(RunError::BadModule(_))), "{text}");
    }
}

#[tokio::test]
async fn a_nan_has_the_same_bits_everywhere() {
    // 0/0 with the sign flipped by the machine or not: canonical either way.
    let body = "(f64.store (i32.const 0) (f64.div (f64.const 0) (f64.const -0))) (i64.const 8)";
    assert_eq!(run(&module(body), b"").await.unwrap().output, 0x7ff8_0000_0000_0000_u64.to_le_bytes());
}

#[tokio::test]
async fn whatever_may_make_a_nan_makes_the_same_one() {
    // A signalling NaN with its sign and payload set, as scalars and as lanes, through every operator whose NaN the standard leaves open.
    let scalars = [
        ("f64", "(f64.reinterpret_i64 (i64.const 0xfff4000000000001))", 8),
        ("f32", "(f32.reinterpret_i32 (i32.const 0xffa00001))", 4),
        ("f64x2", "(v128.const i64x2 0xfff4000000000001 0xfff4000000000001)", 16),
        ("f32x4", "(v128.const i32x4 0xffa00001 0xffa00001 0xffa00001 0xffa00001)", 16),
    ];
    for (shape, nan, bytes) in scalars {
        let store = if bytes == 16 { "v128.store".to_owned() } else { format!("{shape}.store") };
        let unary = ["sqrt", "ceil", "floor", "trunc", "nearest"].map(|op| format!("({shape}.{op} {nan})"));
        let binary = ["add", "sub", "mul", "div", "min", "max"].map(|op| format!("({shape}.{op} {nan} {nan})"));
        let mut all: Vec<String> = unary.into_iter().chain(binary).collect();
        all.extend(match shape {
            "f64" => Some(format!("(f64.promote_f32 {})", scalars[1].1)),
            "f32" => Some(format!("(f32.demote_f64 {})", scalars[0].1)),
            _ => None,
        });
        let stores: String =
            (0..all.len()).map(|i| format!("({store} (i32.const {}) {})", i * bytes, all[i])).collect();
        let length = all.len() * bytes;
        let output = run(&module(&format!("{stores} (i64.const {length})")), b"").await.unwrap().output;
        let canonical: &[u8] = match shape {
            "f64" | "f64x2" => &0x7ff8_0000_0000_0000_u64.to_le_bytes(),
            _ => &0x7fc0_0000_u32.to_le_bytes(),
        };
        for (place, lane) in output.chunks(canonical.len()).enumerate() {
            assert_eq!(lane, canonical, "{}", all[place * canonical.len() / bytes]);
        }
    }
}

#[tokio::test]
async fn what_the_abi_asks_for_is_named_when_missing() {
    for (from, to, named) in [
        ("(export \"memory\")", "", "it exports no `memory`"),
        ("(export \"alloc\")", "", "it exports no function `alloc`"),
        ("(export \"run\")", "", "it exports no function `run`"),
        ("(export \"run\")", "(export \"alloc2\")", "it exports no function `run`"),
        ("(param i32) (result i32) i32.const 1024", "(param i64) (result i32) i32.const 1024", "`alloc` is not"),
    ] {
        let error = run(&module(ECHO).replace(from, to), b"").await.unwrap_err();
        assert!(matches!(&error, RunError::BadAbi(text) if text.contains(named)), "{error}");
    }
}

#[tokio::test]
async fn pointers_outside_memory_are_refused() {
    let text = module(ECHO).replace("i32.const 1024", "i32.const 65530");
    assert!(matches!(run(&text, b"1234567").await, Err(RunError::BadAbi(_))));
    let text = module(ECHO).replace("i32.const 1024", "i32.const -1");
    assert!(matches!(run(&text, b"1").await, Err(RunError::BadAbi(_))));
    // 8 bytes at 65,532; 4 bytes at the very last address.
    assert!(matches!(run(&module("(i64.const 0x0000fffc00000008)"), b"").await, Err(RunError::BadAbi(_))));
    assert!(matches!(run(&module("(i64.const 0xffffffff00000004)"), b"").await, Err(RunError::BadAbi(_))));
}

#[tokio::test]
async fn an_output_over_the_limit_is_refused() {
    let error = run(&module("(i64.const 1001)"), b"").await.unwrap_err();
    assert_eq!(error, RunError::OutputTooLarge { bytes: 1001, allowed: 1000 });
    assert_eq!(run(&module("(i64.const 1000)"), b"").await.unwrap().output.len(), 1000);
}

#[tokio::test]
async fn an_empty_input_and_an_empty_output_are_fine() {
    assert_eq!(run(&module("(i64.const 0)"), b"").await.unwrap().output, b"");
}
