//! What people compare: fingerprints of keys, 64 hexadecimal digits in groups of four, and safety
//! numbers of two accounts, 60 decimal digits in groups of five.

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

/// A safety number in groups of five.
pub(crate) fn number_groups(digits: &str) -> Vec<&str> {
    (0..digits.len()).step_by(5).filter_map(|at| digits.get(at..at + 5)).collect()
}

/// What stands before the digits in a QR code, so that it is known what was scanned.
pub(crate) const QR_FINGERPRINT: &str = "comity-fingerprint:";
/// The same for a safety number.
pub(crate) const QR_NUMBER: &str = "comity-safety-number:";

/// What somebody read out, or scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// A fingerprint.
    Fingerprint([u8; 32]),
    /// The 60 digits of a safety number.
    Number(String),
}

/// As typed or scanned: either of the two.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn compared(text: &str) -> Result<Compared, String> {
    let text = text.trim();
    let bare = text.strip_prefix(QR_NUMBER).or_else(|| text.strip_prefix(QR_FINGERPRINT)).unwrap_or(text);
    let digits: String = bare.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() == 60 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Compared::Number(digits));
    }
    parse(bare)
        .map(Compared::Fingerprint)
        .map_err(|error| format!("{error}; a safety number is 60 decimal digits"))
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
    fn a_number_and_a_fingerprint_are_told_apart_by_their_length() {
        let number = "12345".repeat(12);
        assert_eq!(compared(&number_groups(&number).join(" ")), Ok(Compared::Number(number.clone())));
        assert_eq!(compared(&format!("{QR_NUMBER}{number}")), Ok(Compared::Number(number)));
        let print = digits(&[0x12; 32]);
        assert_eq!(compared(&print), Ok(Compared::Fingerprint([0x12; 32])));
        assert_eq!(compared(&format!("{QR_FINGERPRINT}{print}")), Ok(Compared::Fingerprint([0x12; 32])));
        for bad in ["", "12345", &"1".repeat(61), &"1".repeat(59), &"x".repeat(60), "comity-fingerprint:"] {
            assert!(compared(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_can_be_typed() {
        let bytes = [0x0f; 32];
        assert_eq!(parse(&groups(&digits(&bytes))), Ok(bytes));
        assert_eq!(parse(&groups(&digits(&bytes)).to_uppercase().replace(' ', ":")), Ok(bytes));
        assert!(parse("0f").is_err());
        assert!(parse(&"zz".repeat(32)).is_err());
    }
}
