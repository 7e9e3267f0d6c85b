//! `persevere demo`: the main job from end to end, with nothing installed and no network.

mod acts;
mod faults;
mod killed;
mod picture;
mod record;
mod report;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tracing::info;

use crate::cli::LogArgs;
use crate::error::CliError;
use crate::log::NARRATION;
use crate::output;
use crate::plot;
use report::Report;
use stage::Stage;

/// See it at work: a file goes up and down through a bad network, on this machine alone.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct DemoArgs {
    /// Copy this file [default: 64 MiB made for it]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Draw what happened into this file, as SVG; - is standard output, in place of the summary
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Choose the bytes of the file that is made, and where it goes wrong [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<String>,

    /// Print the summary as a JSON object
    #[arg(long)]
    json: bool,

    /// Work in this new or empty folder, and leave there what was sent and what came back [default:
    /// a temporary folder]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

const HELP: &str = "\
An S3 server runs in this program, on loopback, and before it a proxy that makes faults. A file is \
uploaded by a second process, which is killed in the middle, as by kill -9; the same command is given \
again and goes on, while the network goes away for 3 s; then the file is downloaded, listed and deleted.
  Real are the server (s3s-fs), all bytes and connections, the errors, and what `cp`, `ls`, `exists` and \
`rm` do. Simulated are the faults, the slow line, and the network's absence: the proxy refuses \
connections, and the network monitor is told by hand, for loopback never goes down.
  It takes some 20 s, and for a while three times the file's size in the temporary folder. Settings of \
yours for other commands do not count.

Exit status:
  0       what came back is what was sent
  1       it is not, or something could not be carried out
  2       bad options
  128+N   signal N ended it

Examples:
  persevere demo --svg run.svg
  persevere demo --file disk.img --seed 7";

impl DemoArgs {
    pub(crate) fn run(self, log: &LogArgs) -> Result<ExitCode, CliError> {
        let seed = self.seed()?;
        let svg_is_result = self.svg.as_deref().is_some_and(output::is_standard_output);
        if svg_is_result && self.json {
            return Err(CliError::usage(
                "--svg - and --json both go to standard output: leave one of them out, or name a file",
            ));
        }
        if let Some(path) = &self.svg {
            output::check_file("--svg", path)?;
        }
        let stage = Stage::set_up(self.file.as_deref(), self.keep.as_deref(), seed)?;
        let session = stage.session()?;
        // It owns the stage, of which nothing is left when this ends, however it does.
        session.run("", async move |session| {
            let record = acts::perform(session, &stage, log).await?;
            let report = Report::of(&stage, &record);
            if let Some(path) = &self.svg {
                let svg = plot::run_svg(&picture::of(&stage, &record, &report));
                output::write_file("--svg", path, svg.as_bytes())?;
            }
            let text = match self.json {
                true => report.json(self.svg.as_deref())? + "\n",
                false => report.text(self.svg.as_deref()),
            };
            if !svg_is_result {
                output::print(text.as_bytes())?;
            }
            stage.clear_away();
            Ok(ExitCode::from(u8::from(!report.is_equal())))
        })
    }

    fn seed(&self) -> Result<u64, CliError> {
        let seed = self.seed.as_deref().unwrap_or("1");
        seed.parse().map_err(|_| {
            let most = u64::MAX;
            CliError::usage(format!(
                "--seed is '{seed}', but must be a whole number from 0 to {most}"
            ))
        })
    }
}

/// A line of what the demo tells, among those of the log.
fn tell(line: &str) {
    info!(target: NARRATION, "{line}");
}
