//! Writes a room to stdout, one message to a line: who and what.
//!
//! `cargo run -p client --example export -- DEVICE_DIR ROOM_NAME`

use std::io::Write as _;

use client::{Client, Cursor, MessageBody};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(name)) = (args.next(), args.next()) else {
        return Err("usage: export DEVICE_DIR ROOM_NAME".into());
    };
    let client = Client::open(dir.as_ref()).await?;
    let rooms = client.rooms().await?;
    let room = rooms.iter().find(|room| room.name == name).ok_or("there is no such room")?;
    let mut out = std::io::stdout().lock();
    let mut after = 0;
    loop {
        let page = client.messages(room.id, Cursor { after: Some(after), before: None, limit: 200 }).await?;
        for message in page.messages {
            if let (Some(sender), MessageBody::Text(text)) = (message.sender, message.body) {
                // What others wrote is made harmless: it could move the cursor of a terminal.
                writeln!(out, "{sender}\t{}", text.escape_debug())?;
            }
        }
        match page.span {
            Some((_, last)) if page.newer => after = last,
            _ => break,
        }
    }
    client.close().await;
    Ok(())
}
