//! `persevere man`: the manual.

use std::io;

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::error::CliError;
use crate::output;

/// Print the manual, or the page of one command, as roff for `man`.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct ManArgs {
    /// The command whose page to print [default: the whole manual]
    command: Option<String>,
}

const HELP: &str = "\
Examples:
  persevere man > persevere.1 && man ./persevere.1
  persevere man run > persevere-run.1";

impl ManArgs {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        let mut program = Cli::command();
        // Gives every command the options that all have, and its full name.
        program.build();
        let page = match &self.command {
            None => manual(&program),
            Some(name) => page(&program, name)?,
        };
        // Writing to memory cannot fail.
        output::print(&page.unwrap_or_default())
    }
}

fn page(program: &Command, name: &str) -> Result<io::Result<Vec<u8>>, CliError> {
    let commands = || program.get_subcommands().filter(|it| it.get_name() != "help");
    let Some(command) = commands().find(|command| command.get_name() == name) else {
        let names: Vec<_> = commands().map(Command::get_name).collect();
        return Err(CliError::usage(format!(
            "the command is '{name}', but must be one of {}",
            names.join(", ")
        )));
    };
    let mut page = Vec::new();
    let named = command.clone().name(format!("persevere-{name}"));
    Ok(Man::new(named).render(&mut page).map(|()| page))
}

/// The page of the program, and every command as a section of it.
fn manual(program: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(program.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for command in program.get_subcommands() {
        if command.get_name() != "help" {
            page.extend(section(command)?);
        }
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

fn section(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut body = Vec::new();
    man.render_synopsis_section(&mut body)?;
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    man.render_extra_section(&mut body)?;
    // Its sections become subsections.
    let body = String::from_utf8_lossy(&body).replace(".SH ", ".SS ");
    let title = command.get_name().to_uppercase();
    Ok(format!(".SH {title}\n{body}").into_bytes())
}
