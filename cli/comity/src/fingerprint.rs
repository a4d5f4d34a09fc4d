//! Fingerprints of keys: 64 hexadecimal digits, in groups of four for eyes and voice.

use data_encoding::HEXLOWER;

/// For programs: 64 digits.
pub(crate) fn digits(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// For eyes: the digits in groups of four.
pub(crate) fn groups(digits: &str) -> String {
    let groups: Vec<&str> = (0..digits.len()).step_by(4).filter_map(|at| digits.get(at..at + 4)).collect();
    groups.join(" ")
}

/// As typed: spaces, colons and upper case are forgiven.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn parse(text: &str) -> Result<[u8; 32], String> {
    let digits: String =
        text.chars().filter(|c| !c.is_whitespace() && *c != ':').map(|c| c.to_ascii_lowercase()).collect();
    HEXLOWER
        .decode(digits.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "a fingerprint is 64 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        let bytes = [0x0f; 32];
        assert_eq!(parse(&groups(&digits(&bytes))), Ok(bytes));
        assert_eq!(parse(&groups(&digits(&bytes)).to_uppercase().replace(' ', ":")), Ok(bytes));
        assert!(parse("0f").is_err());
        assert!(parse(&"zz".repeat(32)).is_err());
    }
}
