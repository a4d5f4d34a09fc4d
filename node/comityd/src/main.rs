//! The program `comityd`.

use std::process::ExitCode;

fn main() -> ExitCode {
    comityd::main()
}
