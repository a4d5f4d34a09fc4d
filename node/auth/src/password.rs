//! Makes of a password what is kept of it, and compares a password with that: argon2id (RFC 9106), in
//! the text form that other programs read too (PHC), salt and cost included.

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _,
    Version, password_hash,
};

use crate::Cost;

const SALT_BYTES: usize = 16;

/// What came of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is another password, or none is kept.
    Wrong,
    /// It is this one.
    Right,
    /// It is this one, and is to be kept so from now on: at the cost of today.
    Renewed(String),
}

/// Why a password can be neither right nor wrong. Tells nothing of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// What is kept is no argon2id hash, or one that costs more than any that is made here.
    #[error("what is kept of the password is damaged")]
    Damaged,
    /// The machine has no memory or no random bytes.
    #[error("the machine cannot hash it: {0}")]
    Machine(String),
}

/// [ADMIN-20] What is kept of a password.
pub(crate) fn keep(password: &[u8], cost: Cost) -> Result<String, Trouble> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| Trouble::Machine(error.to_string()))?;
    hash(password, &salt, cost).map(|hash| hash.to_string())
}

/// Compares a password with what is kept. If nothing is, that takes as long.
pub(crate) fn judge(password: &[u8], kept: Option<&str>, cost: Cost) -> Result<Judgement, Trouble> {
    let Some(kept) = kept else {
        hash(password, &[0; SALT_BYTES], cost)?;
        return Ok(Judgement::Wrong);
    };
    let kept = PasswordHash::new(kept).map_err(|_| Trouble::Damaged)?;
    let of_kept = cost_of(&kept).ok_or(Trouble::Damaged)?;
    match Argon2::default().verify_password(password, &kept) {
        Ok(()) if of_kept == cost => Ok(Judgement::Right),
        Ok(()) => keep(password, cost).map(Judgement::Renewed),
        Err(password_hash::Error::PasswordInvalid) => Ok(Judgement::Wrong),
        Err(error) => Err(Trouble::Machine(error.to_string())),
    }
}

fn hash(password: &[u8], salt: &[u8], cost: Cost) -> Result<PasswordHash, Trouble> {
    let machine = |error: &dyn std::fmt::Display| Trouble::Machine(error.to_string());
    let params = Params::new(cost.memory_kib(), cost.passes(), 1, None).map_err(|error| machine(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(password, salt).map_err(|error| machine(&error))
}

/// What a hash of ours cost to make, if it is one.
fn cost_of(kept: &PasswordHash) -> Option<Cost> {
    if kept.algorithm != ARGON2ID_IDENT || kept.salt.is_none() || kept.hash.is_none() {
        return None;
    }
    let params = Params::try_from(kept).ok().filter(|params| params.p_cost() == 1)?;
    Cost::new(params.m_cost(), params.t_cost())
}
