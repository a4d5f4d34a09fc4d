//! The names of files: as they are sent, and as they may be saved on the disk of whoever receives
//! them.

use wire::{limits, text};

/// Room for what programs add to a name, in the 255 bytes that file systems have.
const SAVED_BYTES_MAX: usize = 200;

/// Names that mean a device on some systems, whatever stands behind their first dot.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// [MEDIA-8] A name that may be sent, made of that of a local file: what may not stand in it becomes `_`.
#[must_use]
pub fn to_send(name: &str) -> String {
    let refused =
        |letter: char| text::check_file_name(letter.encode_utf8(&mut [0; 4])).is_err() && letter != '.';
    let mut sent = cut(&name.replace(refused, "_"), limits::FILE_NAME_BYTES_MAX);
    if text::check_file_name(&sent).is_err() {
        sent = "file".to_owned();
    }
    sent
}

/// [MEDIA-9] Under which name a file that was received is saved, if nobody says another: within the
/// directory, visible, no option of a program, and a plain file on every system.
#[must_use]
pub fn to_save(name: &str) -> String {
    let refused = |letter: char| "<>:\"|?*".contains(letter);
    let mut saved = to_send(name).replace(refused, "_");
    let end = saved.trim_end_matches([' ', '.']).len();
    saved.truncate(end);
    let start = saved.trim_start().len();
    saved.drain(..saved.len() - start);
    if let Some(first @ ('.' | '-' | '~')) = saved.chars().next() {
        saved.replace_range(..first.len_utf8(), "_");
    }
    let stem = saved.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    if saved.is_empty() || DEVICES.contains(&stem.as_str()) {
        saved.insert(0, '_');
    }
    cut(&saved, SAVED_BYTES_MAX)
}

/// The name in at most so many bytes; its ending stays, for it says what the file is.
fn cut(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let ending = match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= 16 => name.get(at..).unwrap_or_default(),
        _ => "",
    };
    let stem = name.strip_suffix(ending).unwrap_or(name);
    format!("{}{ending}", &stem[..stem.floor_char_boundary(most - ending.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    // [MEDIA-8]
    #[test]
    fn whatever_a_local_file_is_called_its_name_can_be_sent() {
        let long = format!("{}.tar.gz", "ü".repeat(300));
        for (name, sent) in [
            ("plan.pdf", "plan.pdf"),
            ("two\nlines", "two_lines"),
            ("a/b\\c", "a_b_c"),
            ("..", "file"),
            ("", "file"),
            ("\u{202e}gpj.exe", "_gpj.exe"),
        ] {
            assert_eq!(to_send(name), sent);
        }
        let cut = to_send(&long);
        assert!(cut.ends_with(".gz") && cut.len() <= 255 && text::check_file_name(&cut).is_ok());
    }

    // [MEDIA-9]
    #[test]
    fn no_name_leaves_its_directory_hides_or_names_a_device() {
        for (name, saved) in [
            ("plan.pdf", "plan.pdf"),
            (".bashrc", "_bashrc"),
            ("...", "_"),
            ("..", "file"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("-rf", "_rf"),
            ("~root", "_root"),
            ("a:b", "a_b"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("end. . ", "end"),
            (" lead", "lead"),
            ("nul\0", "nul_"),
            ("\u{1b}[2J", "_[2J"),
        ] {
            assert_eq!(to_save(name), saved, "{name:?}");
            assert!(text::check_file_name(&to_save(name)).is_ok());
        }
        let long = to_save(&format!("{}.pdf", "n".repeat(250)));
        assert!(long.len() <= 200 && long.ends_with(".pdf"));
    }
}
