//! The secret that whoever reports must know. It lives in a file that only its owner can read, is
//! compared in constant time, and is never printed.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{context::Context, error::CliError, private};

/// A shorter one could be guessed.
const BYTES_MIN: usize = 16;
const BYTES_MAX: u64 = 1_024;
/// One that is as long cannot be guessed over a network: 128 bits, also of hexadecimal digits.
const BYTES_BEYOND_GUESSING: usize = 32;

/// The secret.
pub(super) struct Token(Zeroizing<String>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// Reads the file, or makes it.
    ///
    /// # Errors
    /// Storage; usage if others may read it or it holds no token.
    pub(super) fn load(context: &Context, path: &Path) -> Result<Self, CliError> {
        if !path.exists() {
            let token = Self::generate()?;
            private::write(path, token.0.as_bytes())?;
            context.status(&format!("A new token is in {}", path.display()));
            return Ok(token);
        }
        let unusable = |why: String| {
            CliError::usage(format!("the token file {} cannot be used", path.display()))
                .cause(why)
                .hint("delete it to have a new one made")
        };
        let read = || -> std::io::Result<(Zeroizing<String>, u32)> {
            let file = File::open(path)?;
            let mode = fs::metadata(path)?.mode();
            let mut text = Zeroizing::new(String::with_capacity(1_024));
            file.take(BYTES_MAX).read_to_string(&mut text)?;
            Ok((text, mode))
        };
        let (text, mode) = read().map_err(|error| unusable(error.to_string()))?;
        if mode & 0o077 != 0 {
            return Err(unusable("others may read it; it must be 0600".to_owned()));
        }
        Self::parse(&text).map_err(unusable)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < BYTES_MIN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("it holds no token: at least {BYTES_MIN} letters or digits on one line"));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    fn generate() -> Result<Self, CliError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).map_err(|error| CliError::bug(error.to_string()))?;
        Ok(Self(Zeroizing::new(BASE32_NOPAD.encode(bytes.as_ref()).to_ascii_lowercase())))
    }

    /// Whether somebody who tries often might find it.
    pub(super) fn is_guessable(&self) -> bool {
        self.0.len() < BYTES_BEYOND_GUESSING
    }

    /// Whether a header `Authorization` holds it.
    pub(super) fn bears(&self, header: Option<&[u8]>) -> bool {
        let given = header.and_then(|header| header.strip_prefix(b"Bearer ")).unwrap_or_default();
        // Of hashes, so that not even the length is told by the time that it takes.
        let (given, own) = (Sha256::digest(given), Sha256::digest(self.0.as_bytes()));
        given.as_slice().ct_eq(own.as_slice()).into()
    }

    /// Whether a header `X-Hub-Signature-256` signs this body with it.
    pub(super) fn signs(&self, header: Option<&[u8]>, body: &[u8]) -> bool {
        let digits = header.and_then(|header| header.strip_prefix(b"sha256=")).unwrap_or_default();
        let Ok(signature) = HEXLOWER_PERMISSIVE.decode(digits) else { return false };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else { return false };
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_github_is_verified_and_nothing_close_to_it() {
        // From the documentation of GitHub's webhooks.
        let token = Token(Zeroizing::new("It's a Secret to Everybody".to_owned()));
        let good = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(token.signs(Some(good), b"Hello, World!"));
        let upper = [b"sha256=".as_slice(), &good[7..].to_ascii_uppercase()].concat();
        assert!(token.signs(Some(&upper), b"Hello, World!"));
        assert!(!token.signs(Some(good), b"Hello, World?"));
        assert!(!token.signs(None, b"Hello, World!"));
        for bad in [&good[..good.len() - 2], &good[7..], b"sha1=00", b"sha256=", b"sha256=zz"] as [&[u8]; 5] {
            assert!(!token.signs(Some(bad), b"Hello, World!"), "{bad:?}");
        }
        let mut flipped = *good;
        flipped[20] ^= 1;
        assert!(!token.signs(Some(&flipped), b"Hello, World!"));
    }

    #[test]
    fn a_token_is_borne_whole_or_not() {
        let token = Token::generate().expect("random bytes");
        let header = |text: &str| token.bears(Some(format!("Bearer {text}").as_bytes()));
        assert!(header(&token.0));
        assert!(!header(&token.0[1..]) && !header("") && !token.bears(None));
        assert!(!token.bears(Some(token.0.as_bytes())), "without its scheme");
        assert!(!format!("{token:?}").contains(token.0.as_str()));
        assert!(!token.is_guessable());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for bad in
            ["", "short", "with space in the middle", "line\nbreak-in-the-middle", "ünicode-is-no-token!"]
        {
            assert!(Token::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Token::parse("0123456789abcdef\n").expect("a token").is_guessable());
    }
}
