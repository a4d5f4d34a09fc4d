//! SIGHUP: a running node takes up what changed in its configuration, and nobody notices.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use kit::{Node, RawDevice};
use wire::proto::{self, client_request::Request, client_response::Response};

fn write(node: &Node, lines: &str) -> Result<()> {
    let path = node.data().join("comity.toml");
    Ok(fs::write(path, format!("domain = \"{}\"\n{lines}", node.domain()))?)
}

fn logs_debug(node: &Node) -> bool {
    node.log().iter().any(|line| line.contains("DEBUG"))
}

#[tokio::test]
async fn a_changed_configuration_is_taken_up_without_dropping_a_session() -> Result<()> {
    let mut node = Node::start("acme.test")?;
    let (person, mut device) = RawDevice::enrolled(&node, "alice").await?;
    let mut ask = async || -> Result<()> {
        let account = person.account.to_string();
        let keys = device.request(Request::GetAccount(proto::GetAccount { account })).await?;
        ensure!(matches!(keys, Response::Account(_)), "{keys:?}");
        Ok(())
    };
    ask().await?;
    ensure!(!logs_debug(&node), "it logs too much before");

    let listen = node.address();
    write(&node, &format!("listen = \"{listen}\"\n[log]\nlevel = \"debug\"\n"))?;
    node.reload("the configuration was read again")?;
    ask().await?;

    write(&node, "listen = \"127.0.0.1:1\"\n[log]\nlevel = \"info\"\n")?;
    node.reload("the change needs a restart")?;
    ask().await?;

    write(&node, "listne = \"127.0.0.1:1\"\n")?;
    node.reload("did you mean `listen`?")?;
    ask().await?;
    node.stop()
}

#[tokio::test]
async fn the_policy_of_the_domain_changes_at_once() -> Result<()> {
    let (acme, umbrella) = (Node::start("acme.test")?, Node::start("umbrella.test")?);
    kit::pin_each_other(&acme, &umbrella)?;
    let (bob, _device) = RawDevice::enrolled(&umbrella, "bob").await?;
    let (_alice, mut alice) = RawDevice::enrolled(&acme, "alice").await?;
    let mut claim = async |number: u8| -> Result<Option<wire::ErrorCode>> {
        let claim = proto::ClaimKeyPackages {
            room: vec![number; 32].into(),
            claim_id: vec![number; 16].into(),
            accounts: vec![bob.account.to_string()],
            requester: "alice@acme.test".into(),
        };
        match alice.request(Request::ClaimKeyPackages(claim)).await? {
            Response::Claimed(claimed) => {
                let error = claimed.accounts.first().context("one answer")?.error.as_ref();
                Ok(error.map(|error| wire::ErrorCode::from_code(error.code)))
            }
            other => anyhow::bail!("{other:?}"),
        }
    };
    ensure!(claim(1).await? != Some(wire::ErrorCode::Policy), "asking is allowed by default");
    let listen = umbrella.address();
    write(&umbrella, &format!("listen = \"{listen}\"\ncontact_policy = \"deny\"\n"))?;
    umbrella.reload("the configuration was read again")?;
    ensure!(claim(2).await? == Some(wire::ErrorCode::Policy), "{:?}", claim(3).await?);
    Ok(())
}

#[test]
fn a_program_reads_of_the_template_what_a_person_reads() -> Result<()> {
    let template = |json: &[&str]| -> Result<String> {
        let output = Command::new(kit::comityd()?).args(["config", "template"]).args(json).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    };
    let for_eyes = template(&[])?;
    let lines = template(&["--json"])?;
    ensure!(lines.lines().count() > 10, "{lines}");
    for line in lines.lines() {
        let key: serde_json::Value = serde_json::from_str(line)?;
        let name = key["key"].as_str().context("a name")?;
        let name = name.rsplit('.').next().context("a name")?;
        let default = key["default"].as_str();
        // A number stands there as it is.
        let quote = |value: &str| if value.parse::<u64>().is_ok() { "" } else { "\"" };
        let stands = default.map_or_else(
            || format!("\n{name} = "),
            |value| format!("\n#{name} = {0}{value}{0}", quote(value)),
        );
        ensure!(for_eyes.contains(&stands), "{stands} is not in the template");
        let variable = key["environment"].as_str().context("a variable")?;
        ensure!(for_eyes.contains(variable), "{variable} is not in the template");
    }
    Ok(())
}
