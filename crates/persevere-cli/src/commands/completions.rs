//! `persevere completions`: what a shell completes.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::CliError;
use crate::output;

/// Print a shell's completions for this program.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct CompletionsArgs {
    /// The shell: bash, elvish, fish, powershell or zsh
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

const HELP: &str = "\
Examples:
  persevere completions bash > ~/.local/share/bash-completion/completions/persevere
  persevere completions fish > ~/.config/fish/completions/persevere.fish
  persevere completions zsh > \"${fpath[1]}/_persevere\"";

impl CompletionsArgs {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "persevere", &mut script);
        output::print(&script)
    }
}
