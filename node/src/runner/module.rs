//! What a module must look like, checked before anything runs.

use super::{limits::MAX_TABLES, RunError};
use wasmtime::{Engine, ExternType, FuncType, Module, ValType};

/// A compiled module that keeps to the job ABI. Cheap to clone.
#[derive(Clone)]
pub struct JobModule(pub(super) Module);

/// The compiled form of a module. A module that is not valid is so everywhere; that there is no code for it is this machine's.
pub(super) fn translate(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, RunError> {
    Module::validate(engine, bytes).map_err(|error| RunError::BadModule(one_line(&error)))?;
    engine.precompile_module(bytes).map_err(|error| RunError::Untranslatable(one_line(&error)))
}

impl JobModule {
    /// From what [`translate`] made.
    ///
    /// # Safety
    ///
    /// `compiled` is what [`translate`] made, and nothing else: it becomes machine code.
    pub(super) unsafe fn from_compiled(engine: &Engine, compiled: &[u8]) -> Result<Self, RunError> {
        // SAFETY: the caller's.
        let module = unsafe { Module::deserialize(engine, compiled) };
        Self::check(module.map_err(|error| RunError::Host(one_line(&error)))?)
    }

    fn check(module: Module) -> Result<Self, RunError> {
        if let Some(import) = module.imports().next() {
            let (module, name) = (import.module().to_owned(), import.name().to_owned());
            return Err(RunError::ForbiddenImport { module, name });
        }
        match module.get_export("memory") {
            Some(ExternType::Memory(memory)) if !memory.is_64() && !memory.is_shared() => {}
            Some(_) => return Err(RunError::BadAbi("its export `memory` is not a plain 32-bit memory".into())),
            None => return Err(RunError::BadAbi("it exports no `memory`".into())),
        }
        check_function(&module, "alloc", "(len: i32) -> i32", &[ValType::I32], &[ValType::I32])?;
        check_function(&module, "run", "(ptr: i32, len: i32) -> i64", &[ValType::I32, ValType::I32], &[ValType::I64])?;
        match module.resources_required().num_tables {
            asked if asked > MAX_TABLES => Err(RunError::TooManyTables { asked, allowed: MAX_TABLES }),
            _ => Ok(Self(module)),
        }
    }
}

/// The compiler's messages come with a drawing.
fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.split_whitespace().take(40).collect::<Vec<_>>().join(" ")
}

fn check_function(
    module: &Module,
    name: &str,
    wanted: &str,
    takes: &[ValType],
    gives: &[ValType],
) -> Result<(), RunError> {
    let same = |found: &mut dyn Iterator<Item = ValType>, wanted: &[ValType]| {
        let found: Vec<_> = found.collect();
        found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| ValType::eq(a, b))
    };
    let fits = |f: &FuncType| same(&mut f.params(), takes) && same(&mut f.results(), gives);
    match module.get_export(name) {
        Some(ExternType::Func(function)) if fits(&function) => Ok(()),
        Some(_) => Err(RunError::BadAbi(format!("its export `{name}` is not a function {wanted}"))),
        None => Err(RunError::BadAbi(format!("it exports no function `{name}`"))),
    }
}
