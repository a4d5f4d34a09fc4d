//! Decides which of two connections between the same two domains is kept.

use wire::DomainName;

/// Who dialled a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialler {
    /// This domain.
    Us,
    /// The peer.
    Them,
}

/// Which connection is kept; the other is closed with `Superseded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The one that was there.
    Existing,
    /// The one that was made now.
    Newer,
}

/// Both sides keep the same one ([LINK-4]): of two that were dialled from both ends, that of the
/// lower domain name; of two from the same end the newer, because its dialler has given up the
/// other.
#[must_use]
pub fn tie_break(own: &DomainName, peer: &DomainName, existing: Dialler, newer: Dialler) -> Keep {
    let lower = if own < peer { Dialler::Us } else { Dialler::Them };
    if existing != newer && existing == lower { Keep::Existing } else { Keep::Newer }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [LINK-4]
    #[test]
    fn both_ends_keep_the_same_connection_in_whatever_order_they_see_them() {
        let (acme, umbrella): (DomainName, DomainName) =
            ("acme.test".parse().unwrap(), "umbrella.test".parse().unwrap());
        for acme_sees_own_first in [true, false] {
            for umbrella_sees_own_first in [true, false] {
                let kept_dialler = |own: &DomainName, peer: &DomainName, own_first: bool| {
                    let (existing, newer) =
                        if own_first { (Dialler::Us, Dialler::Them) } else { (Dialler::Them, Dialler::Us) };
                    let kept = match tie_break(own, peer, existing, newer) {
                        Keep::Existing => existing,
                        Keep::Newer => newer,
                    };
                    if kept == Dialler::Us { own.clone() } else { peer.clone() }
                };
                assert_eq!(kept_dialler(&acme, &umbrella, acme_sees_own_first), acme);
                assert_eq!(kept_dialler(&umbrella, &acme, umbrella_sees_own_first), acme);
            }
        }
    }

    #[test]
    fn a_peer_that_dials_again_has_given_up_the_old_connection() {
        let (acme, umbrella): (DomainName, DomainName) =
            ("acme.test".parse().unwrap(), "umbrella.test".parse().unwrap());
        for dialler in [Dialler::Us, Dialler::Them] {
            assert_eq!(tie_break(&acme, &umbrella, dialler, dialler), Keep::Newer);
            assert_eq!(tie_break(&umbrella, &acme, dialler, dialler), Keep::Newer);
        }
    }
}
