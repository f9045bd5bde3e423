//! What promises need, on this machine's own disk: the spec, module and input of each job that this node is bound to.
//!
//! Anybody may take them out of the artifact store once a bond is at stake. Here they stay from before the promise until the
//! job needs nothing of this node any more. What others' disputes need lies beside it, in as much room of its own: whoever
//! stages disputes keeps nobody from promising.

use crate::chain::Address;
use joule_artifacts::{Bytes, Hash};
use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long something stays that nobody seems to be bound to: a transaction that was given up may still arrive.
const GRACE: Duration = Duration::from_secs(180);

/// Why an artifact cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error("cannot use {path}: {cause}")]
    Disk { path: PathBuf, cause: io::Error },
    #[error("the {needed} bytes that it needs do not fit beside what is kept for other jobs; {most} are allowed: --max-kept")]
    Full { needed: u64, most: u64 },
}

/// One of a job's artifacts.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub hash: Hash,
    /// They hash to that.
    pub bytes: Bytes,
    /// They were read from this disk.
    pub was_kept: bool,
}

/// Why something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// For a promise that is not made where there is no room.
    Offer,
    /// For one that is made, whether there is room or not.
    Bound,
    /// To judge others' work, where there is room for that.
    Dispute,
}

/// What is kept for one job.
#[derive(Debug)]
struct Held {
    /// With their lengths in bytes.
    artifacts: Vec<(Hash, u64)>,
    /// Others', and not for a promise.
    is_dispute: bool,
    /// When somebody was last known to be bound to it.
    seen: Instant,
    /// When others were last given it.
    served: Option<Instant>,
}

impl Held {
    fn new(artifacts: Vec<(Hash, u64)>, is_dispute: bool) -> Self {
        Self { artifacts, is_dispute, seen: Instant::now(), served: None }
    }
}

/// The folder: `artifacts/<hash>`, and in `jobs/<address>` which of them a promise needs, in `disputes/<address>` which of them
/// others' work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kept {
    folder: Arc<Path>,
    /// Bytes of all artifacts together, beyond which nothing is kept for a new promise; and once more so many for disputes.
    most: u64,
    jobs: Arc<Mutex<HashMap<Address, Held>>>,
}

impl Kept {
    /// Makes the folder if it is missing.
    pub fn open(folder: &Path, most: u64) -> Result<Self, KeptError> {
        let kept = Self { folder: folder.into(), most, jobs: Arc::default() };
        let mut jobs = HashMap::new();
        for is_dispute in [true, false] {
            for path in entries(&kept.folder.join(list_folder(is_dispute)))? {
                let address = path.file_name().and_then(|name| name.to_str()?.parse().ok());
                let text = fs::read_to_string(&path).map_err(|cause| disk(&path, cause))?;
                match (address, parse(&text)) {
                    (Some(address), Some(artifacts)) => {
                        jobs.insert(address, Held::new(artifacts, is_dispute));
                    }
                    // Half written, or somebody's who has no business here.
                    _ => remove(&path)?,
                }
            }
        }
        *kept.lock() = jobs;
        // What a process left that was killed.
        kept.sweep(&kept.lock(), |_| true)?;
        Ok(kept)
    }

    /// An artifact of at most `most` bytes, if there is an undamaged copy of it.
    pub async fn get(&self, hash: Hash, most: u64) -> Option<Bytes> {
        let path = self.path(hash);
        let read = move || {
            let is_short = fs::metadata(&path).is_ok_and(|found| found.len() <= most);
            let bytes = is_short.then(|| fs::read(&path).ok()).flatten()?;
            (Hash::of(&bytes) == hash).then(|| Bytes::from(bytes))
        };
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    /// On return they are on the disk, and stay there until the job is released.
    pub async fn keep(&self, job: Address, artifacts: Vec<Fetched>, why: Why) -> Result<(), KeptError> {
        let kept = self.clone();
        let write = move || kept.write(job, &artifacts, why);
        tokio::task::spawn_blocking(write)
            .await
            .unwrap_or_else(|error| Err(disk(&self.folder, io::Error::other(error))))
    }

    fn write(&self, job: Address, artifacts: &[Fetched], why: Why) -> Result<(), KeptError> {
        let list: Vec<_> = artifacts.iter().map(|one| (one.hash, one.bytes.len() as u64)).collect();
        let (is_dispute, was_dispute) = {
            // Held before it is written, so that nobody sweeps it away in between.
            let mut jobs = self.lock();
            let was_dispute = jobs.get(&job).map(|held| held.is_dispute);
            // What was promised stays so when it is disputed.
            let is_dispute = why == Why::Dispute && was_dispute != Some(false);
            let is_asked = why == Why::Offer || is_dispute;
            if is_asked && !fits(&jobs, &list, is_dispute, self.most) {
                let needed = list.iter().map(|(_, bytes)| bytes).sum();
                return Err(KeptError::Full { needed, most: self.most });
            }
            jobs.insert(job, Held::new(list.clone(), is_dispute));
            (is_dispute, was_dispute)
        };
        let path = self.list_path(job, is_dispute);
        joule_private::replace(&path, text(&list).as_bytes()).map_err(|cause| disk(&path, cause))?;
        if was_dispute == Some(!is_dispute) {
            remove(&self.list_path(job, !is_dispute))?;
        }
        for Fetched { hash, bytes, was_kept } in artifacts {
            let path = self.path(*hash);
            if !was_kept || !path.exists() {
                joule_private::replace(&path, bytes).map_err(|cause| disk(&path, cause))?;
            }
        }
        Ok(())
    }

    /// What is kept for a job.
    pub fn of(&self, job: &Address) -> Vec<Hash> {
        let jobs = self.lock();
        jobs.get(job).map_or_else(Vec::new, |held| held.artifacts.iter().map(|(hash, _)| *hash).collect())
    }

    /// Whether that is kept for a job, and is on the disk.
    pub fn has(&self, job: &Address, hash: Hash) -> bool {
        self.of(job).contains(&hash) && self.path(hash).is_file()
    }

    /// Whether others were not given it for so long; they are now.
    pub fn is_to_be_served(&self, job: &Address, every: Duration) -> bool {
        match self.lock().get_mut(job) {
            Some(held) if held.served.is_none_or(|at| at.elapsed() >= every) => {
                held.served = Some(Instant::now());
                true
            }
            _ => false,
        }
    }

    /// Nobody is bound to it.
    pub fn forget(&self, job: &Address) {
        if let Some(held) = self.lock().remove(job) {
            // If it stays, the next start finds it, and lets go of it again.
            let _ = fs::remove_file(self.list_path(*job, held.is_dispute));
        }
    }

    /// Lets go of all jobs but those that somebody is `bound` to, or was lately, and of what no job needs any more.
    pub async fn release(&self, bound: HashSet<Address>) -> Result<(), KeptError> {
        let kept = self.clone();
        let release = move || kept.release_after(&bound, GRACE);
        tokio::task::spawn_blocking(release).await.unwrap_or(Ok(()))
    }

    fn release_after(&self, bound: &HashSet<Address>, grace: Duration) -> Result<(), KeptError> {
        // Locked until the files are gone: what is held meanwhile is written afterwards.
        let mut jobs = self.lock();
        for (job, held) in jobs.iter_mut() {
            if bound.contains(job) {
                held.seen = Instant::now();
            }
        }
        let is_over = |job: &Address, held: &Held| !bound.contains(job) && held.seen.elapsed() >= grace;
        let over = jobs.iter().filter(|(job, held)| is_over(job, held));
        let over: Vec<_> = over.map(|(job, held)| (*job, held.is_dispute)).collect();
        for (job, is_dispute) in over {
            jobs.remove(&job);
            remove(&self.list_path(job, is_dispute))?;
        }
        // A file that is no artifact is being written.
        self.sweep(&jobs, |path| name(path).is_some())
    }

    /// Removes files that are no artifacts of these jobs, where `may_go` says so.
    fn sweep(&self, jobs: &HashMap<Address, Held>, may_go: impl Fn(&Path) -> bool) -> Result<(), KeptError> {
        let needed: HashSet<_> = jobs.values().flat_map(|held| held.artifacts.iter().map(|(hash, _)| *hash)).collect();
        for path in entries(&self.folder.join("artifacts"))? {
            if !name(&path).is_some_and(|hash| needed.contains(&hash)) && may_go(&path) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn path(&self, hash: Hash) -> PathBuf {
        self.folder.join("artifacts").join(hash.to_string())
    }

    fn list_path(&self, job: Address, is_dispute: bool) -> PathBuf {
        self.folder.join(list_folder(is_dispute)).join(job.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Address, Held>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where it is written down what a job needs.
fn list_folder(is_dispute: bool) -> &'static str {
    match is_dispute {
        true => "disputes",
        false => "jobs",
    }
}

/// Whether these fit beside the others that are kept for the same; what several jobs need is there once.
fn fits(jobs: &HashMap<Address, Held>, list: &[(Hash, u64)], is_dispute: bool, most: u64) -> bool {
    let held = jobs.values().filter(|held| held.is_dispute == is_dispute);
    let all: HashMap<Hash, u64> = held.flat_map(|held| &held.artifacts).chain(list).copied().collect();
    all.values().sum::<u64>() <= most
}

fn name(path: &Path) -> Option<Hash> {
    path.file_name()?.to_str()?.parse().ok()
}

/// One artifact a line: its hash and its length.
fn text(artifacts: &[(Hash, u64)]) -> String {
    artifacts.iter().map(|(hash, bytes)| format!("{hash} {bytes}\n")).collect()
}

fn parse(text: &str) -> Option<Vec<(Hash, u64)>> {
    let line = |line: &str| {
        let (hash, bytes) = line.split_once(' ')?;
        Some((hash.parse().ok()?, bytes.parse().ok()?))
    };
    text.lines().map(line).collect()
}

/// The files in a folder, which is made if it is missing.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, KeptError> {
    let failed = |cause| disk(folder, cause);
    joule_private::folder(folder).map_err(failed)?;
    let listed = fs::read_dir(folder).map_err(failed)?;
    listed.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

fn remove(path: &Path) -> Result<(), KeptError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(disk(path, cause)),
        _ => Ok(()),
    }
}

fn disk(path: &Path, cause: io::Error) -> KeptError {
    KeptError::Disk { path: path.into(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: u8) -> Address {
        Address::new_from_array([number; 32])
    }

    fn fetched(text: &'static str) -> Fetched {
        Fetched { hash: Hash::of(text.as_bytes()), bytes: text.into(), was_kept: false }
    }

    fn files(folder: &Path) -> usize {
        entries(&folder.join("artifacts")).unwrap().len()
    }

    #[tokio::test]
    async fn what_is_kept_is_there_after_a_restart_and_until_nobody_is_bound_to_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("kept");
        let kept = Kept::open(&folder, 100).unwrap();
        let shared = fetched("module");
        kept.keep(job(1), vec![shared.clone(), fetched("one")], Why::Offer).await.unwrap();
        kept.keep(job(2), vec![shared.clone(), fetched("two")], Why::Offer).await.unwrap();

        let kept = Kept::open(&folder, 100).unwrap();
        assert_eq!(kept.get(fetched("one").hash, 100).await.unwrap(), "one");
        assert_eq!(kept.get(fetched("one").hash, 2).await, None, "longer than asked for");
        kept.release_after(&HashSet::new(), GRACE).unwrap();
        assert_eq!(files(&folder), 3, "somebody may have been bound to it a moment ago");
        kept.release_after(&HashSet::from([job(2)]), Duration::ZERO).unwrap();
        assert_eq!((kept.of(&job(1)), kept.of(&job(2)).len()), (vec![], 2));
        assert_eq!(kept.get(fetched("one").hash, 100).await, None);
        assert_eq!(kept.get(shared.hash, 100).await.unwrap(), "module", "the other job needs it too");
    }

    #[tokio::test]
    async fn a_damaged_copy_is_none_and_is_replaced() {
        let place = tempfile::tempdir().unwrap();
        let kept = Kept::open(place.path(), 100).unwrap();
        let one = fetched("one");
        kept.keep(job(1), vec![one.clone()], Why::Offer).await.unwrap();
        fs::write(kept.path(one.hash), "eno").unwrap();
        assert_eq!(kept.get(one.hash, 100).await, None);
        kept.keep(job(1), vec![one.clone()], Why::Bound).await.unwrap();
        assert_eq!(kept.get(one.hash, 100).await.unwrap(), "one");
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_not_taken_for_kept() {
        let place = tempfile::tempdir().unwrap();
        let (kept, one) = (Kept::open(place.path(), 100).unwrap(), fetched("one"));
        // A file where the folder has to be.
        let folder = place.path().join("artifacts");
        fs::remove_dir(&folder).unwrap();
        fs::write(&folder, "").unwrap();
        let failed = kept.keep(job(1), vec![one.clone()], Why::Bound).await.unwrap_err();
        assert!(matches!(failed, KeptError::Disk { .. }) && !kept.has(&job(1), one.hash), "{failed}");
        fs::remove_file(&folder).unwrap();
        assert!(!Kept::open(place.path(), 100).unwrap().has(&job(1), one.hash), "after a restart neither");
        kept.keep(job(1), vec![one.clone()], Why::Bound).await.unwrap();
        assert!(kept.has(&job(1), one.hash) && !kept.has(&job(2), one.hash));
    }

    #[tokio::test]
    async fn no_promise_is_made_for_which_there_is_no_room_and_none_is_broken_for_that() {
        let place = tempfile::tempdir().unwrap();
        let kept = Kept::open(place.path(), 8).unwrap();
        let (shared, one, two) = (fetched("abcd"), fetched("1234"), fetched("5678"));
        kept.keep(job(1), vec![shared.clone(), one], Why::Offer).await.unwrap();
        let full = kept.keep(job(2), vec![shared.clone(), two.clone()], Why::Offer).await.unwrap_err();
        assert!(matches!(full, KeptError::Full { needed: 8, most: 8 }), "{full}");
        kept.keep(job(2), vec![shared, two], Why::Bound).await.unwrap();
        kept.forget(&job(1));
        kept.forget(&job(2));
        assert!(Kept::open(place.path(), 8).unwrap().of(&job(2)).is_empty());
        assert_eq!(files(place.path()), 0, "and what nobody needs is gone");
    }

    #[tokio::test]
    async fn disputes_have_room_of_their_own_and_take_none_of_what_promises_need() {
        let place = tempfile::tempdir().unwrap();
        let kept = Kept::open(place.path(), 8).unwrap();
        kept.keep(job(1), vec![fetched("12345678")], Why::Dispute).await.unwrap();
        let full = kept.keep(job(2), vec![fetched("a")], Why::Dispute).await.unwrap_err();
        assert!(matches!(full, KeptError::Full { .. }), "{full}");
        kept.keep(job(3), vec![fetched("87654321")], Why::Offer).await.unwrap();
        // It is known after a restart what is kept for which.
        let kept = Kept::open(place.path(), 8).unwrap();
        assert!(kept.keep(job(2), vec![fetched("a")], Why::Dispute).await.is_err());
        kept.forget(&job(3));
        kept.keep(job(4), vec![fetched("abcdefgh")], Why::Offer).await.unwrap();
        // What was promised and is disputed takes none of the disputes' room, and the other way round.
        kept.keep(job(4), vec![fetched("abcdefgh")], Why::Dispute).await.unwrap();
        kept.keep(job(1), vec![fetched("12345678")], Why::Bound).await.unwrap();
        let kept = Kept::open(place.path(), 8).unwrap();
        assert!(kept.keep(job(5), vec![fetched("a")], Why::Offer).await.is_err());
        kept.keep(job(5), vec![fetched("a")], Why::Dispute).await.unwrap();
    }
}
