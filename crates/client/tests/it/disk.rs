//! The journal, and wallets that are opened again.

use crate::world::*;
use joule_client::{Answer, Corrupt, Journal, JournalError, Kept, Limits, Session, Stop, Wallet, WalletError};
use joule_units::Amount;
use joule_voucher::{hashv, Format, Order, SigningKey, Verifier};
use joule_x402::Signed;
use std::path::PathBuf;

const CHANNEL: [u8; 32] = [2; 32];

struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("channel.db")
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.path(), &CHANNEL).unwrap()
    }

    fn wallet(&self, limits: Limits) -> Result<Wallet, WalletError> {
        Wallet::new(channel(1_000), limits, SigningKey::from_bytes(&[5; 32]), self.journal())
    }
}

/// Asks, is served, and accepts; returns the order.
async fn buy(wallet: &Wallet, provider: &mut Provider) -> Signed<Order> {
    let begun = wallet.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).await.unwrap();
    let (nonce, payment) = begun;
    payment.payload.voucher.iter().for_each(|voucher| provider.pay(&voucher.message));
    let order = payment.payload.order.unwrap();
    let signed = provider.serve(wallet.channel(), &order.message, nonce % 7);
    wallet.accept(nonce, &signed, &Answer::Lost).unwrap();
    order
}

#[test]
fn what_was_written_is_what_is_read() {
    let (disk, mut provider) = (Disk::new(), Provider::default());
    let mut session = Session::new(channel(1_000), LIMITS, &Kept::default()).unwrap();
    let (mut journal, mut kept) = (disk.journal(), Kept::default());
    for round in 0..10 {
        let drafts = [0, 1].map(|_| session.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).unwrap());
        if round == 9 {
            let mut signed =
                provider.receipt(session.channel(), &drafts[1].order, &Default::default(), Amount::new(99));
            signed.signature[0] ^= 1;
            session.accept(drafts[1].order.nonce.get(), &signed, &Answer::Lost).unwrap_err();
        } else {
            session.release(drafts[1].order.nonce.get());
        }
        let signed = provider.serve(session.channel(), &drafts[0].order, 1);
        session.accept(drafts[0].order.nonce.get(), &signed, &Answer::Lost).unwrap();
        session.voucher();
        let changes = session.take_changes();
        kept.apply(&changes);
        journal.write(&[changes]).unwrap();
        assert_eq!(journal.read().unwrap(), kept);
    }
    drop(journal);
    assert_eq!(disk.journal().read().unwrap(), kept);
    assert_eq!((kept.receipts.len(), kept.orders.len()), (10, 1));
    assert!(kept.caught.is_some());
}

#[test]
fn two_processes_cannot_sign_for_one_channel() {
    let disk = Disk::new();
    let first = disk.journal();
    assert!(matches!(Journal::open(&disk.path(), &CHANNEL), Err(JournalError::Busy(_))));
    drop(first);
    disk.journal();
}

#[test]
fn a_journal_is_for_one_channel() {
    let disk = Disk::new();
    drop(disk.journal());
    assert!(matches!(Journal::open(&disk.path(), &[9; 32]), Err(JournalError::OtherChannel { .. })));
}

#[tokio::test]
async fn a_wallet_goes_on_where_it_ended() {
    let (disk, mut provider) = (Disk::new(), Provider::default());
    let mut nonces = Vec::new();
    for _ in 0..5 {
        let wallet = disk.wallet(LIMITS).unwrap();
        for _ in 0..4 {
            nonces.push(buy(&wallet, &mut provider).await.message.nonce.get());
        }
        wallet.flush().await.unwrap();
    }
    assert_eq!(nonces, (0..20).collect::<Vec<_>>());
    let wallet = disk.wallet(LIMITS).unwrap();
    assert_eq!((wallet.receipts(), wallet.billed().get()), (20, provider.billed()));
    let payment = wallet.payment().await.unwrap().unwrap();
    let voucher = payment.payload.voucher.unwrap();
    provider.pay(&voucher.message);
    let key = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
    Verifier::new(&key).unwrap().verify(voucher.message.as_bytes(), &voucher.signature).unwrap();
}

#[tokio::test]
async fn a_receipt_that_was_not_written_is_found_again() {
    let (disk, mut provider) = (Disk::new(), Provider::default());
    let wallet = disk.wallet(LIMITS).unwrap();
    buy(&wallet, &mut provider).await;
    // It is accepted, and nothing after it is written.
    drop(wallet);
    let wallet = disk.wallet(LIMITS).unwrap();
    assert_eq!((wallet.receipts(), wallet.gaps()), (0, 1));
    wallet.recover(provider.unpaid(), true, NOW).unwrap();
    assert_eq!((wallet.receipts(), wallet.gaps()), (1, 0));
    provider.pay(&wallet.payment().await.unwrap().unwrap().payload.voucher.unwrap().message);
}

/// Serves so many orders whose answers nobody sees.
async fn lose(wallet: &Wallet, provider: &mut Provider, orders: u64) {
    for _ in 0..orders {
        let (_, payment) = wallet.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).await.unwrap();
        payment.payload.voucher.iter().for_each(|voucher| provider.pay(&voucher.message));
        provider.serve(wallet.channel(), &payment.payload.order.unwrap().message, 3);
    }
}

#[tokio::test]
async fn answers_that_did_not_come_are_counted_on_disk_until_one_comes() {
    let (disk, mut provider) = (Disk::new(), Provider::default());
    let wallet = disk.wallet(LIMITS).unwrap();
    lose(&wallet, &mut provider, 3).await;
    (0..3).for_each(|nonce| wallet.lose(nonce));
    wallet.flush().await.unwrap();
    drop(wallet);
    let wallet = disk.wallet(LIMITS).unwrap();
    wallet.recover(provider.unpaid(), true, NOW).unwrap();
    assert_eq!(wallet.missed(), 3, "each was given up");
    wallet.flush().await.unwrap();
    drop(wallet);
    let wallet = disk.wallet(LIMITS).unwrap();
    assert_eq!(wallet.missed(), 3);
    let (nonce, payment) = wallet.begin(&hashv(&[b"body"]), Amount::new(20), NOW, LATER).await.unwrap();
    let signed = provider.serve(wallet.channel(), &payment.payload.order.unwrap().message, 3);
    let answer = Answer::Whole { hash: &signed.message.response_hash, counted: &counted(b"body") };
    wallet.accept(nonce, &signed, &answer).unwrap();
    wallet.flush().await.unwrap();
    drop(wallet);
    assert_eq!(disk.wallet(LIMITS).unwrap().missed(), 0);
}

#[tokio::test]
async fn a_client_that_was_killed_is_counted_once_whatever_it_was_waiting_for() {
    let (disk, mut provider) = (Disk::new(), Provider::default());
    // Of the last, only so many are asked for as may still be missed.
    for (killed, orders, receipts) in [(1, 2, 2), (2, 2, 4), (3, 2, 6), (4, 1, 7)] {
        let wallet = disk.wallet(LIMITS).unwrap();
        lose(&wallet, &mut provider, orders).await;
        drop(wallet);
        let wallet = disk.wallet(LIMITS).unwrap();
        wallet.recover(provider.unpaid(), true, NOW).unwrap();
        wallet.flush().await.unwrap();
        assert_eq!((wallet.missed(), wallet.receipts()), (killed, receipts));
        wallet
            .payment()
            .await
            .unwrap()
            .into_iter()
            .for_each(|payment| provider.pay(&payment.payload.voucher.unwrap().message));
    }
    let stopped = disk.wallet(LIMITS).unwrap().begin(&[0; 32], Amount::new(20), NOW, LATER).await;
    assert!(matches!(stopped, Err(WalletError::Stop(Stop::Missed(4)))));
}

#[test]
fn a_journal_of_before_answers_were_counted_is_read() {
    let disk = Disk::new();
    drop(disk.journal());
    let db = rusqlite::Connection::open(disk.path()).unwrap();
    db.execute_batch("drop table missed; drop table given_up").unwrap();
    drop(db);
    assert_eq!(disk.journal().read().unwrap(), Kept::default());
}

#[tokio::test]
async fn an_old_copy_signs_nothing() {
    let (disk, mut provider) = (Disk::new(), Provider::default());
    let wallet = disk.wallet(LIMITS).unwrap();
    buy(&wallet, &mut provider).await;
    wallet.flush().await.unwrap();
    drop(wallet);
    let channel = joule_client::Channel { settled: 2, ..channel(1_000) };
    let opened = Wallet::new(channel, LIMITS, SigningKey::from_bytes(&[5; 32]), disk.journal());
    assert!(matches!(opened.err(), Some(WalletError::Corrupt(Corrupt::Old { kept: 1, settled: 2 }))));
}

#[tokio::test]
async fn a_journal_that_was_tampered_with_signs_nothing() {
    let (disk, mut provider) = (Disk::new(), Provider::default());
    let wallet = disk.wallet(LIMITS).unwrap();
    for _ in 0..3 {
        buy(&wallet, &mut provider).await;
    }
    wallet.payment().await.unwrap();
    drop(wallet);
    let run = |sql: &str| rusqlite::Connection::open(disk.path()).unwrap().execute_batch(sql).unwrap();
    run("update receipt set number = 9 where number = 2");
    assert!(matches!(disk.wallet(LIMITS), Err(WalletError::Corrupt(Corrupt::Gap { found: 3, wanted: 2 }))));
    run("delete from receipt where number > 1");
    assert!(matches!(disk.wallet(LIMITS), Err(WalletError::Corrupt(Corrupt::Voucher))));
}

#[tokio::test]
async fn requests_at_once_are_written_and_signed_one_after_the_other() {
    let disk = Disk::new();
    let limits = Limits { window: 64, ..LIMITS };
    let wallet = std::sync::Arc::new(disk.wallet(limits).unwrap());
    let begun = (0..50).map(|_| {
        let wallet = wallet.clone();
        tokio::spawn(async move { wallet.begin(&[0; 32], Amount::new(20), NOW, LATER).await.unwrap().0 })
    });
    let mut nonces = Vec::new();
    for task in begun.collect::<Vec<_>>() {
        nonces.push(task.await.unwrap());
    }
    nonces.sort_unstable();
    assert_eq!(nonces, (0..50).collect::<Vec<_>>());
    let next = wallet.begin(&[0; 32], Amount::new(20), NOW, LATER).await;
    assert!(matches!(next, Err(WalletError::Stop(Stop::Wait))), "1000 are at stake");
}
