//! Connections whose other side has not said who it is, handshakes included: how many there may be,
//! of all and of one network, so that nobody takes the place of those who are known.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::Network;
use wire::limits;

/// From this part of a bound on, an address has to prove itself: one that is forged must fill
/// neither another's places nor everybody's.
const PROVED_FROM: usize = 8;

/// Whose bound an address falls under.
fn network(address: IpAddr) -> Network {
    match address.to_canonical() {
        IpAddr::V4(address) => Network::V4(address.octets()),
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, ..] = address.octets();
            Network::V6([a, b, c, d, e, f, g])
        }
    }
}

/// The strangers of one port.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    all: usize,
    /// Only networks that have some.
    of: HashMap<Network, usize>,
    /// Where peers were met, the newest last.
    peers: VecDeque<Network>,
}

/// What becomes of somebody new.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// A place is taken.
    Admit(Stranger),
    /// The address has to prove itself first.
    Prove,
    /// There is no place: the same may be tried again after a moment.
    Refuse,
}

impl Strangers {
    /// Somebody at `address` wants to connect; whether it is known that they are there.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, proved: bool) -> Verdict {
        let network = network(address);
        let mut state = self.lock();
        let here = state.of.get(&network).copied().unwrap_or(0);
        let crowded = here >= limits::STRANGERS_PER_NETWORK_MAX / PROVED_FROM
            || state.all >= limits::STRANGERS_MAX / PROVED_FROM;
        if crowded && !proved {
            return Verdict::Prove;
        }
        let full = state.all >= limits::STRANGERS_MAX && !state.peers.contains(&network);
        if full || here >= limits::STRANGERS_PER_NETWORK_MAX {
            return Verdict::Refuse;
        }
        state.all += 1;
        state.of.insert(network, here + 1);
        Verdict::Admit(Stranger { strangers: Arc::clone(self), network })
    }

    /// A pinned peer lives at this address.
    pub(crate) fn peer_at(&self, address: IpAddr) {
        self.lock().peer_at(network(address));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn peer_at(&mut self, network: Network) {
        if self.peers.contains(&network) {
            return;
        }
        if self.peers.len() >= limits::PEER_NETWORKS_KEPT_MAX {
            self.peers.pop_front();
        }
        self.peers.push_back(network);
    }
}

/// The place of one stranger, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    strangers: Arc<Strangers>,
    network: Network,
}

impl Stranger {
    /// Where it is.
    pub(crate) const fn network(&self) -> Network {
        self.network
    }

    /// It has turned out to be a pinned peer.
    pub(crate) fn meet_peer(self) {
        self.strangers.lock().peer_at(self.network);
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut state = self.strangers.lock();
        state.all = state.all.saturating_sub(1);
        if let Some(here) = state.of.get_mut(&self.network) {
            *here -= 1;
            if *here == 0 {
                state.of.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0x0a00_0000 + number).into()
    }

    fn admit_all(strangers: &Arc<Strangers>, address: IpAddr) -> Vec<Stranger> {
        let mut admitted = Vec::new();
        while let Verdict::Admit(stranger) = strangers.admit(address, true) {
            admitted.push(stranger);
        }
        admitted
    }

    #[test]
    fn one_network_takes_its_own_places_only() {
        let strangers = Arc::new(Strangers::default());
        let first = admit_all(&strangers, v4(1));
        assert_eq!(first.len(), limits::STRANGERS_PER_NETWORK_MAX);
        assert!(matches!(strangers.admit(v4(1), true), Verdict::Refuse));
        assert!(matches!(strangers.admit(v4(2), true), Verdict::Admit(_)));
        drop(first);
        assert_eq!(admit_all(&strangers, v4(1)).len(), limits::STRANGERS_PER_NETWORK_MAX);
        assert!(strangers.lock().of.is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn the_same_subscriber_is_one_network() {
        let of = |text: &str| network(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:ff:ffff::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:102::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn an_address_proves_itself_when_places_run_short() {
        let strangers = Arc::new(Strangers::default());
        let mut admitted = Vec::new();
        while let Verdict::Admit(stranger) = strangers.admit(v4(1), false) {
            admitted.push(stranger);
        }
        assert_eq!(admitted.len(), limits::STRANGERS_PER_NETWORK_MAX / PROVED_FROM);
        assert!(matches!(strangers.admit(v4(1), false), Verdict::Prove));
        assert!(matches!(strangers.admit(v4(1), true), Verdict::Admit(_)), "the true owner still gets in");
    }

    #[test]
    fn strangers_together_leave_room_and_a_peer_gets_in_all_the_same() {
        let strangers = Arc::new(Strangers::default());
        let mut admitted = Vec::new();
        for network in 0.. {
            let here = admit_all(&strangers, v4(network));
            if here.is_empty() {
                break;
            }
            admitted.extend(here);
        }
        assert_eq!(admitted.len(), limits::STRANGERS_MAX);
        let home = v4(1_000_000);
        assert!(matches!(strangers.admit(home, true), Verdict::Refuse));
        strangers.peer_at(home);
        assert!(matches!(strangers.admit(home, false), Verdict::Prove), "anybody may claim its address");
        assert!(matches!(strangers.admit(home, true), Verdict::Admit(_)));
    }

    #[test]
    fn places_of_peers_are_bounded_too() {
        let strangers = Strangers::default();
        for number in 0..=u32::try_from(limits::PEER_NETWORKS_KEPT_MAX).expect("small") {
            strangers.peer_at(v4(number));
            strangers.peer_at(v4(number));
        }
        let state = strangers.lock();
        assert_eq!(state.peers.len(), limits::PEER_NETWORKS_KEPT_MAX);
        assert_eq!(state.peers.front(), Some(&network(v4(1))));
    }
}
