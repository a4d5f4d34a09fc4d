//! `comity demo`: two organisations' nodes, three people, and what happens between them, for real:
//! real processes, real sockets, real databases.

mod disk;
mod nodes;
mod people;
mod stage;
mod story;

use std::path::PathBuf;

use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
};

use nodes::Node;
use stage::Stage;

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Watch, then join in from another terminal", "comity demo"),
    Example("Only verify: exit 0 if every step was", "comity demo --once"),
];

/// Watch two organisations chat on this machine
///
/// Starts a node for acme.test and one for umbrella.test on loopback, each with a database of its
/// own, lets alice, carol and bob chat across them, stops one node and starts it again, and shows
/// what the nodes' databases hold. Then leaves both running and says how to join.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// End at the end: stop the nodes, delete what was made, exit 0 only if every step was verified
    #[arg(long)]
    once: bool,
    /// Where to put everything; must not exist or be empty [default: a fresh directory]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<stage::Step as crate::output::Show>::FIELDS)?;
    let stage = Stage::new(context);
    let (dir, fresh) = directory(args.dir.as_ref())?;
    let acme = Node::new("acme.test", dir.join("acme"))?;
    let umbrella = Node::new("umbrella.test", dir.join("umbrella"))?;
    let mut nodes = (acme, umbrella);
    let told = tokio::select! {
        told = story::tell(&stage, &dir, &mut nodes) => told,
        _ = tokio::signal::ctrl_c() => Err(CliError::interrupted()),
    };
    let (acme, umbrella) = nodes;
    if let Err(error) = told {
        stop(acme, umbrella).await?;
        if error.exit() != crate::error::exit::INTERRUPTED {
            return Err(error.cause(format!("the nodes' logs are in {}", dir.display())));
        }
        if fresh {
            std::fs::remove_dir_all(&dir)?;
        }
        return Err(error);
    }
    if args.once {
        stop(acme, umbrella).await?;
        stage.verified("both nodes ended in good order")?;
        if fresh {
            std::fs::remove_dir_all(&dir)?;
        }
        return stage.end();
    }
    stage.end()?;
    join(&stage, &dir, acme, umbrella)
}

/// The directory of the demo, and whether it is ours to delete.
fn directory(wanted: Option<&PathBuf>) -> Result<(PathBuf, bool), CliError> {
    let Some(dir) = wanted else {
        let made = tempfile::Builder::new().prefix("comity-demo-").tempdir()?;
        return Ok((made.keep(), true));
    };
    let empty = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(error.into()),
    };
    if !empty {
        return Err(CliError::usage(format!("{} is not empty", dir.display()))
            .hint("name a directory that does not exist yet"));
    }
    std::fs::create_dir_all(dir)?;
    Ok((std::path::absolute(dir)?, false))
}

async fn stop(mut acme: Node, mut umbrella: Node) -> Result<(), CliError> {
    let (first, second) = tokio::join!(acme.stop(), umbrella.stop());
    first.and(second)
}

/// Leaves the nodes to whoever wants to join.
fn join(stage: &Stage<'_>, dir: &std::path::Path, acme: Node, umbrella: Node) -> Result<(), CliError> {
    let comity = std::env::current_exe()?;
    let comity = comity.display();
    let home = dir.join("home");
    let (acme_data, umbrella_data) = (acme.data().to_owned(), umbrella.data().to_owned());
    let pids: Vec<String> =
        [acme.leave(), umbrella.leave()].into_iter().flatten().map(|pid| pid.to_string()).collect();
    let person = |name: &str| format!("{comity} --home {} --as {name}", home.display());
    stage.heading("Both nodes go on running. Join from another terminal:")?;
    for name in ["alice", "bob", "carol"] {
        stage.command(&format!("{} watch --last 20 --mark-read", person(name)))?;
    }
    stage.heading("Write, beside it or instead:")?;
    stage.command(&format!("{} send alice@acme.test \"hello from bob\"", person("bob")))?;
    stage.command(&format!("{} send \"#garden\" \"hello all\" --wait stored", person("carol")))?;
    stage.command(&format!("{} room list", person("alice")))?;
    stage.heading("Look as an administrator:")?;
    stage.command(&format!("{comity} peer list --data {}", acme_data.display()))?;
    stage.command(&format!("{comity} user list --data {}", umbrella_data.display()))?;
    stage.heading("Stop and delete everything:")?;
    // A node may take some seconds to end in good order, and writes until then.
    let (pids, dir) = (pids.join(" "), dir.display());
    stage.command(&format!("kill {pids}; while [ -e {dir} ]; do rm -rf {dir} 2>/dev/null; sleep 0.2; done"))
}
