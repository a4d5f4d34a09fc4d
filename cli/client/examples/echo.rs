//! A bot that accepts every invitation and repeats what is said.
//!
//! `cargo run -p client --example echo -- DEVICE_DIR`

use client::{Client, Happening, MessageBody, Outgoing, Standing};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: echo DEVICE_DIR")?;
    let client = Client::open(dir.as_ref()).await?;
    let mut happenings = client.watch();
    for room in client.rooms().await? {
        if room.standing == Standing::Invited {
            client.answer(room.id, true).await?;
        }
    }
    while let Some(happening) = happenings.next().await {
        match happening {
            Happening::Room(room) if room.standing == Standing::Invited => {
                client.answer(room.id, true).await?;
            }
            Happening::Message(message) if !message.own => {
                client.mark_read(message.room, message.seq).await?;
                if let MessageBody::Text(text) = message.body {
                    let answer = Outgoing::Text { body: text, reply_to: Some(message.id) };
                    client.send(message.room, answer).await?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
