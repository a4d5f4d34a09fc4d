//! Sends one message and waits until it is ordered.
//!
//! `cargo run -p client --example send -- DEVICE_DIR ACCOUNT TEXT`

use client::{Client, Level, Outgoing};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(account), Some(text)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: send DEVICE_DIR ACCOUNT TEXT".into());
    };
    let client = Client::open(dir.as_ref()).await?;
    let account = account.parse().map_err(|_| "that is not an account")?;
    let sent = client.send_to(&account, Outgoing::text(text)).await?;
    let message = client.wait(sent, Level::Ordered).await?;
    assert!(message.seq > 0, "an ordered message has a place");
    client.close().await;
    Ok(())
}
