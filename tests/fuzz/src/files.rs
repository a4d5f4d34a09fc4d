//! Files that the programs read, and what comes over the socket inside a device's directory.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs};

/// The configuration of a node. What is said of a wrong one has a name, and a place unless something is
/// not there at all.
pub fn node_config(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Err((name, what)) = comityd::check_config(text) {
        assert!(["ConfigSyntax", "ConfigUnknownKey", "ConfigValue"].contains(&name), "{name}");
        assert!(what.starts_with("comity.toml:") || what.ends_with("is missing"), "{what:?} has no place");
    }
}

/// The settings of the command line client. Every fault has its line, and can be printed.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for fault in comity::check_settings(text) {
        assert!(fault.starts_with("config.toml"), "{fault:?} has no place");
        assert!(!fault.contains(['\u{1b}', '\n', '\u{202e}']), "{fault:?} is not fit to print");
    }
}

/// A report that somebody's machine posts: the first byte says to which path, and of which event. What
/// goes to a room is bounded.
pub fn hook_report(bytes: &[u8]) {
    let Some((what, body)) = bytes.split_first() else { return };
    let paths = ["/alertmanager", "/github", "/json", "/"];
    let events = ["push", "pull_request", "issues", "release", "workflow_run", "ping", "star"];
    let what = usize::from(*what);
    let event = events.get(what / paths.len()).copied();
    if let Some(text) = comity::check_report(paths[what % paths.len()], event, body) {
        assert!(text.len() <= 8_192 + '…'.len_utf8(), "{} bytes", text.len());
    }
}

/// A line of a bot's program.
pub fn bot_action(bytes: &[u8]) {
    let Ok(line) = str::from_utf8(bytes) else { return };
    if comity::check_action(line) {
        assert!(line.trim_start().starts_with('{'), "{line:?} is an object");
    }
}

/// The manifest of a backup.
pub fn manifest(bytes: &[u8]) {
    if let Err((name, _)) = comityd::check_manifest(bytes) {
        assert!(["ManifestMalformed", "BackupNewer"].contains(&name), "{name}");
    }
}

/// A directory that looks like a device's to who has no key; the same at each run.
static DEVICE: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = env::temp_dir().join("comity-fuzz-seal");
    fs::create_dir_all(&dir).expect("a directory");
    fs::write(dir.join("profile"), b"sealed").expect("a file");
    dir
});

/// The file that wraps a client's key. It says how it is protected, or what is wrong with it, and opens
/// nothing for who has no key.
pub fn seal(bytes: &[u8]) {
    fs::write(DEVICE.join("seal"), bytes).expect("a file");
    if client::protection(&DEVICE).is_ok_and(|protection| protection == client::Protection::File) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let opened = runtime.block_on(client::check_unlock(&DEVICE, &client::Unlock::Stored));
        assert!(opened.is_err(), "there is no key");
    }
}

/// What a guest says to the owner of a device, and the owner to a guest.
pub fn owner_socket(bytes: &[u8]) {
    #[cfg(fuzzing)]
    client::fuzzing::socket(bytes);
    // Without the fuzzer's compiler flag the client has no way in.
    #[cfg(not(fuzzing))]
    let _ = bytes;
}
