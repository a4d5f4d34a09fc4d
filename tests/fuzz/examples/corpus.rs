//! Writes the seeds that are missing below `corpus/`. One that stands is kept, for those with MLS keys
//! in them come out different each time; delete it to have it made anew.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    for (target, name, bytes) in fuzz::corpus::all() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        let path = folder.join(name);
        if !path.exists() {
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}
