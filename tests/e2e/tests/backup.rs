//! A node is backed up while people talk, its disk is lost, and the talk goes on: nothing is lost that
//! another domain has, nothing is doubled.
#![expect(clippy::print_stderr, reason = "a long test says what it did")]

use std::{path::Path, process::Output, time::Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::Conversation;
use kit::Node;

/// The node of the role under test.
type Role = fn(&mut Conversation) -> &mut Node;

fn succeeded(what: &str, output: &Output) -> Result<serde_json::Value> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{what}: {:?}\n{stderr}", output.status.code());
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Backs up a running node while the conversation goes on.
async fn back_up(conversation: &mut Conversation, role: Role, to: &Path) -> Result<()> {
    let (data, to) = (role(conversation).data().to_owned(), to.to_owned());
    let program = kit::comityd()?;
    let begun = Instant::now();
    let copying = std::thread::spawn(move || {
        let mut command = std::process::Command::new(program);
        command.arg("backup").arg(to).args(["--json", "--data"]).arg(data).output()
    });
    let before = conversation.told();
    while !copying.is_finished() {
        conversation.talk(20).await?;
    }
    let output = copying.join().ok().context("the copying thread")??;
    succeeded("backup", &output)?;
    eprintln!(
        "a backup under load took {:?}, {before:?} before, {:?} after",
        begun.elapsed(),
        conversation.told()
    );
    Ok(())
}

/// The whole story of one role: talk, backup, talk, loss, restore, talk.
async fn restored(role: Role, return_to: impl AsyncFn(&mut Conversation) -> Result<()>) -> Result<()> {
    let place = tempfile::tempdir()?;
    let backup = place.path().join("backup");
    let mut conversation = Conversation::start().await?;
    conversation.talk_until_heard().await?;
    back_up(&mut conversation, role, &backup).await?;
    conversation.talk(1_000).await?;
    conversation.settle().await?;
    let before = conversation.told();
    role(&mut conversation).kill()?;
    role(&mut conversation).wipe()?;
    let path = backup.to_str().context("a path")?;
    let restored = role(&mut conversation).comityd(&["restore", path, "--json"])?;
    succeeded("restore", &restored)?;
    role(&mut conversation).run()?;
    return_to(&mut conversation).await?;
    conversation.talk_until_heard().await.context("after the restore")?;
    let told = conversation.end().await?;
    eprintln!("{before:?} before the loss, {told:?} at last");
    ensure!(told.acknowledged > before.acknowledged, "nothing was said after the restore");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_loses_its_disk() -> Result<()> {
    restored(|conversation| &mut conversation.hub, async |_| Ok(())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_senders_home_loses_its_disk() -> Result<()> {
    let return_to = async |conversation: &mut Conversation| conversation.sender_begins_anew().await;
    restored(|conversation| &mut conversation.home, return_to).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readers_node_loses_its_disk() -> Result<()> {
    let return_to = async |conversation: &mut Conversation| conversation.reader_begins_anew().await;
    restored(|conversation| &mut conversation.follower, return_to).await
}
