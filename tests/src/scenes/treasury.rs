//! The treasury's instructions.

use super::{Pda, Scene, Syscalls, CLOCK, NONE};
use crate::{Kind, World, BREAKER};
use joule_sdk::{
    instruction::treasury::*,
    pda,
    treasury::{self, ID},
    units::{Amount, Breaker},
    Instruction, Keypair, Pubkey, Signer,
};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let make = |name, world: World, instruction: Instruction, signer: Keypair, syscalls, created: Vec<Pda>| {
        let mut seeds = created;
        seeds.push(Pda::new(&ID, &[treasury::constants::PROTOCOL_SEED]));
        seeds.push(Pda::new(&ID, &[joule_events::AUTHORITY_SEED]));
        Scene { program: "treasury", name, world, before: vec![], instruction, signers: vec![signer], syscalls, seeds }
    };
    let mut all = Vec::new();
    let w = World::bare();
    let (a, g) = (w.authority.insecure_clone(), w.guardian.pubkey());
    let initialize = initialize_protocol(a.pubkey(), g, [250, 250, 250, 250, 0, 0, 0, 0]);
    all.push(make("initialize_protocol", w, initialize, a, Syscalls { clock: 1, rent: 1, derive: 1, ..NONE }, vec![]));

    let mut w = World::governed(kind);
    let a = w.authority.insecure_clone();
    let mint = w.create_mint(kind, &[], &[]);
    let created = vec![
        Pda::new(&ID, &[treasury::constants::MINT_SEED, mint.as_ref()]),
        Pda::new(&ID, &[treasury::constants::FEE_VAULT_SEED, mint.as_ref()]),
    ];
    let accept = accept_mint(a.pubkey(), mint, w.token_program, 1, BREAKER);
    all.push(make("accept_mint", w, accept, a, Syscalls { clock: 0, rent: 1, derive: 2, ..NONE }, created));

    // One step by the authority, after others that only prepare it; `wait` in seconds lies between.
    let governed =
        |name, syscalls, before: &[&dyn Fn(&World) -> Instruction], wait, build: &dyn Fn(&World) -> Instruction| {
            let mut w = World::governed(kind);
            let a = w.authority.insecure_clone();
            for earlier in before {
                let earlier = earlier(&w);
                w.send(&[earlier], &[&a]);
            }
            w.set_time(w.now() + wait);
            let instruction = build(&w);
            let mut scene = make(name, w, instruction, a, syscalls, vec![]);
            scene
                .signers
                .retain(|key| scene.instruction.accounts.iter().any(|m| m.is_signer && m.pubkey == key.pubkey()));
            scene
        };
    let propose = |w: &World| propose_authority(w.authority.pubkey(), w.alice.pubkey());
    let stage = |w: &World| stage_fee(w.authority.pubkey(), 0, 251);
    let looser = Breaker { limit: Amount::new(u64::MAX), ..BREAKER };
    let tighter = Breaker { limit: Amount::new(1), ..BREAKER };
    let loosen = |w: &World| set_breaker(w.authority.pubkey(), w.mint, looser);
    let stop = |w: &World| pause(w.authority.pubkey(), 0);
    const DELAY: i64 = 2 * 86_400;
    all.push(governed("propose_authority", NONE, &[], 0, &propose));
    all.push(governed("set_guardian", NONE, &[], 0, &|w| set_guardian(w.authority.pubkey(), w.alice.pubkey())));
    all.push(governed("stage_fee", CLOCK, &[], 0, &stage));
    all.push(governed("apply_fee", CLOCK, &[&stage], DELAY, &|_| apply_fee(0)));
    all.push(governed("cancel_fee", NONE, &[&stage], 0, &|w| cancel_fee(w.authority.pubkey(), 0)));
    all.push(governed("update_mint", NONE, &[], 0, &|w| update_mint(w.authority.pubkey(), w.mint, false, 1)));
    all.push(governed("set_breaker (tighter)", CLOCK, &[], 0, &|w| set_breaker(w.authority.pubkey(), w.mint, tighter)));
    all.push(governed("set_breaker (looser)", CLOCK, &[], 0, &loosen));
    all.push(governed("apply_breaker", CLOCK, &[&loosen], DELAY, &|w| apply_breaker(w.mint)));
    all.push(governed("pause", CLOCK, &[], 0, &stop));
    all.push(governed("unpause", CLOCK, &[&stop], 0, &|w| unpause(w.authority.pubkey(), 0)));

    let mut w = World::governed(kind);
    let (a, next) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    w.send(&[propose_authority(a.pubkey(), next.pubkey())], &[&a]);
    let accept = accept_authority(next.pubkey());
    all.push(make("accept_authority", w, accept, next, NONE, vec![]));

    let rich = || {
        let mut w = World::new(kind);
        let (a, fees, vault) = (w.authority.insecure_clone(), w.fee_vault(), w.alice_tokens());
        w.mint_to(&fees, 10_000);
        let share = set_rewards(a.pubkey(), w.mint, Pubkey::default(), vault, 2_500);
        (w, a, vault, share)
    };
    let (w, a, _, share) = rich();
    all.push(make("set_rewards", w, share, a, NONE, vec![]));
    let (mut w, a, vault, set) = rich();
    w.send(&[set], &[&a]);
    w.mint_to(&pda::fee_vault(&w.mint), 10_000);
    let share = share_fees(w.mint, vault, w.token_program);
    let mut scene = make("share_fees", w, share, a, CLOCK, vec![]);
    scene.signers.clear();
    all.push(scene);
    let (w, a, target, _) = rich();
    let withdraw = withdraw_fees(a.pubkey(), w.mint, target, w.token_program, 50);
    all.push(make("withdraw_fees", w, withdraw, a, CLOCK, vec![]));
    all
}
