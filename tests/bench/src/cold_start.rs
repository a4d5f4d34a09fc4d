//! From starting the process to listening.

use std::time::Instant;

use anyhow::Result;
use kit::Node;

use crate::{figure::median, table::Table};

pub(crate) fn measure(table: &mut Table, runs: usize) -> Result<()> {
    let mut node = Node::init("acme.test")?;
    let mut times = Vec::new();
    for _ in 0..runs.max(5) {
        let start = Instant::now();
        node.run()?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        node.stop()?;
    }
    table.add(
        'g',
        "cold start to listening",
        (median(&times), "ms"),
        ["", "", "process, keys, database, socket"],
    );
    Ok(())
}
