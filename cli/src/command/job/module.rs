//! What every node would refuse of a job, said before money moves: by the node's own code.

use crate::{failure::Failure, output};
use joule_artifacts::{Hash, JobSpec, MAX_INPUT_BYTES, MAX_MODULE_BYTES};
use joule_node::runner::{Limits, RunError, Runner};
use joule_settings::Size;
use std::path::Path;

/// What a WebAssembly module begins with.
const MAGIC: &[u8] = b"\0asm";

/// Compiles the module as nodes do, and sees whether a run within the limits would begin.
pub async fn check(path: &Path, module: &[u8], input_bytes: u64, spec: &JobSpec) -> Result<(), Failure> {
    let refused = |why: String| Err(Failure::Input(format!("{}: {why}", path.display())));
    if !module.starts_with(MAGIC) {
        return refused("this is no WebAssembly module: it does not begin with the bytes of one".into());
    }
    if module.len() as u64 > MAX_MODULE_BYTES {
        return refused(format!("no node fetches a module of more than {}", Size(MAX_MODULE_BYTES)));
    }
    if input_bytes > MAX_INPUT_BYTES.min(spec.memory_bytes) {
        let most = Size(MAX_INPUT_BYTES.min(spec.memory_bytes));
        return Err(Failure::Input(format!(
            "the input has {input_bytes} bytes, and no node takes more than {most}: --memory"
        )));
    }
    let bar = output::spinner("looking at the module");
    let begun = begin(module, spec).await;
    bar.finish_and_clear();
    match begun {
        // Nodes that have what is missing here may still do it.
        Err(error) if error.depends_on_machine() => {
            eprintln!("this machine cannot say whether nodes would take the module: {error}");
            Ok(())
        }
        Err(error) => refused(format!("no node would take it: {error}")),
        Ok(()) => Ok(()),
    }
}

async fn begin(module: &[u8], spec: &JobSpec) -> Result<(), RunError> {
    let runner = Runner::new()?;
    let compiled = runner.compile(Hash::of(module), module.to_vec().into()).await?;
    runner.rehearse(compiled, Limits::from(spec)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(module: &[u8]) -> Result<(), String> {
        let spec = JobSpec::new(Hash::of(module), 1_000_000, 1 << 20, 1_000).unwrap();
        check(Path::new("m.wasm"), module, 10, &spec).await.map_err(|error| error.to_string())
    }

    fn wat(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    const RUN: &str = "(func (export \"alloc\") (param i32) (result i32) i32.const 0)
        (func (export \"run\") (param i32 i32) (result i64) i64.const 0)";

    #[tokio::test]
    async fn what_nodes_refuse_is_said_beforehand() {
        let good = wat(&format!("(module (memory (export \"memory\") 1) {RUN})"));
        assert_eq!(said(&good).await, Ok(()));
        for (module, wanted) in [
            (b"input".to_vec(), "no WebAssembly module"),
            (b"\0asm".to_vec(), "not a WebAssembly module"),
            (wat("(module)"), "exports no `memory`"),
            (wat("(module (memory (export \"memory\") 1))"), "exports no function `alloc`"),
            (wat("(module (import \"env\" \"clock\" (func)))"), "a job may import nothing"),
            (wat(&format!("(module (memory (export \"memory\") 999) {RUN})")), "bytes of memory"),
        ] {
            let error = said(&module).await.unwrap_err();
            assert!(error.contains(wanted) && error.starts_with("m.wasm: "), "{error}");
        }
        let spec = JobSpec::new(Hash::of(&good), 1, 1 << 20, 1_000).unwrap();
        let error = check(Path::new("m.wasm"), &good, 2 << 20, &spec).await.unwrap_err().to_string();
        assert!(error.contains("no node takes more than 1 MiB"), "{error}");
    }
}
