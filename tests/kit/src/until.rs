//! Waiting for something that a client shows.

use std::time::Duration;

use anyhow::{Context as _, Result};
use client::Client;
use tokio::time::timeout;

/// How long a test waits for what has to come, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again after each happening until something is there.
///
/// # Errors
/// Those of `look`; or if it does not happen.
pub async fn until<T>(client: &Client, look: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let mut happenings = client.watch();
    let looking = async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            // What no happening tells is looked for.
            let _ = timeout(Duration::from_millis(50), happenings.next()).await;
        }
    };
    timeout(PATIENCE, looking).await.context("it does not happen")?
}
