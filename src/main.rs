//! The program: parse, run, exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

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
