//! Makes worlds: domains that have pinned one another, accounts that are enrolled, devices that run.

use domain::{AdminId, Input, Network, Output, SessionId};
use engine::device::Enrolment;
use machine::{Seeded, Timestamp};
use store::Store as _;
use wire::proto::{
    AccountKeys, AdminRequest, AdminResponse, ClientFrame, ClientRequest, InviteUser, NodeFrame, PinPeer,
    admin_request, admin_response, client_frame, client_request, client_response, enrol, node_frame,
};

use crate::{
    World,
    device::Device,
    node::Node,
    world::{decode, encode},
};

/// A world with these domains, each pinned to each, and these accounts, one running device each.
#[must_use]
pub fn world(seed: u64, domains: &[&str], accounts: &[&str]) -> World {
    let mut world = World::new(seed);
    let now = Timestamp::from_ms(world.now_ms());
    for (n, name) in (1_u64..).zip(domains) {
        world.nodes.push(Node::new(name, seed.wrapping_mul(1_000).wrapping_add(n), now));
        let index = world.nodes.len() - 1;
        world.start_node(index);
        settle(&mut world, index);
    }
    for one in 0..world.nodes.len() {
        for other in 0..world.nodes.len() {
            if one != other {
                pin(&mut world, one, other);
            }
        }
    }
    for (n, name) in (1_u64..).zip(accounts) {
        enrol(&mut world, name, seed.wrapping_mul(7_777).wrapping_add(n));
    }
    world
}

/// One node pins another by its fingerprint.
pub fn pin(world: &mut World, node: usize, peer: usize) {
    let peer = &world.nodes[peer];
    let request = PinPeer {
        domain: peer.name.to_string(),
        endpoints: peer.documents[0].endpoints().iter().map(ToString::to_string).collect(),
        fingerprint: identity::fingerprint(&peer.keys.root.public()).to_vec().into(),
        replace: false,
    };
    let response = administer(world, node, admin_request::Request::PinPeer(request));
    if let Some(admin_response::Response::Error(error)) = response.response {
        panic!("a pin is refused: {error:?}");
    }
}

/// Invites an account, enrols its first device and starts it.
pub fn enrol(world: &mut World, name: &str, seed: u64) {
    let account: wire::Account = name.parse().unwrap_or_else(|_| panic!("{name} is no account"));
    let home = world.node_named(account.domain().as_str());
    let home = home.unwrap_or_else(|| panic!("{name} has no node"));
    let invite = InviteUser { account: account.to_string() };
    let response = administer(world, home, admin_request::Request::InviteUser(invite));
    let Some(admin_response::Response::Invite(invite)) = response.response else {
        panic!("no invitation: {response:?}");
    };
    let now = Timestamp::from_ms(world.now_ms());
    let mut random = Seeded::new(seed);
    let enrolment = Enrolment::new(account, now, &mut random).unwrap_or_else(|error| panic!("{error}"));
    let keys = ask_to_enrol(world, home, enrolment.request(enrol::Proof::Code(invite.code)));
    let document = world.nodes[home].documents.last().unwrap_or_else(|| panic!("no document"));
    let login = enrolment.finish(&keys, document, now).unwrap_or_else(|error| panic!("{name}: {error}"));
    let pin = identity::fingerprint(&world.nodes[home].keys.root.public());
    world.devices.push(Device::new(login.keys, home, pin, seed));
    let index = world.devices.len() - 1;
    world.start_device(index);
}

fn ask_to_enrol(world: &mut World, node: usize, enrol: wire::proto::Enrol) -> AccountKeys {
    let session = SessionId(world.network.fresh());
    let request = ClientRequest { id: 1, request: Some(client_request::Request::Enrol(enrol)) };
    let frame = ClientFrame { frame: Some(client_frame::Frame::Request(request)) };
    let inputs = [
        Input::SessionOpened { session, exporter: [0; 32], network: Network::V4([192, 0, 2, 1]) },
        Input::ClientFrame { session, frame: decode(&encode(&frame)) },
    ];
    let outputs = at_once(world, node, inputs);
    at_once(world, node, [Input::SessionClosed { session }]);
    let answer = outputs.into_iter().find_map(|output| match output {
        Output::ToSession { frame, .. } => {
            let frame: NodeFrame = decode(&frame);
            let Some(node_frame::Frame::Response(response)) = frame.frame else { return None };
            response.response
        }
        _ => None,
    });
    match answer {
        Some(client_response::Response::Account(keys)) => keys,
        other => panic!("not enrolled: {other:?}"),
    }
}

/// What a node answers to its administrator, while nothing else happens.
pub fn administer(world: &mut World, node: usize, request: admin_request::Request) -> AdminResponse {
    let id = AdminId(world.network.fresh());
    let request = AdminRequest { request: Some(request) };
    let outputs = at_once(world, node, [Input::Admin { id, request, uid: Some(0) }]);
    let answer = outputs.into_iter().find_map(|output| match output {
        Output::ToAdmin { response, .. } => Some(response),
        _ => None,
    });
    answer.unwrap_or_else(|| panic!("the administrator got no answer"))
}

fn settle(world: &mut World, node: usize) {
    at_once(world, node, [Input::Tick]);
}

/// Gives a node inputs outside the flow of time, with a disk that does not fail. What it says to
/// whoever asks here is returned; what it wants to do elsewhere is done.
fn at_once(world: &mut World, index: usize, inputs: impl IntoIterator<Item = Input>) -> Vec<Output> {
    let now = world.now_ms();
    let node = &mut world.nodes[index];
    let clock = node.clock(now);
    let Some(core) = node.core.as_mut() else { panic!("{} does not run", node.name) };
    core.handle_all(clock, inputs);
    let mut outputs = Vec::new();
    while let Some(output) = core.poll() {
        if let Output::Persist(mark, batch) = output {
            core.store().commit(&batch).unwrap_or_else(|error| panic!("{error}"));
            core.persisted(mark);
            world.history.wrote(index, &batch);
        } else {
            outputs.push(output);
        }
    }
    let is_here = |output: &Output| match output {
        Output::ToAdmin { .. } => true,
        Output::ToSession { session, .. } => world.network.pipe(session.0).is_none(),
        _ => false,
    };
    let (here, elsewhere): (Vec<_>, Vec<_>) = outputs.into_iter().partition(is_here);
    for output in elsewhere {
        world.node_does(index, output);
    }
    here
}
