//! Writes the seeds of every target below `corpus/`.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    for (target, name, bytes) in fuzz::corpus::all() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
