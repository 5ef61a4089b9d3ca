//! `coldsnake completions`: what makes a shell complete commands and options.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::exit::{Failed, Status};
use super::output::print;

/// Print the completions for a shell
///
/// They go to standard output, to be put where the shell looks for them; a new shell then completes
/// commands, options, and the values of options that have a few.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake completions bash > coldsnake.bash    # to be sourced by ~/.bashrc
  coldsnake completions zsh > ~/.zfunc/_coldsnake    # a folder of $fpath
  coldsnake completions fish > ~/.config/fish/completions/coldsnake.fish")]
pub struct Args {
    /// The shell [default: the one that $SHELL names]
    #[arg(value_enum)]
    shell: Option<Shell>,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let shell = args.shell.or_else(Shell::from_env).ok_or_else(|| {
        Failed::bad_input(
            "cannot tell the shell, as $SHELL names none that is known\n  name one: bash, elvish, \
             fish, powershell or zsh",
        )
    })?;
    // `generate` panics where it cannot write, as into a closed pipe: a buffer takes everything.
    let mut script = Vec::new();
    generate(shell, &mut super::Cli::command(), super::NAME, &mut script);
    print(&String::from_utf8_lossy(&script));
    Ok(Status::Done)
}
