//! The floor of an instruction: its own calls replayed one by one by a program that does nothing else, and the syscalls
//! that it cannot do without.

use anyhow::{Context, Result};
use joule_floor::op;
use joule_sdk::{Instruction, Pubkey, Signer};
use joule_tests::scenes::{Pda, Scene, Syscalls};
use litesvm::{types::TransactionMetadata, LiteSVM};
use solana_instruction::AccountMeta;
use solana_transaction::Transaction;

/// `TransactionMetadata` numbers stack heights from 1, so that an instruction's own calls have this one.
const DIRECT_CALL: u8 = 2;

pub fn measure(mut svm: LiteSVM, scene: &Scene, done: &TransactionMetadata) -> Result<u64> {
    let world = &scene.world;
    let program = scene.instruction.program_id;
    let mut keys = vec![&world.stranger];
    keys.extend(scene.signers.iter().filter(|k| k.pubkey() != world.stranger.pubkey()));
    // The same message as the one that ran, since the recorded calls name accounts by their place in it.
    let message = Transaction::new_with_payer(&scene.instructions(), Some(&world.stranger.pubkey())).message;

    let mut accounts = scene.instruction.accounts.clone();
    let mut index = |address: &Pubkey| -> u8 {
        let found = accounts.iter().position(|a| a.pubkey == *address);
        found.unwrap_or_else(|| {
            accounts.push(AccountMeta::new_readonly(*address, false));
            accounts.len() - 1
        }) as u8
    };

    let Syscalls { clock, rent, derive, hashes } = scene.syscalls;
    let mut data = vec![op::CLOCK; clock];
    data.extend(std::iter::repeat_n(op::RENT, rent));
    for address in scene.seeds.iter().take(derive) {
        data.push(op::DERIVE);
        push_seeds(&mut data, &address.seeds);
    }
    for len in hashes {
        data.push(op::HASH);
        data.extend(len.to_le_bytes());
    }
    for call in done.inner_instructions.iter().flatten().filter(|call| call.stack_height == DIRECT_CALL) {
        let callee = message.account_keys[call.instruction.program_id_index as usize];
        data.extend([op::CALL, index(&callee), call.instruction.accounts.len() as u8]);
        let mut signers = Vec::new();
        for place in &call.instruction.accounts {
            let place = *place as usize;
            let address = message.account_keys[place];
            let pda = scene.seeds.iter().find(|pda| pda.address == address && pda.signs_for(&callee, &program));
            let signer = message.is_signer(place) || pda.is_some();
            if let Some(pda) = pda {
                if !signers.iter().any(|s: &&Pda| s.address == pda.address) {
                    signers.push(pda);
                }
            }
            let flags = u8::from(
                message.is_maybe_writable_with_reserved_addresses(place, None::<&std::collections::HashSet<Pubkey>>),
            ) | u8::from(signer) << 1;
            data.extend([index(&address), flags]);
        }
        data.extend((call.instruction.data.len() as u16).to_le_bytes());
        data.extend(&call.instruction.data);
        data.push(signers.len() as u8);
        for pda in signers {
            push_seeds(&mut data, &pda.seeds);
        }
    }

    svm.add_program_from_file(program, joule_tests::deployed("joule_floor"))
        .map_err(|e| anyhow::anyhow!("{e:?}"))
        .context("installing the floor program")?;
    let mut run = |real: u8| -> Result<u64> {
        svm.expire_blockhash();
        let data = [&[real], data.as_slice()].concat();
        let instruction = Instruction { program_id: program, accounts: accounts.clone(), data };
        let payer = world.stranger.pubkey();
        let transaction =
            Transaction::new_signed_with_payer(&[instruction], Some(&payer), &keys, svm.latest_blockhash());
        let done = svm
            .send_transaction(transaction)
            .map_err(|e| anyhow::anyhow!("{:?} {:#?}", e.err, e.meta.logs))
            .with_context(|| format!("replaying the calls of {}", scene.name))?;
        Ok(done.compute_units_consumed)
    };
    let dry = run(0)?;
    Ok(run(1)? - dry)
}

fn push_seeds(data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    data.push(seeds.len() as u8);
    for seed in seeds {
        data.push(seed.len() as u8);
        data.extend(seed);
    }
}
