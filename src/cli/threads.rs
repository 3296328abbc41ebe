//! One thread an operation, for the commands that train.

use std::os::unix::process::CommandExt as _;

use anyhow::Context as _;

/// Read by candle once, when it first splits a large operation among threads.
const VARIABLE: &str = "CANDLE_NUM_THREADS";

/// Starts the program anew with candle's own threads switched off, unless somebody has set their number.
///
/// Training splits each batch among threads of its own. With candle's on top, two threads fight for each core and
/// spin while they wait: 49 rows a second instead of 100 on two cores. Candle takes the number from the environment
/// only, and a running program cannot change its environment safely.
///
/// # Errors
/// The program cannot be started again. Otherwise the call returns only where there was nothing to do.
pub(super) fn one_an_operation() -> anyhow::Result<()> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(());
    }
    let program = std::env::current_exe().context("finding this program to start it again")?;
    let error =
        std::process::Command::new(&program).args(std::env::args_os().skip(1)).env(VARIABLE, "1").exec();
    Err(error).with_context(|| format!("starting {} again", program.display()))
}
