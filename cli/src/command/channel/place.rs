//! Where the key and the journal of a channel lie, and what the chain says of it.

use crate::{context::Options, failure::Failure};
use joule_client::{Channel, Journal, Limits, Wallet, WalletError};
use joule_sdk::{
    billing::{
        state::{Channel as OnChain, Cluster},
        ID,
    },
    keys, pda,
    registry::state::PriceList,
    units::{Amount, UnixTime},
    voucher::{Domain, SigningKey},
    Chain, Keypair, Pubkey,
};
use std::path::{Path, PathBuf};

/// The folder of one channel. Its journal must never go back in time: do not restore it from a copy.
pub struct Place(PathBuf);

impl Place {
    /// Beside the local network's keys, or in the user's data.
    pub fn of(options: &Options, channel: &Pubkey) -> Result<Self, Failure> {
        let folder = match options.network()? {
            Some(_) => options.state_dir().join("channels"),
            None => {
                let home =
                    std::env::var_os("HOME").ok_or_else(|| Failure::Input("no HOME to keep a journal in".into()))?;
                Path::new(&home).join(".local/share/joule/channels")
            }
        };
        Ok(Self(folder.join(channel.to_string())))
    }

    pub fn journal_file(&self) -> PathBuf {
        self.0.join("journal.sqlite")
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("session.json")
    }

    /// Makes the session's key; on return it is on the disk, and a channel may name it. One that an earlier try has left is as
    /// good.
    pub fn make_key(&self) -> Result<Keypair, Failure> {
        if self.journal_file().exists() {
            let path = self.0.display();
            return Err(Failure::Refused(format!(
                "{path} has the journal of a channel that another network had at this address: move it away"
            )));
        }
        if !self.key_file().exists() {
            keys::write(&self.key_file(), &Keypair::new())?;
        }
        Ok(keys::adopt(&self.key_file())?)
    }

    fn key(&self) -> Result<Keypair, Failure> {
        match self.key_file().exists() {
            true => Ok(keys::read(&self.key_file())?),
            false => Err(Failure::NotFound(format!(
                "{} does not exist: this is not the machine that opened the channel",
                self.key_file().display()
            ))),
        }
    }
}

/// A channel that this machine signs for.
pub struct Own {
    pub address: Pubkey,
    pub state: OnChain,
    pub prices: PriceList,
    pub genesis: [u8; 32],
    pub place: Place,
}

impl Own {
    pub async fn find(options: &Options, chain: &Chain, address: Pubkey) -> Result<Self, Failure> {
        let state = chain.find::<OnChain>(&address).await?;
        let state = state.ok_or_else(|| {
            Failure::NotFound(format!("no channel {address} on the chain: it is closed, or never was"))
        })?;
        let prices = chain.get(&state.prices).await?;
        let cluster: Cluster = chain.get(&pda::cluster()).await?;
        Ok(Self { address, state, prices, genesis: cluster.genesis_hash, place: Place::of(options, &address)? })
    }

    /// As the chain has it by now.
    pub async fn again(&self, chain: &Chain) -> Result<Self, Failure> {
        let (address, prices, genesis) = (self.address, self.prices, self.genesis);
        Ok(Self { address, state: chain.get(&address).await?, prices, genesis, place: Place(self.place.0.clone()) })
    }

    pub fn channel(&self) -> Channel {
        let session = &self.state.session;
        Channel {
            address: self.address.to_bytes(),
            program: ID.to_bytes(),
            genesis: self.genesis,
            authority: self.state.authority.to_bytes(),
            prices: (&self.prices.prices).into(),
            most: Amount::new(self.state.cap.get().min(session.limit.get())),
            session_expires_at: UnixTime::new(session.expires_at.get()),
            settled: self.state.sequence.get(),
        }
    }

    pub fn journal(&self) -> Result<Journal, Failure> {
        Ok(Journal::open(&self.place.journal_file(), self.channel().context(Domain::Voucher).bytes())
            .map_err(WalletError::from)?)
    }

    /// Opens the journal, goes on from there, and signs with the session's key.
    pub fn wallet(&self, limits: Limits) -> Result<Wallet, Failure> {
        let key = self.place.key()?;
        let signer = joule_sdk::Signer::pubkey(&key);
        if signer != self.state.session.signer {
            return Err(Failure::Refused(format!(
                "channel {} is {}'s to sign for, not {signer}'s",
                self.address, self.state.session.signer
            )));
        }
        Ok(Wallet::new(self.channel(), limits, SigningKey::from_bytes(key.secret_bytes()), self.journal()?)?)
    }
}
