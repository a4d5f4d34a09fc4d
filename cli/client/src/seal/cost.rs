//! What a guess of a passphrase costs: the parameters of argon2id, within bounds, and the key that
//! it makes.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Key, Passphrase};

/// Less is below what is recommended for any device.
const MEMORY_KIB_MIN: u32 = 19_456;
/// More is a damaged or a hostile file: opening must not take the machine's memory.
const MEMORY_KIB_MAX: u32 = 1_048_576;
const PASSES_MIN: u32 = 2;
const PASSES_MAX: u32 = 64;

/// What is used: 64 MiB, and as many passes as take about `WANTED`.
const MEMORY_KIB: u32 = 65_536;
const PASSES: std::ops::RangeInclusive<u32> = 3..=12;
const WANTED: Duration = Duration::from_millis(500);

/// The parameters of argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// Memory in KiB.
    pub(super) memory_kib: u32,
    /// Passes over it.
    pub(super) passes: u32,
}

impl Cost {
    /// Both within their bounds.
    pub(super) fn new(memory_kib: u32, passes: u32) -> Option<Self> {
        let fits = (MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(&memory_kib)
            && (PASSES_MIN..=PASSES_MAX).contains(&passes);
        fits.then_some(Self { memory_kib, passes })
    }

    /// What this machine does in about half a second, and never less than is safe.
    pub(super) fn measured() -> Self {
        let began = Instant::now();
        let tried = Self { memory_kib: MEMORY_KIB, passes: 1 };
        if tried.key(b"how fast is this machine", &[0; 16]).is_none() {
            return Self { memory_kib: MEMORY_KIB_MIN, passes: *PASSES.start() };
        }
        let pass = began.elapsed().as_millis().max(1);
        let passes = u32::try_from(WANTED.as_millis() / pass).unwrap_or(u32::MAX);
        Self { memory_kib: MEMORY_KIB, passes: passes.clamp(*PASSES.start(), *PASSES.end()) }
    }

    /// The key that wraps the master key; `None` if the machine has not this much memory.
    pub(super) fn derive(self, passphrase: &Passphrase, salt: &[u8]) -> Option<Key> {
        self.key(passphrase.bytes(), salt)
    }

    fn key(self, passphrase: &[u8], salt: &[u8]) -> Option<Key> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(Key::BYTES)).ok()?;
        let mut memory: Vec<Block> = Vec::new();
        memory.try_reserve_exact(params.block_count()).ok()?;
        memory.resize(params.block_count(), Block::default());
        let mut key = Zeroizing::new([0; Key::BYTES]);
        let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
            passphrase,
            salt,
            key.as_mut(),
            &mut memory,
        );
        memory.iter_mut().for_each(|block| block.zeroize());
        made.ok().and_then(|()| Key::from_bytes(key.as_ref()))
    }
}
