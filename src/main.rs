//! The program: parse, run, exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Training asks for the same megabytes thousands of times a second; the system's allocator gives them back to the
/// kernel each time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match yingda::cli::run(yingda::cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // stderr being closed leaves nobody to tell.
            let _closed = writeln!(std::io::stderr(), "yingda: {error:#}");
            ExitCode::from(2)
        }
    }
}
