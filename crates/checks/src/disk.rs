//! Files and folders of this machine.

use joule_sdk::{keys, Keypair, Signer as _};
use joule_settings::Report;
use std::{os::unix::fs::PermissionsExt as _, path::Path};

/// What anybody but the owner may do.
const OTHERS: u32 = 0o077;

/// The signer's key file: there, readable, and nobody else's.
pub fn key(report: &mut Report, path: &Path) -> Option<Keypair> {
    let shown = path.display();
    if !path.exists() {
        let advice = format!("make one by `solana-keygen new -o {shown}`, or name another by --key or `key`");
        report.wrong("key", format_args!("{shown} is not there"), advice);
        return None;
    }
    let key = match keys::read(path) {
        Ok(key) => key,
        Err(error) => {
            report.wrong("key", error, "name a Solana key file by --key or `key`");
            return None;
        }
    };
    let mode = std::fs::metadata(path).map_or(0, |found| found.permissions().mode());
    match mode & OTHERS {
        0 => report.good("key", format_args!("{shown} is {}", key.pubkey())),
        _ => report.warning(
            "key",
            format_args!("{shown} is {}, and others on this machine may read it", key.pubkey()),
            format_args!("`chmod 600 {shown}`"),
        ),
    }
    Some(key)
}

/// A folder that is there or can be made, and takes new files.
pub fn writable(report: &mut Report, of: &str, folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    match tempfile::tempfile_in(there) {
        Ok(_) if there == folder => report.good(of, format_args!("{} can be written", folder.display())),
        Ok(_) => report.good(of, format_args!("{} will be made", folder.display())),
        Err(error) => {
            let advice = format!("let this user write there, or choose another place by `{of}`");
            report.failed(of, format_args!("{} cannot be written: {error}", there.display()), advice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use joule_settings::Grade;

    #[test]
    fn a_key_is_there_is_one_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let look = || {
            let mut report = Report::new("node");
            let found = key(&mut report, &path).is_some();
            (found, report.findings.remove(0))
        };
        let (found, finding) = look();
        assert!(!found && finding.grade == Grade::Wrong && finding.advice.contains("solana-keygen"), "{finding}");
        std::fs::write(&path, "[1, 2]").unwrap();
        let (found, finding) = look();
        assert!(!found && finding.grade == Grade::Wrong && finding.found.contains("key.json"), "{finding}");
        std::fs::remove_file(&path).unwrap();
        keys::write(&path, &Keypair::new()).unwrap();
        assert_eq!((look().0, look().1.grade), (true, Grade::Good));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (found, finding) = look();
        assert!(found && finding.grade == Grade::Warning && finding.advice.contains("chmod 600"), "{finding}");
    }

    #[test]
    fn a_folder_is_looked_at_without_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::new("indexer");
        let missing = folder.path().join("a/b");
        writable(&mut report, "database", &missing);
        assert!(report.ok && report.findings[0].found.contains("will be made") && !missing.exists());
        std::fs::write(folder.path().join("a"), "").unwrap();
        writable(&mut report, "database", &missing);
        assert!(!report.ok, "a file is no folder: {report}");
    }
}
