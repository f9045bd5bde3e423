//! What a store would do with its settings.

use crate::{config::Settings, health::probe, space::Space};
use joule_artifacts::ArtifactStore;
use joule_cors::Cors;
use joule_settings::{Report, Size};

/// The shape alone, if `offline`.
pub async fn check(settings: &Settings, offline: bool) -> Report {
    let mut report = shape(settings);
    if offline || !report.ok {
        return report;
    }
    let store = match ArtifactStore::open(&settings.artifacts) {
        Ok(store) => store,
        Err(error) => {
            report.failed("artifacts", error, "give a folder or s3://bucket/prefix");
            return report;
        }
    };
    let place = store.location();
    match probe(&store).await {
        Ok(()) => report.good("artifacts", format_args!("{place} can be read and written")),
        Err(error) => {
            return with(report, |report| report.failed("artifacts", error, "see that this user may write there"))
        }
    }
    match Space::measure(&store, settings).await {
        Err(error) => report.failed("artifacts", error, "see that this user may list what is there"),
        Ok(space) if space.is_full() => report.waits(
            "max_stored",
            format_args!("{} are stored, and no more fits", space.taken()),
            "raise max_stored, lower min_free, or make room; what is there is given out meanwhile",
        ),
        Ok(space) => report
            .good("max_stored", format_args!("{} bytes are stored of {}", space.taken(), Size(settings.max_stored))),
    }
    report
}

fn with(mut report: Report, add: impl FnOnce(&mut Report)) -> Report {
    add(&mut report);
    report
}

/// What needs nobody to answer.
pub fn shape(settings: &Settings) -> Report {
    let mut report = Report::new("store");
    let place = &settings.artifacts;
    let is_service = ["http://", "https://"].iter().any(|scheme| place.starts_with(scheme));
    if is_service {
        let found = format_args!("{place} is a service itself");
        report.wrong("artifacts", found, "give [store] a folder or s3://bucket/prefix of its own");
    } else if place.is_empty()
        || (place.contains("://") && !["file://", "s3://"].iter().any(|it| place.starts_with(it)))
    {
        report.wrong(
            "artifacts",
            format_args!("{place:?} is no place for artifacts"),
            "give a folder or s3://bucket/prefix",
        );
    }
    if let Err(error) = Cors::new(&settings.cors_origins, &[]) {
        report.wrong("cors_origins", error, "name web pages so");
    }
    if report.ok {
        report.good("settings", format_args!("their form is good; it would serve at {}", settings.listen));
    }
    report
}
