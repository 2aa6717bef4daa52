//! `acumen render`.

use std::path::{Path, PathBuf};

use super::stored::StoredReport;
use super::{Context, Ended, mail, output};
use crate::cli::{RenderArgs, RenderFormat};
use crate::deliver;
use crate::error::Error;
use crate::exit::Exit;
use crate::export::ExportFile;
use crate::mail::addresses;
use crate::outputs::{self, Output};
use crate::settings::PRIVATE;
use crate::settings::mail::Attach;

/// Makes outputs of a report again, from its facts alone.
///
/// # Errors
/// The facts cannot be read, an address is invalid, or the disk refuses.
pub fn run(args: &RenderArgs, context: &Context) -> Result<Exit, Ended> {
    Ok(rendered(args, context)?)
}

fn rendered(args: &RenderArgs, context: &Context) -> Result<Exit, Error> {
    let report = StoredReport::read(&args.facts)?;
    let mut files = Vec::new();
    for format in &args.format {
        let output = match format {
            RenderFormat::Html => Output::Html,
            RenderFormat::Xlsx => Output::Xlsx,
            RenderFormat::Csv => Output::Csv,
            RenderFormat::Md => Output::Markdown,
            RenderFormat::Eml => {
                files.push(message(args, &report, context)?);
                continue;
            }
        };
        files.extend(outputs::render(&report.facts, output)?);
    }
    let beside = args.facts.parent().unwrap_or(Path::new(""));
    let folder = args.out.as_deref().unwrap_or(beside);
    let mode = args.mode.unwrap_or(PRIVATE);
    deliver::check(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }, mode)?;
    output::note_mode(mode, &context.console);
    let mut written = String::new();
    for ExportFile { ending, bytes } in files {
        let path: PathBuf = folder.join(format!("{}{ending}", report.name));
        deliver::write_file(&path, &bytes, mode)?;
        written.push_str(&format!("{}\n", path.display()));
    }
    output::print(&written)?;
    Ok(Exit::Done)
}

fn message(args: &RenderArgs, report: &StoredReport, context: &Context) -> Result<ExportFile, Error> {
    let from = args.mail_from.as_deref().expect("clap requires a sender for a message");
    let addresses = addresses(from, &args.mail_to, &args.mail_cc)?;
    let attach = Attach::of(&args.mail_attach);
    let message = mail::message_about(&report.facts, &report.name, attach, &addresses, (context.clock)())?;
    Ok(ExportFile { ending: ".eml".to_owned(), bytes: message.bytes })
}
