//! The treasury's instructions.

use super::{Pda, Scene, Syscalls, NONE};
use crate::{Kind, World};
use joule_sdk::{
    instruction::treasury::*,
    treasury::{self, ID},
    Instruction, Keypair, Signer,
};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let make = |name, world: World, instruction: Instruction, signer: Keypair, syscalls, created: Vec<Pda>| {
        let mut seeds = created;
        seeds.push(Pda::new(&ID, &[treasury::constants::PROTOCOL_SEED]));
        seeds.push(Pda::new(&ID, &[joule_events::AUTHORITY_SEED]));
        Scene { program: "treasury", name, world, instruction, signers: vec![signer], syscalls, seeds }
    };
    let mut all = Vec::new();
    let w = World::bare();
    let (a, g) = (w.authority.insecure_clone(), w.guardian.pubkey());
    let initialize = initialize_protocol(a.pubkey(), g, [250, 250, 250, 250, 0, 0, 0, 0]);
    all.push(make("initialize_protocol", w, initialize, a, Syscalls { clock: 0, rent: 1, derive: 1 }, vec![]));

    let mut w = World::governed(kind);
    let a = w.authority.insecure_clone();
    let mint = w.create_mint(kind, &[], &[]);
    let created = vec![
        Pda::new(&ID, &[treasury::constants::MINT_SEED, mint.as_ref()]),
        Pda::new(&ID, &[treasury::constants::FEE_VAULT_SEED, mint.as_ref()]),
    ];
    let accept = accept_mint(a.pubkey(), mint, w.token_program, 1, crate::BREAKER);
    all.push(make("accept_mint", w, accept, a, Syscalls { clock: 0, rent: 1, derive: 2 }, created));

    let governed = |build: &dyn Fn(&World) -> Instruction, name| {
        let w = World::governed(kind);
        let (a, instruction) = (w.authority.insecure_clone(), build(&w));
        make(name, w, instruction, a, NONE, vec![])
    };
    all.push(governed(&|w| propose_authority(w.authority.pubkey(), w.alice.pubkey()), "propose_authority"));
    all.push(governed(&|w| set_guardian(w.authority.pubkey(), w.alice.pubkey()), "set_guardian"));
    all.push(governed(&|w| stage_fee(w.authority.pubkey(), 0, 300), "stage_fee"));
    all.push(governed(&|w| update_mint(w.authority.pubkey(), w.mint, false, 1), "update_mint"));
    all.push(governed(&|w| pause(w.authority.pubkey(), 0), "pause"));
    all.push(governed(&|w| unpause(w.authority.pubkey(), 0), "unpause"));

    let mut w = World::governed(kind);
    let (a, next) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    w.send(&[propose_authority(a.pubkey(), next.pubkey())], &[&a]);
    let accept = accept_authority(next.pubkey());
    all.push(make("accept_authority", w, accept, next, NONE, vec![]));

    let mut w = World::new(kind);
    let (a, fees, target) = (w.authority.insecure_clone(), w.fee_vault(), w.alice_tokens());
    w.mint_to(&fees, 100);
    let withdraw = withdraw_fees(a.pubkey(), w.mint, target, w.token_program, 50);
    all.push(make("withdraw_fees", w, withdraw, a, NONE, vec![]));
    all
}
