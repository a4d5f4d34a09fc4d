//! What a guess at a password costs, whoever makes it.

/// Memory and passes of argon2id, on one lane: at least what OWASP and RFC 9106 leave as a minimum
/// for machines that have other things to do, at most what one machine can spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Cost {
    /// The least, and the default.
    pub const LEAST: Self = Self { memory_kib: 19_456, passes: 2 };
    /// The most.
    pub const MOST: Self = Self { memory_kib: 1_048_576, passes: 64 };

    /// A cost between [`Self::LEAST`] and [`Self::MOST`].
    #[must_use]
    pub fn new(memory_kib: u32, passes: u32) -> Option<Self> {
        let (least, most) = (Self::LEAST, Self::MOST);
        let fits = (least.memory_kib..=most.memory_kib).contains(&memory_kib)
            && (least.passes..=most.passes).contains(&passes);
        fits.then_some(Self { memory_kib, passes })
    }

    /// Memory for one hash.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over it.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_cheaper_and_nothing_that_no_machine_can_pay() {
        for (memory_kib, passes, fits) in [
            (19_456, 2, true),
            (19_455, 2, false),
            (19_456, 1, false),
            (0, 0, false),
            (1_048_576, 64, true),
            (1_048_577, 2, false),
            (19_456, 65, false),
            (u32::MAX, u32::MAX, false),
        ] {
            assert_eq!(Cost::new(memory_kib, passes).is_some(), fits, "{memory_kib} {passes}");
        }
    }
}
