//! Programs compute on the SVM what the host computes.

use joule_sdk::{Instruction, Keypair, Pubkey, Signer};
use joule_selftest::{compute, OPERATIONS};
use joule_tests::deployed;
use litesvm::LiteSVM;
use solana_transaction::Transaction;

#[test]
fn arithmetic_stack_arguments_memory_functions_hashes_and_vouchers_agree_with_the_host() {
    let (mut svm, payer, program) = (LiteSVM::new(), Keypair::new(), Pubkey::new_unique());
    svm.airdrop(&payer.pubkey(), 1_000_000_000_000).unwrap();
    svm.add_program_from_file(program, deployed("joule_selftest")).unwrap();

    let edges = [0, 1, 2, 9, u64::MAX as u128, 1 << 64, i128::MAX as u128, 1 << 127, u128::MAX - 1, u128::MAX];
    let mut pairs: Vec<(u128, u128)> = edges.iter().flat_map(|a| edges.map(|b| (*a, b))).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u128;
    let mut random = || {
        state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x5851_f42d_4c95_7f2d);
        state.rotate_left((state >> 121) as u32) >> (state % 100)
    };
    pairs.extend((0..100).map(|_| (random(), random())));

    let mut cases = 0;
    for op in 0..OPERATIONS {
        for (a, b) in &pairs {
            let mut data = vec![op];
            data.extend(a.to_le_bytes());
            data.extend(b.to_le_bytes());
            let instruction = Instruction { program_id: program, accounts: vec![], data };
            svm.expire_blockhash();
            let transaction = Transaction::new_signed_with_payer(
                &[instruction],
                Some(&payer.pubkey()),
                &[&payer],
                svm.latest_blockhash(),
            );
            let mut returned = svm.send_transaction(transaction).unwrap().return_data.data;
            // Trailing zeros are not kept.
            returned.resize(32, 0);
            let [x, y] = compute(op, *a, *b);
            let expected = [x.to_le_bytes(), y.to_le_bytes()].concat();
            assert_eq!(returned, expected, "operation {op} on {a:#x} and {b:#x}");
            cases += 1;
        }
    }
    assert_eq!(cases, OPERATIONS as usize * 200);
}
