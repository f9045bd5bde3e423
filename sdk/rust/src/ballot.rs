//! Votes, written down before they are sent. A vote that was committed and cannot be opened loses its stake, and what opens it,
//! the salt, is nowhere on the chain. Node and CLI keep ballots in the same place: what one has committed the other can open.

use crate::{escrow::state::commitment, Pubkey};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What opens a commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// Which dispute, if a development chain has started anew and given its address away again: when it was opened, in Unix
    /// seconds.
    pub opened_at: i64,
    /// SHA-256 of what the job comes to.
    pub output: [u8; 32],
    /// Random.
    pub salt: [u8; 32],
}

impl Ballot {
    /// For an output, with a fresh salt.
    pub fn new(opened_at: i64, output: [u8; 32]) -> io::Result<Self> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { opened_at, output, salt })
    }

    /// What is committed to in the juror's name.
    pub fn commitment(&self, job: &Pubkey, juror: &Pubkey) -> [u8; 32] {
        commitment(job, &self.output, &self.salt, juror)
    }

    fn to_json(&self) -> String {
        let (output, salt) = (hex::encode(self.output), hex::encode(self.salt));
        serde_json::json!({ "opened_at": self.opened_at, "output": output, "salt": salt }).to_string()
    }

    fn from_json(text: &[u8]) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_slice(text).ok()?;
        let bytes = |name: &str| -> Option<[u8; 32]> { hex::decode(json[name].as_str()?).ok()?.try_into().ok() };
        Some(Self { opened_at: json["opened_at"].as_i64()?, output: bytes("output")?, salt: bytes("salt")? })
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

    /// Where the ballots of a key lie unless one says otherwise: beside its file, with `.votes` instead of its ending.
    pub fn beside(key_file: &Path) -> Self {
        Self { folder: key_file.with_extension("votes") }
    }

    fn path(&self, vote: &Pubkey) -> PathBuf {
        self.folder.join(format!("{vote}.json"))
    }

    /// The ballot of a vote in the dispute that was opened then.
    pub fn find(&self, vote: &Pubkey, opened_at: i64) -> io::Result<Option<Ballot>> {
        let path = self.path(vote);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(named(&path, error)),
        };
        let damaged = || named(&path, io::Error::new(io::ErrorKind::InvalidData, "it is damaged"));
        let ballot = Ballot::from_json(&text).ok_or_else(damaged)?;
        Ok((ballot.opened_at == opened_at).then_some(ballot))
    }

    /// On return the ballot is on the disk: it survives this process and a loss of power.
    pub fn keep(&self, vote: &Pubkey, ballot: &Ballot) -> io::Result<()> {
        let path = self.path(vote);
        joule_private::replace(&path, ballot.to_json().as_bytes()).map_err(|error| named(&path, error))
    }

    /// The vote is wound up: nothing is left to be opened.
    pub fn forget(&self, vote: &Pubkey) {
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

    fn vote() -> Pubkey {
        Pubkey::new_from_array([5; 32])
    }

    #[test]
    fn a_ballot_is_found_by_another_process_and_forgotten_when_it_is_wound_up() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("votes");
        let ballot = Ballot::new(7, [3; 32]).unwrap();
        Ballots::new(&place).keep(&vote(), &ballot).unwrap();
        let again = Ballots::new(&place);
        assert_eq!(again.find(&vote(), 7).unwrap(), Some(ballot));
        again.forget(&vote());
        assert_eq!(again.find(&vote(), 7).unwrap(), None);
    }

    #[test]
    fn ballots_are_for_the_juror_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let ballots = Ballots::new(&folder.path().join("votes"));
        ballots.keep(&vote(), &Ballot::new(7, [3; 32]).unwrap()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&ballots.folder), mode(&ballots.path(&vote()))), (0o700, 0o600));
    }

    #[test]
    fn a_ballot_of_another_chain_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let ballots = Ballots::new(folder.path());
        ballots.keep(&vote(), &Ballot::new(7, [3; 32]).unwrap()).unwrap();
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
        let (job, juror) = (vote(), Pubkey::new_from_array([6; 32]));
        let [one, other] = [(); 2].map(|()| Ballot::new(7, [3; 32]).unwrap().commitment(&job, &juror));
        assert_ne!(one, other);
    }
}
