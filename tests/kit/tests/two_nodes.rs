//! Two real nodes that pin each other speak to each other, whoever begins, and after a restart.

use anyhow::Result;
use kit::{Node, RawDevice, pin_each_other};
use wire::proto::{GetAccount, client_request::Request, client_response::Response};

async fn asks_for(device: &mut RawDevice, account: &str) -> Result<()> {
    let request = Request::GetAccount(GetAccount { account: account.to_owned() });
    let answer = device.request(request).await?;
    assert!(matches!(answer, Response::Account(_)), "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_of_two_domains_find_each_others_keys() -> Result<()> {
    let acme = Node::start("acme.test")?;
    let mut umbrella = Node::start("umbrella.test")?;
    pin_each_other(&acme, &umbrella)?;
    let (_, mut alice) = RawDevice::enrolled(&acme, "alice").await?;
    let (bobs, mut bob) = RawDevice::enrolled(&umbrella, "bob").await?;
    asks_for(&mut alice, "bob@umbrella.test").await?;
    asks_for(&mut bob, "alice@acme.test").await?;
    umbrella.kill()?;
    umbrella.run()?;
    let mut bob = RawDevice::again(&umbrella, &bobs).await?;
    asks_for(&mut bob, "alice@acme.test").await?;
    asks_for(&mut alice, "bob@umbrella.test").await
}
