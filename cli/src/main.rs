//! `joule`: post compute jobs, run a provider, look at the index, and see it all work on one machine.

#[macro_use]
mod output;

mod act;
mod command;
mod context;
mod demo;
mod failure;
mod help;
mod token;
mod view;

use clap::{FromArgMatches, Parser, Subcommand};
use context::Options;
use failure::Failure;
use std::{path::PathBuf, process::ExitCode};

/// Paid compute jobs on Solana.
///
/// Exit codes: 0 done; 1 failed; 2 wrong usage or bad input; 3 not found; 4 refused by a program or the cluster;
/// 5 a service does not answer; 6 it ended in another way than was asked for: a job, a purchase.
#[derive(Parser)]
#[command(name = "joule", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Post jobs, follow them, and decide about their results
    #[command(subcommand)]
    Job(command::job::Command),
    /// Offer compute
    #[command(subcommand)]
    Provider(command::provider::Command),
    /// Make models known, and publish what requests to them cost
    #[command(subcommand)]
    Model(command::model::Command),
    /// Look at disputes about results, and vote in them
    #[command(subcommand)]
    Dispute(command::dispute::Command),
    /// Stake tokens for rewards and lower fees
    #[command(subcommand)]
    Stake(command::stake::Command),
    /// Say what is true of a provider, or see what others say
    #[command(subcommand)]
    Attest(command::attest::Command),
    /// Decide who may attest
    #[command(subcommand)]
    Attestor(command::attest::Attestor),
    /// Buy answers from a model, each paid for by itself
    Pay(command::pay::Args),
    /// Open, look at and end the channels that requests are paid through
    #[command(subcommand)]
    Channel(command::channel::Command),
    /// Show what channels have earned, by model, creator, provider or day
    Revenue(command::revenue::Args),
    /// Look at the indexer
    #[command(subcommand)]
    Index(command::index::Command),
    /// Look at joule.toml
    #[command(subcommand)]
    Config(command::config::Command),
    /// Run a local network, or move its clock
    #[command(disable_help_flag = true)]
    Localnet(command::localnet::Args),
    /// Run the whole system here: honest work that is paid, and a lie that is found out
    Demo(demo::Args),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Write manual pages, one for each command
    Man {
        /// Folder, which is made if it is missing
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let read = help::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let mut cli = match read {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && help::wants_json() => {
            let failure = Failure::Input(help::first_lines(&error.to_string()));
            failure.report(true);
            return failure.exit_code();
        }
        Err(error) => error.exit(),
    };
    // These three need no service, and a file that is wrong must not keep anybody from them.
    let needs_settings = match &cli.command {
        Command::Completions { .. } | Command::Man { .. } | Command::Demo(_) => false,
        Command::Localnet(args) => !args.starts(),
        _ => true,
    };
    let done = match needs_settings {
        true => cli.options.fill(),
        false => Ok(()),
    };
    let json = cli.options.json;
    match done.and_then(|()| run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let options = &cli.options;
    match cli.command {
        Command::Job(command) => runtime.block_on(command::job::run(options, command)),
        Command::Provider(command) => runtime.block_on(command::provider::run(options, command)),
        Command::Model(command) => runtime.block_on(command::model::run(options, command)),
        Command::Dispute(command) => runtime.block_on(command::dispute::run(options, command)),
        Command::Stake(command) => runtime.block_on(command::stake::run(options, command)),
        Command::Attest(command) => runtime.block_on(command::attest::run(options, command)),
        Command::Attestor(command) => runtime.block_on(command::attest::attestor(options, command)),
        Command::Pay(args) => runtime.block_on(command::pay::run(options, args)),
        Command::Channel(command) => runtime.block_on(command::channel::run(options, command)),
        Command::Revenue(args) => runtime.block_on(command::revenue::run(options, args)),
        Command::Config(command) => runtime.block_on(command::config::run(options, command)),
        Command::Index(command) => runtime.block_on(command::index::run(options, command)),
        Command::Localnet(args) => runtime.block_on(command::localnet::run(options, args)),
        Command::Demo(args) => runtime.block_on(demo::run(args)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut help::command(), "joule", &mut std::io::stdout());
            Ok(())
        }
        Command::Man { folder } => help::man(&folder),
    }
}
