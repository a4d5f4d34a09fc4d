//! A home node that means harm to a device of its own: what a client is given by the node that it has to
//! trust with its events. After each row the same node turns honest, and what is said both ways is shown
//! once, in order, and nothing else is.

mod documents;
mod frames;
mod hub;
mod media;
mod node;
mod session;

use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use client::{Client, ClientError, Cursor, Happening, Happenings, Message, MessageBody, Outgoing};
use identity::Ticket;
use kit::until;
use prost::Message as _;
use tokio::time::timeout;
use wire::{
    RoomId,
    proto::{NodeFrame, node_frame::Frame},
};

use crate::frames::framed;
use node::{HomeNode, Lie};

/// How long something may take that only has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device, its home node, and the room in which bob, who is at the same node, talks with it.
struct Stage {
    node: HomeNode,
    client: Client,
    happenings: Happenings,
    room: RoomId,
    /// What the room shows, in order.
    shown: Vec<String>,
    /// How many placeholders it shows besides, for what cannot be read.
    unreadable: usize,
    /// Removed with it.
    _directory: tempfile::TempDir,
}

fn ticket(node: &HomeNode) -> Result<Ticket> {
    Ok(Ticket {
        account: "alice@acme.test".parse()?,
        code: [7; 16],
        fingerprint: node.fingerprint(),
        endpoints: vec![node.address()?.to_string().parse()?],
        expires: net::now().as_s() + 3_600,
    })
}

impl Stage {
    /// Everybody is honest so far.
    async fn new() -> Result<Self> {
        let node = HomeNode::start()?;
        let directory = tempfile::tempdir()?;
        let client = Client::login(&directory.path().join("alice"), &ticket(&node)?).await?;
        let happenings = client.watch();
        until(&client, async || Ok(node.has_packages().then_some(()))).await.context("key packages")?;
        let room = node.found_room()?;
        until(&client, async || {
            let rooms = client.rooms().await?;
            let member = |known: &&client::Room| known.standing == client::Standing::Member;
            Ok(rooms.iter().find(member).map(|_| ()))
        })
        .await
        .context("alice does not come into the room")?;
        let mut stage =
            Self { node, client, happenings, room, shown: Vec::new(), unreadable: 0, _directory: directory };
        stage.talk().await.context("an honest node")?;
        Ok(stage)
    }

    /// Bob says something, alice says something: each reads the other, and alice's device shows all that
    /// was ever said, once and in order.
    async fn talk(&mut self) -> Result<()> {
        let number = self.shown.len();
        let (theirs, ours) = (format!("{number} from bob"), format!("{number} from alice"));
        self.node.say(&theirs)?;
        self.shown.push(theirs);
        self.shows().await.context("what bob says")?;
        self.client.send(self.room, Outgoing::text(ours.clone())).await?;
        self.shown.push(ours.clone());
        let heard = async || Ok((self.node.heard().last() == Some(&ours)).then_some(()));
        until(&self.client, heard).await.context("bob does not hear alice")?;
        self.shows().await.context("what alice says")?;
        let heard = self.node.heard().iter().filter(|text| **text == ours).count();
        ensure!(heard == 1, "bob heard {heard} times what alice said once");
        Ok(())
    }

    /// Waits until the device shows what it has to, of which everything is ordered.
    async fn shows(&self) -> Result<()> {
        let looked = until(&self.client, async || {
            let messages = self.messages().await?;
            let (holes, said): (Vec<_>, Vec<_>) =
                messages.iter().partition(|message| matches!(message.body, MessageBody::Unreadable(_)));
            let all = said.iter().map(|message| text(message)).eq(self.shown.iter().cloned());
            let ordered = said.iter().all(|message| message.seq > 0);
            Ok((all && ordered && holes.len() == self.unreadable).then_some(()))
        })
        .await;
        if looked.is_err() {
            let status = self.client.status().await?;
            bail!("{:?} is shown instead of {:?}: {status:?}", self.messages().await?, self.shown);
        }
        Ok(())
    }

    async fn messages(&self) -> Result<Vec<Message>> {
        let cursor = Cursor { limit: 200, ..Cursor::default() };
        let page = self.client.messages(self.room, cursor).await?;
        // What changed in the room is not what somebody said.
        let is_said = |message: &Message| {
            let is_change = matches!(message.body, MessageBody::Changed { .. });
            !is_change && (message.sender.is_some() || matches!(message.body, MessageBody::Unreadable(_)))
        };
        Ok(page.messages.into_iter().filter(is_said).collect())
    }

    /// The next warning or end of the session that contains these words.
    async fn warned(&mut self, words: &str) -> Result<()> {
        let waiting = async {
            loop {
                match self.happenings.next().await.context("the client is closed")? {
                    Happening::Warning(warning) if warning.contains(words) => return Ok(()),
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, waiting).await.context("nobody is warned")?
    }

    /// Waits until the client says why it has no session. The door is closed, so that no other session
    /// takes its place.
    async fn fallen(&self, words: &str) -> Result<()> {
        let told = RefCell::new(BTreeSet::new());
        let found = until(&self.client, async || {
            let problem = self.client.status().await?.problem.unwrap_or_default();
            let is_meant = problem.contains(words);
            told.borrow_mut().insert(problem);
            Ok(is_meant.then_some(()))
        });
        found.await.with_context(|| format!("{:?} is told", told.borrow()))
    }
}

/// What a message shows.
fn text(message: &Message) -> String {
    match &message.body {
        MessageBody::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// A frame of a node.
fn said(frame: Frame) -> Vec<u8> {
    framed(&NodeFrame { frame: Some(frame) }.encode_to_vec())
}

/// The node's refusal of a login, or what the client made of what the node said.
fn refusal(error: &ClientError) -> Option<wire::ErrorCode> {
    error.code()
}
