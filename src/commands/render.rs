//! `acumen render`.

use std::path::{Path, PathBuf};

use super::mail::{self, Attachments};
use super::stored::StoredReport;
use super::{Context, Ended, output};
use crate::cli::{RenderArgs, RenderFormat};
use crate::deliver;
use crate::error::Error;
use crate::exit::Exit;
use crate::mail::addresses;
use crate::render::{self, RenderedFile};
use crate::report::report;
use crate::settings::mail::attached;
use crate::settings::{PRIVATE, SettingsError, check_pdf};

/// Makes outputs of a report again, from its facts alone.
///
/// # Errors
/// The facts cannot be read, an address is invalid, or the disk refuses.
pub fn run(args: &RenderArgs, context: &Context) -> Result<Exit, Ended> {
    Ok(rendered(args, context)?)
}

fn rendered(args: &RenderArgs, context: &Context) -> Result<Exit, Error> {
    if args.format.contains(&RenderFormat::Pdf) {
        check_pdf("--format pdf")?;
    }
    let stored = StoredReport::read(&args.facts)?;
    if args.format.contains(&RenderFormat::Improvements) && stored.facts.is_covered() {
        return Err(SettingsError::new(
            "--format improvements: a report that hides people has no texts of single sessions",
            "use the facts of a report with names",
        )
        .into());
    }
    let report = report(&stored.facts);
    let mut files = Vec::new();
    for format in &args.format {
        match format {
            RenderFormat::Html => files.push(file(".html", render::html(&report)?.into_bytes())),
            RenderFormat::Pdf => files.push(render::pdf(&report, args.paper)?),
            RenderFormat::Xlsx => files.push(render::workbook(&report)?),
            RenderFormat::Csv => files.extend(render::csv_files(&stored.facts)?),
            RenderFormat::Improvements => files.push(render::improvements(&report)),
            RenderFormat::Md => files.push(file(".md", render::markdown(&report).into_bytes())),
            RenderFormat::Eml => files.push(file(".eml", message(args, &stored, context)?)),
        }
    }
    let beside = args.facts.parent().unwrap_or(Path::new(""));
    let folder = args.out.as_deref().unwrap_or(beside);
    let mode = args.mode.unwrap_or(PRIVATE);
    deliver::check(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }, mode)?;
    output::note_mode(mode, &context.console);
    let mut written = String::new();
    for RenderedFile { ending, bytes } in files {
        let path: PathBuf = folder.join(format!("{}{ending}", stored.name));
        deliver::write_file(&path, &bytes, mode)?;
        written.push_str(&format!("{}\n", path.display()));
    }
    output::print(&written)?;
    Ok(Exit::Done)
}

fn file(ending: &str, bytes: Vec<u8>) -> RenderedFile {
    RenderedFile { ending: ending.to_owned(), bytes }
}

fn message(args: &RenderArgs, report: &StoredReport, context: &Context) -> Result<Vec<u8>, Error> {
    let from = args.mail_from.as_deref().expect("clap requires a sender for a message");
    let addresses = addresses(from, &args.mail_to, &args.mail_cc)?;
    let attach = Attachments { formats: attached(&args.mail_attach)?, paper: args.paper };
    let message = mail::message_about(&report.facts, &report.name, &attach, &addresses, (context.clock)())?;
    Ok(message.bytes)
}
