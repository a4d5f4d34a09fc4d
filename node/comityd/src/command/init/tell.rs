//! What `init` says: who the domain is, what is to be published, and the next step.

use std::{net::SocketAddr, path::Path};

use data_encoding::HEXLOWER;
use identity::PeeringTicket;
use wire::{DomainName, name::Endpoint};

use crate::system::{groups, print};

/// A domain that is there, made now or before.
pub(super) struct Made<'a> {
    pub(super) changed: bool,
    pub(super) data: &'a Path,
    pub(super) domain: &'a DomainName,
    pub(super) fingerprint: [u8; 32],
    pub(super) listen: SocketAddr,
    pub(super) endpoints: &'a [Endpoint],
    pub(super) sealed: bool,
}

impl Made<'_> {
    pub(super) fn tell(&self, json: bool) {
        if json { self.program() } else { self.person() }
    }

    /// By which another administrator pins this domain.
    fn ticket(&self) -> PeeringTicket {
        let (domain, endpoints) = (self.domain.clone(), self.endpoints.to_vec());
        PeeringTicket { domain, fingerprint: self.fingerprint, endpoints }
    }

    fn person(&self) {
        let (directory, domain) = (self.data.display(), self.domain);
        let endpoint = self.endpoints.first().map_or("", Endpoint::as_str);
        if !self.changed {
            print(&format!("{directory} holds this domain already; nothing is changed"));
            print("");
        }
        print(&format!("domain       {domain}"));
        print(&format!("fingerprint  {}", groups(&self.fingerprint)));
        print(&format!("listens on   {} (UDP)", self.listen));
        print(&format!("reached at   {endpoint} (UDP)"));
        print("");
        match self.sealed {
            true => print(
                "Root, next-root and recovery key are sealed by the passphrase. Take them away as well:",
            ),
            false => {
                print("Take root, next-root and recovery key to an offline place: they take the domain back")
            }
        }
        if !self.sealed {
            print("if this machine is lost or stolen, and the node runs without them:");
        }
        print("");
        print(&format!("  comityd key export /media/safe/{domain} --data {directory} --remove"));
        print("");
        print("Publish in DNS, so that others find the node:");
        print("");
        self.ticket().dns_records().iter().for_each(|record| print(&format!("  {record}")));
        print("");
        print("Next:");
        print("");
        print(&format!("  comityd run --data {directory}"));
        print(&format!("  comity user invite NAME@{domain} --data {directory}"));
        print("");
        print(
            "Another domain's administrator makes you a peer with this ticket, given on a way you both trust:",
        );
        print("");
        print(&format!("  comity peer pin {}", self.ticket().encode()));
    }

    fn program(&self) {
        let endpoints: Vec<&str> = self.endpoints.iter().map(Endpoint::as_str).collect();
        let result = serde_json::json!({
            "changed": self.changed,
            "domain": self.domain.as_str(),
            "fingerprint": HEXLOWER.encode(&self.fingerprint),
            "listen": self.listen.to_string(),
            "endpoints": endpoints,
            "sealed": self.sealed,
            "dns": self.ticket().dns_records(),
            "ticket": self.ticket().encode(),
            "data": self.data,
        });
        print(&result.to_string());
    }
}
