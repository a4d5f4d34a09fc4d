//! Writes `spec/vectors` from the code, the same bytes every time: `cargo xtask vectors`.

use std::fs;

use vectors::{case, make};

fn main() -> anyhow::Result<()> {
    for (name, vectors) in make::all() {
        let path = case::folder().join(format!("{name}.json"));
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(path, case::text(&vectors)?)?;
    }
    Ok(())
}
