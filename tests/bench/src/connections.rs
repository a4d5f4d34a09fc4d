//! Memory of the node for clients that are connected and say nothing.

use anyhow::Result;
use kit::{Node, Person, RawDevice};
use wire::limits;

use crate::{figure::median, process::resident_bytes, table::Table};

/// Sessions made at once, so that the peak of handshakes is not what is measured.
const AT_ONCE: usize = 20;

pub(crate) async fn measure(table: &mut Table, runs: usize) -> Result<()> {
    const BESIDE: [&str; 3] =
        ["under 54 KiB", "65 KiB", "a bare quinn connection with this key exchange: 36-44 KiB"];
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let node = Node::start("acme.test")?;
        let people = enrol(&node, 5000).await?;
        let empty = resident_bytes(&node)?;
        let mut sessions = Vec::new();
        connect(&node, people.get(..1000).unwrap_or_default(), &mut sessions).await?;
        small.push((resident_bytes(&node)? - empty) / 1000.0 / 1024.0);
        connect(&node, people.get(1000..).unwrap_or_default(), &mut sessions).await?;
        large.push((resident_bytes(&node)? - empty) / 5000.0 / 1024.0);
    }
    table.add('f', "memory per idle client, 1,000 of them", (median(&small), "KiB"), BESIDE);
    table.add('f', "memory per idle client, 5,000 of them", (median(&large), "KiB"), BESIDE);
    Ok(())
}

async fn enrol(node: &Node, count: usize) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    let mut device = RawDevice::connect(node).await?;
    for number in 0..count {
        let person = Person::new(&format!("p{number}@{}", node.domain()))?;
        let code = node.invite(&person.account)?;
        if let Err(error) = device.enrol(&person, code).await {
            anyhow::bail!("enrolment {number}: {error:#}");
        }
        if (number + 1) % limits::REQUESTS_BEFORE_HELLO_MAX == 0 {
            device = RawDevice::connect(node).await?;
        }
        people.push(person);
    }
    Ok(people)
}

async fn connect(node: &Node, people: &[Person], sessions: &mut Vec<RawDevice>) -> Result<()> {
    for people in people.chunks(AT_ONCE) {
        for person in people {
            let mut device = RawDevice::again(node, person).await?;
            device.subscribe(&[], 0).await?;
            sessions.push(device);
        }
    }
    Ok(())
}
