//! What is made of a node's answers, for [`crate::fuzz`].

use super::{
    accounts::{Keyed, Several},
    block::UiBlock,
    transaction,
};
use crate::types::{Address, Signature};
use serde::Deserialize as _;
use serde_json::Value;
use std::hint::black_box;

pub fn transaction(found: &Value) -> anyhow::Result<()> {
    black_box(transaction::names(found));
    black_box(transaction::read(Signature([0; 64]), 0, found)?);
    Ok(())
}

pub fn block(found: Value) -> anyhow::Result<()> {
    black_box(UiBlock::deserialize(found)?.read()?);
    Ok(())
}

pub fn program_accounts(found: Value) -> anyhow::Result<()> {
    black_box(Keyed::deserialize(found)?.writes()?);
    Ok(())
}

pub fn multiple_accounts(found: Value) -> anyhow::Result<()> {
    let several = Several::deserialize(found)?;
    let addresses = vec![Address([3; 32]); several.asked()];
    black_box(several.look(&addresses, None)?);
    Ok(())
}
