//! Drives the nodes: the loop of `domain`'s page, with a disk that may fail.

use domain::{Input, Output};
use machine::Mark;
use store::{Batch, Store as _, StoreError, memory::Fault};
use wire::ErrorCode;

use super::{Happening, World};
use crate::{
    fault::{AtWrite, CrashPoint},
    network::End,
};

impl World {
    /// Something arrives at a node.
    pub(crate) fn node_takes(&mut self, index: usize, input: Input) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        if node.core.is_none() {
            return;
        }
        node.inbox.push_back(input);
        if !node.scheduled {
            node.scheduled = true;
            let life = node.life;
            // What arrives during the write before forms the next batch.
            let write_ms = self.random.below(4);
            self.after(write_ms, Happening::NodeRuns(index, life));
        }
    }

    pub(super) fn node_runs(&mut self, index: usize, life: u64) {
        let now = self.now_ms();
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.life == life) else { return };
        node.scheduled = false;
        let clock = node.clock(now);
        let most = wire::limits::GROUP_COMMIT_INPUTS_MAX.min(node.inbox.len());
        let inputs: Vec<Input> = node.inbox.drain(..most).collect();
        let Some(core) = node.core.as_mut() else { return };
        core.handle_all(clock, inputs);
        self.drain_node(index);
        let Some(node) = self.nodes.get_mut(index) else { return };
        if node.core.is_some() && !node.inbox.is_empty() && !node.scheduled {
            node.scheduled = true;
            let life = node.life;
            self.after(1, Happening::NodeRuns(index, life));
        }
    }

    fn drain_node(&mut self, index: usize) {
        loop {
            let Some(core) = self.nodes.get_mut(index).and_then(|node| node.core.as_mut()) else { return };
            match core.poll() {
                None => return,
                Some(Output::Persist(mark, batch)) => self.node_writes(index, mark, &batch),
                Some(output) => self.node_does(index, output),
            }
        }
    }

    fn node_writes(&mut self, index: usize, mark: Mark, batch: &Batch) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.writes += 1;
        let ordered = node.at_write.remove(&node.writes);
        let fate = ordered.or_else(|| self.weather.node_write(&mut self.random));
        match fate {
            Some(AtWrite::Crash(CrashPoint::Before, ms)) => return self.crash_node(index, ms),
            Some(AtWrite::Full) => node.disk.fail_next(Fault::Full),
            Some(AtWrite::Crash(CrashPoint::After, _)) | None => {}
        }
        let Some(core) = node.core.as_mut() else { return };
        match core.store().commit(batch) {
            Ok(()) => {}
            Err(StoreError::Full) => {
                core.failed(ErrorCode::StorageFull);
                return self.note(format!("{} has a full disk", self.nodes[index].name));
            }
            Err(error) => panic!("{} cannot write: {error}: {batch:?}", node.name),
        }
        self.history.wrote(index, batch);
        if let Some(AtWrite::Crash(CrashPoint::After, ms)) = fate {
            return self.crash_node(index, ms);
        }
        if let Some(core) = self.nodes.get_mut(index).and_then(|node| node.core.as_mut()) {
            core.persisted(mark);
        }
    }

    pub(crate) fn node_does(&mut self, index: usize, output: Output) {
        match output {
            // Passwords are off in these nodes, and the bytes of files have no place in this world: nobody asks.
            Output::Persist(..)
            | Output::SessionProved { .. }
            | Output::Prove { .. }
            | Output::Media { .. } => {}
            Output::ToSession { session, frame, .. } => self.say_to_device(index, session, frame),
            Output::CloseSession { session, code } => self.hang_up(session.0, End::Node(index), code),
            Output::Dial { domain, .. } => self.dial(index, &domain),
            Output::ToPeer { conn, hello } => self.say_hello(index, conn, hello),
            Output::OpenLink { conn, open } => self.open_link(index, conn, open),
            Output::ToLink { conn, stream, frame } => self.say_on_link(index, conn, stream, frame),
            Output::PeerRequest { conn, request, body } => self.ask_peer(index, conn, request, &body),
            Output::PeerResponse { conn, request, response } => {
                self.answer_peer(index, conn, request, &response);
            }
            Output::ClosePeer { conn, code } => self.hang_up(conn.0, End::Node(index), code),
            Output::ToAdmin { id, response } => self.admin.push((index, id, response)),
            Output::WakeAt(time) => {
                let Some(node) = self.nodes.get_mut(index) else { return };
                node.timer += 1;
                let (life, timer) = (node.life, node.timer);
                let true_time = time.as_ms().saturating_add_signed(-node.skew_ms);
                self.at(true_time, Happening::NodeTimer(index, life, timer));
            }
        }
    }

    pub(super) fn node_timer(&mut self, index: usize, life: u64, timer: u64) {
        if self.nodes.get(index).is_some_and(|node| node.life == life && node.timer == timer) {
            self.node_takes(index, Input::Tick);
        }
    }

    /// Starts a node that does not run.
    pub fn start_node(&mut self, index: usize) {
        let now = self.now_ms();
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.core.is_none()) else { return };
        node.start(now);
        let name = node.name.clone();
        self.note(format!("{name} starts"));
        self.node_takes(index, Input::Tick);
    }

    /// Kills a node, for ever unless it is started again.
    pub fn kill_node(&mut self, index: usize) {
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.core.is_some()) else { return };
        node.kill();
        let name = node.name.clone();
        self.note(format!("{name} dies"));
        for pipe in self.network.pipes_of(End::Node(index)) {
            let other = self.network.pipe(pipe).map(|pipe| pipe.other(End::Node(index)));
            self.network.close_at(pipe, End::Node(index));
            if let Some(other) = other {
                let noticed = 1 + self.random.below(3_000);
                self.after(noticed, Happening::Gone(pipe, other, ErrorCode::Unavailable));
            }
        }
    }

    /// Kills a node and starts it again after this time.
    pub fn crash_node(&mut self, index: usize, down_ms: u64) {
        self.kill_node(index);
        self.after(down_ms, Happening::NodeStarts(index));
    }
}
