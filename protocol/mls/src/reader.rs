//! Reads the presentation language of RFC 9420 from bytes that anyone may have sent.

use wire::ErrorCode;

/// A position in bytes. Everything that runs over the end is `Malformed`.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ErrorCode> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(ErrorCode::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ErrorCode> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ErrorCode> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ErrorCode> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ErrorCode> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Exactly these bytes.
    pub(crate) fn literal(&mut self, bytes: &[u8]) -> Result<(), ErrorCode> {
        self.0 = self.0.strip_prefix(bytes).ok_or(ErrorCode::Malformed)?;
        Ok(())
    }

    /// A vector with a length of variable size, which must be the shortest that holds it (RFC 9420
    /// section 2.1.2).
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], ErrorCode> {
        let first = self.u8()?;
        let (length, least) = match first >> 6 {
            0 => (usize::from(first), 0),
            1 => (usize::from(first & 0x3f) << 8 | usize::from(self.u8()?), 1 << 6),
            2 => {
                let [a, b, c] = self.array()?;
                let high = usize::from(first & 0x3f) << 24;
                (high | usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c), 1 << 14)
            }
            _ => return Err(ErrorCode::Malformed),
        };
        if length < least {
            return Err(ErrorCode::Malformed);
        }
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(ErrorCode::Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// What has been read since `start`, which must be an earlier copy of this reader.
    pub(crate) fn since(&self, start: Self) -> &'a [u8] {
        let read = start.0.len().saturating_sub(self.0.len());
        start.0.get(..read).unwrap_or_default()
    }

    pub(crate) const fn end(self) -> Result<(), ErrorCode> {
        if self.0.is_empty() { Ok(()) } else { Err(ErrorCode::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_form() {
        assert_eq!(Reader::new(&[2, 7, 8]).bytes(), Ok([7, 8].as_slice()));
        assert_eq!(Reader::new(&[0x40, 2, 7, 8]).bytes(), Err(ErrorCode::Malformed));
        assert_eq!(Reader::new(&[0x80, 0, 0, 2, 7, 8]).bytes(), Err(ErrorCode::Malformed));
        assert_eq!(Reader::new(&[0xc0, 0]).bytes(), Err(ErrorCode::Malformed));
        let mut long = vec![0x40, 64];
        long.extend([5; 64]);
        assert_eq!(Reader::new(&long).bytes(), Ok([5; 64].as_slice()));
        assert_eq!(Reader::new(long.get(..60).unwrap()).bytes(), Err(ErrorCode::Malformed));
    }
}
