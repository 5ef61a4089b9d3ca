//! The command line. clap lives here only; one file a subcommand, each short.

mod across;
mod adhoc;
mod advise;
mod against;
mod calibrate;
mod check;
mod compare;
mod completions;
mod doctor;
mod exit;
mod export;
mod help;
mod init;
mod input;
mod list;
mod man;
mod measure;
mod merge;
mod output;
mod overview;
mod places;
mod progress;
mod publish;
mod publishing;
mod report;
mod run;
mod trace;
mod unit;

use clap::{Parser, Subcommand};

pub use exit::Status;

/// What the program is called in completions and manual pages.
const NAME: &str = "coldsnake";

/// Measures how long Python apps take to start, and what their bytecode cache saves them.
///
/// Without a command, measures the bundled suite.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = help::CLOSING)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Advise(Box<advise::Args>),
    Init(init::Args),
    Trace(Box<trace::Args>),
    Report(report::Args),
    Compare(Box<compare::Args>),
    Merge(merge::Args),
    Overview(overview::Args),
    Export(export::Args),
    Publish(publish::Args),
    Check(Box<check::Args>),
    Calibrate(calibrate::Args),
    Doctor(Box<doctor::Args>),
    List(list::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command line of this process, and says how it ended.
pub fn main() -> Status {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let told = error.print();
            if error.use_stderr() {
                return Status::BadInput;
            }
            // Help and version are no errors, and go to stdout.
            output::heed(told);
            return output::printed(Status::Done);
        }
    };
    let result = match cli.command.unwrap_or(Command::Run(Box::default())) {
        Command::Run(args) => run::execute(&args),
        Command::Advise(args) => advise::execute(&args),
        Command::Init(args) => init::execute(&args),
        Command::Trace(args) => trace::execute(&args),
        Command::Report(args) => report::execute(&args),
        Command::Compare(args) => compare::execute(&args),
        Command::Merge(args) => merge::execute(&args),
        Command::Overview(args) => overview::execute(&args),
        Command::Export(args) => export::execute(&args),
        Command::Publish(args) => publish::execute(&args),
        Command::Check(args) => check::execute(&args),
        Command::Calibrate(args) => calibrate::execute(&args),
        Command::Doctor(args) => doctor::execute(&args),
        Command::List(args) => list::execute(&args),
        Command::Completions(args) => completions::execute(&args),
        Command::Man(args) => man::execute(&args),
    };
    match result {
        Ok(status) => output::printed(status),
        Err(failed) => {
            output::say(&failed.message);
            failed.status
        }
    }
}
