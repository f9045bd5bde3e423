//! The example, which shows every setting: those that are commented out with their defaults.

/// `joule.example.toml`.
pub const EXAMPLE: &str = include_str!("../../../joule.example.toml");

/// The example with what is commented out in a section in force, all but the settings in `leave`, which have no default. With it
/// a service's tests see that the comments are true.
pub fn uncommented(section: &str, leave: &[&str]) -> String {
    let (mut is_inside, mut text) = (false, String::new());
    for line in EXAMPLE.lines() {
        if let Some(name) = line.trim_start_matches('[').split([']', '.']).next().filter(|_| line.starts_with('[')) {
            is_inside = name == section;
        }
        let setting =
            line.strip_prefix("# ").filter(|rest| is_inside && rest.split_once(" = ").is_some_and(is_setting));
        let is_left = |setting: &&str| leave.iter().any(|name| setting.split(" = ").next() == Some(name));
        text.push_str(setting.filter(|setting| !is_left(setting)).unwrap_or(line));
        text.push('\n');
    }
    text
}

fn is_setting((name, _): (&str, &str)) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SECTIONS;

    #[test]
    fn the_example_shows_every_section_and_is_toml_with_and_without_its_comments() {
        let example: toml::Table = toml::from_str(EXAMPLE).unwrap();
        for section in SECTIONS {
            assert!(example.contains_key(section), "{section}");
            let all: toml::Table = toml::from_str(&uncommented(section, &["x_token"])).unwrap();
            let count = |table: &toml::Table| table[section].as_table().unwrap().len();
            assert!(count(&all) > count(&example), "{section}");
        }
    }
}
