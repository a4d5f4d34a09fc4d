//! A file system of a few megabytes that a test can fill.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// An ext4 file system in a file, mounted; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    outer: TempDir,
}

impl SmallDisk {
    /// Makes and mounts one of so many bytes.
    ///
    /// # Errors
    /// If this machine or this user may not mount: the reason to skip the test.
    pub fn mount(bytes: u64) -> Result<Self> {
        let disk = Self { outer: TempDir::new()? };
        let image = disk.outer.path().join("image");
        fs::create_dir(disk.path())?;
        fs::File::create(&image)?.set_len(bytes)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(disk.path()))?;
        Ok(disk)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.outer.path().join("disk")
    }

    /// Takes what space is left, to the last byte.
    ///
    /// # Errors
    /// If the ballast cannot be made at all.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = fs::File::create(self.ballast())?;
        for piece in [65_536, 4096, 1] {
            let piece = vec![1; piece];
            while ballast.write_all(&piece).is_ok() {}
        }
        // What is full cannot be synced completely; the space is taken all the same.
        let _ = ballast.sync_all();
        Ok(())
    }

    /// Gives the space back.
    ///
    /// # Errors
    /// If there is no ballast.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("the ballast")
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

fn run(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.output().with_context(|| format!("{program} cannot be started"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
