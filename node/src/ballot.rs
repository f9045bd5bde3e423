//! Votes, written down before they are sent. A vote that was committed and cannot be opened loses its stake, and what opens it,
//! the salt, is nowhere on the chain: this is the one thing that the node keeps on disk.

use crate::chain::Address;
use joule_artifacts::Hash;
use joule_sdk::escrow::state::commitment;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// What opens a commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ballot {
    /// Which dispute, if a development chain has started anew and given its address away again: when it was opened, in Unix
    /// seconds.
    pub opened_at: i64,
    pub output: Hash,
    /// Random, 32 bytes; written as hex like a hash.
    pub salt: Hash,
}

impl Ballot {
    /// For an output, with a fresh salt.
    pub fn new(opened_at: i64, output: Hash) -> io::Result<Self> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { opened_at, output, salt: salt.into() })
    }

    pub fn commitment(&self, job: &Address, juror: &Address) -> [u8; 32] {
        commitment(job, self.output.as_bytes(), self.salt.as_bytes(), juror)
    }
}

/// The folder of ballots, one file a vote. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ballots {
    folder: PathBuf,
}

impl Ballots {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn path(&self, vote: &Address) -> PathBuf {
        self.folder.join(format!("{vote}.json"))
    }

    /// The ballot of a vote in the dispute that was opened then.
    pub fn find(&self, vote: &Address, opened_at: i64) -> io::Result<Option<Ballot>> {
        let path = self.path(vote);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(named(&path, error)),
        };
        let ballot: Ballot = serde_json::from_slice(&text).map_err(|error| named(&path, error.into()))?;
        Ok((ballot.opened_at == opened_at).then_some(ballot))
    }

    /// On return the ballot is on the disk: it survives this process and a loss of power.
    pub fn keep(&self, vote: &Address, ballot: &Ballot) -> io::Result<()> {
        let path = self.path(vote);
        let write = || {
            fs::create_dir_all(&self.folder)?;
            let partial = path.with_extension("partial");
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
            file.write_all(&serde_json::to_vec(ballot)?)?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            // The name too.
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|error| named(&path, error))
    }

    /// The vote is wound up: nothing is left to be opened.
    pub fn forget(&self, vote: &Address) {
        // What stays costs a few bytes, and the next dispute at that address sees that it is another's.
        let _ = fs::remove_file(self.path(vote));
    }
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the ballot {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote() -> Address {
        Address::new_from_array([5; 32])
    }

    #[test]
    fn a_ballot_is_found_by_another_process_and_forgotten_when_it_is_wound_up() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("votes");
        let ballot = Ballot::new(7, Hash::of(b"output")).unwrap();
        Ballots::new(&place).keep(&vote(), &ballot).unwrap();
        let again = Ballots::new(&place);
        assert_eq!(again.find(&vote(), 7).unwrap(), Some(ballot));
        again.forget(&vote());
        assert_eq!(again.find(&vote(), 7).unwrap(), None);
    }

    #[test]
    fn a_ballot_of_another_chain_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let ballots = Ballots::new(folder.path());
        ballots.keep(&vote(), &Ballot::new(7, Hash::of(b"output")).unwrap()).unwrap();
        assert_eq!(ballots.find(&vote(), 8).unwrap(), None);
    }

    #[test]
    fn a_damaged_ballot_is_an_error_that_names_the_file_and_not_a_second_vote() {
        let folder = tempfile::tempdir().unwrap();
        let ballots = Ballots::new(folder.path());
        fs::write(ballots.path(&vote()), "{").unwrap();
        assert!(ballots.find(&vote(), 7).unwrap_err().to_string().contains(&vote().to_string()));
    }

    #[test]
    fn two_votes_for_one_output_do_not_look_alike() {
        let (job, juror) = (vote(), Address::new_from_array([6; 32]));
        let [one, other] = [(); 2].map(|()| Ballot::new(7, Hash::of(b"output")).unwrap().commitment(&job, &juror));
        assert_ne!(one, other);
    }
}
