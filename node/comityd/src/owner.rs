//! Whose a data directory is, for somebody else who may not look into it.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::failure::{Exit, Failure};

/// The names of the users of this machine.
const USERS: &str = "/etc/passwd";

/// Somebody may not look at a path: what is told, and as whom to go on.
pub(crate) fn denied(path: &Path) -> Failure {
    let what = match owner(path) {
        Some((place, owner)) if owner != user() => {
            let (owner, user) = (named(owner), named(user()));
            format!(
                "{}: permission denied: {} belongs to {owner}, and this is {user}",
                path.display(),
                place.display()
            )
        }
        _ => format!("{}: permission denied", path.display()),
    };
    Failure::new(Exit::Storage, "PermissionDenied", what, hint(path))
}

/// As whom to go on where this user may not.
pub(crate) fn hint(path: &Path) -> String {
    match owner(path) {
        Some((_, owner)) if owner != user() => run_as(owner),
        Some((place, _)) => format!("look at the modes of {}: ls -ld", place.display()),
        None => "run it as the user that owns the data directory".to_owned(),
    }
}

/// The command that does it as another user.
pub(crate) fn run_as(owner: u32) -> String {
    match (owner, name(owner)) {
        (0, _) => "run it as root: `sudo comityd …`".to_owned(),
        (_, Some(name)) => format!("run it as that user: `sudo -u {name} comityd …`"),
        (uid, None) => format!("run it as that user: `sudo -u '#{uid}' comityd …`"),
    }
}

/// The last part of a path that can be looked at from outside, and whose it is.
fn owner(path: &Path) -> Option<(PathBuf, u32)> {
    path.ancestors().find_map(|part| Some((part.to_owned(), fs::metadata(part).ok()?.uid())))
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn named(uid: u32) -> String {
    name(uid).map_or_else(|| format!("uid {uid}"), |name| format!("the user {name}"))
}

fn name(uid: u32) -> Option<String> {
    name_in(&fs::read_to_string(USERS).ok()?, uid)
}

/// The name of a user in the list of a machine; not one that a shell would take for something else.
fn name_in(users: &str, uid: u32) -> Option<String> {
    let plain = |name: &str| {
        name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, found) = (fields.next()?, fields.nth(1)?);
        (found.parse() == Ok(uid) && plain(name)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number_and_named_only_if_it_is_harmless() {
        let users =
            "root:x:0:0::/root:/bin/sh\nbroken\n$(reboot):x:7:7::/:\ncomity:x:998:998::/:\n-n:x:9:9::/:\n";
        assert_eq!(name_in(users, 998).as_deref(), Some("comity"));
        assert_eq!(name_in(users, 0).as_deref(), Some("root"));
        for uid in [7, 9, 99, 1] {
            assert_eq!(name_in(users, uid), None, "{uid}");
        }
    }

    #[test]
    fn what_can_be_looked_at_says_whose_the_rest_is() {
        let temp = tempfile::tempdir().expect("a directory");
        let (place, uid) = owner(&temp.path().join("comity.toml")).expect("found");
        assert_eq!((place.as_path(), uid), (temp.path(), user()));
        assert!(run_as(u32::MAX).contains("sudo -u '#4294967295' comityd"));
        let denied = denied(Path::new("/"));
        assert_eq!((denied.exit, denied.name), (Exit::Storage, "PermissionDenied"));
    }
}
