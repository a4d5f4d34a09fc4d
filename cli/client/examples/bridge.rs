//! Bridges a shell command into a room: each line that it writes is sent.
//!
//! `cargo run -p client --example bridge -- DEVICE_DIR ACCOUNT 'journalctl -fu nginx'`

use std::process::Stdio;

use client::{Client, Level, Outgoing};
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(account), Some(command)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: bridge DEVICE_DIR ACCOUNT COMMAND".into());
    };
    let client = Client::open(dir.as_ref()).await?;
    let account = account.parse().map_err(|_| "that is not an account")?;
    let mut child =
        tokio::process::Command::new("sh").args(["-c", &command]).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("no pipe")?;
    let mut lines = BufReader::new(stdout).lines();
    let mut last = None;
    while let Some(line) = lines.next_line().await? {
        if !line.trim().is_empty() {
            // On disk when this returns; sent over restarts and outages.
            last = Some(client.send_to(&account, Outgoing::text(line)).await?);
        }
    }
    if let Some(last) = last {
        client.wait(last, Level::Accepted).await?;
    }
    client.close().await;
    std::process::exit(child.wait().await?.code().unwrap_or(1));
}
