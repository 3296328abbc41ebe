//! `yingda chat`: a talk in the terminal, kept in memory only.

use std::io::BufRead;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::ask::words;
use crate::cli::bots;
use crate::cli::demo_shop;
use crate::config::Config;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::policy::state::State;
use crate::service;
use crate::service::view;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    choice: bots::Choice,
    /// Say below every answer how it came about.
    #[arg(long)]
    why: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let engine = bots::load_chosen(&config.serve, &args.choice)?;
    let name = engine.known().profile.name.clone();
    let mut customer = Customer::new("terminal", CustomerKind::Customer);
    let mut state = State::default();
    let mut content = Content::Entered;
    let mut out = std::io::stdout().lock();
    let mut lines = std::io::stdin().lock().split(b'\n');
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let calls = runtime.block_on(demo_shop::calls(&config.serve, Arc::new(Timestamp::now)))?;
    let mut n_turns = 0;
    loop {
        let inbound = Inbound {
            bot: engine.known().bot.clone(),
            channel: Channel::Web,
            customer: customer.clone(),
            content,
        };
        let now = Timestamp::now();
        let (turn, timings) = service::timed(&engine, &inbound, &state, now);
        n_turns += 1;
        let origin = format!("terminal.{n_turns}");
        let turn = runtime.block_on(calls.carry_on(&engine, turn, (&inbound, &state), &origin, now));
        writeln!(out, "{name}：{}", words(&turn.reply.parts))?;
        if args.why {
            let view = view::turn(&engine, &turn, &timings);
            let micros = view.timings_us.get("total").copied().unwrap_or_default();
            writeln!(out, "    〔{}；{micros} µs〕", view.because)?;
        }
        customer.tags.extend(turn.tags.iter().cloned());
        customer.record.extend(turn.told.iter().flat_map(|told| told.effects.record.clone()));
        customer.first_visit = false;
        state = turn.state;
        write!(out, "您：")?;
        out.flush()?;
        // Ctrl-D ends the talk. A line that is not UTF-8 is read as far as it can be.
        let Some(line) = lines.next().transpose()? else {
            writeln!(out)?;
            return Ok(ExitCode::SUCCESS);
        };
        content = Content::Text(crate::text::decode::decode(&line).text.trim_end().to_owned());
    }
}
