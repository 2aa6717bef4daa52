//! `acumen demo`.

use super::simulate::{KEY, ORG, serve};
use super::{Context, Ended, output, report};
use crate::cli::{ApiArgs, DemoArgs, ReportArgs};
use crate::console::Console;
use crate::error::Error;
use crate::exit::Exit;
use crate::settings::{Found, FoundKey, Settings};
use devin_simulator::{Options, Organisation, Recipe};
use report::Prepared;

/// The moment at which the demo pretends to run, so that its bytes never change.
const NOW: &str = "2026-10-12T06:00:00Z";

/// What to look at after the demo.
const HINT: &str = "\
A week of an invented organisation. Open the HTML file in a browser; the JSON file has its numbers.
Next: `acumen metrics` defines every number, `acumen report --help` shows how to make your own report.";

/// Writes the report of an invented organisation: the same pipeline, over HTTP.
///
/// # Errors
/// Loopback cannot be listened on, or the first stage that fails.
pub async fn run(args: DemoArgs, context: Context) -> Result<Exit, Ended> {
    demo(args, context).await.map_err(|ended| ended.keeping(|error| Some(error.kept())))
}

async fn demo(args: DemoArgs, mut context: Context) -> Result<Exit, Ended> {
    let own = context.console.clone();
    let prepared = context.signals.until(async move { prepare(&args, &own).await }).await?;
    let console = &context.console;
    output::note_mode(prepared.mode(), console);
    output::print(&output::written(&prepared.deliver()?, console))?;
    console.say(HINT);
    Ok(Exit::Done)
}

async fn prepare(args: &DemoArgs, console: &Console) -> Result<Prepared, Error> {
    let simulator = serve(Organisation::invent(&Recipe::demo()), Options::default()).await?;
    let report = ReportArgs {
        week: Some("2026-W41".to_owned()),
        tz: "UTC".to_owned(),
        trend: 7,
        org: Some(ORG.to_owned()),
        out: args.out.clone(),
        mode: args.mode,
        export: args.export.clone(),
        access: ApiArgs {
            base_url: simulator.base_url(),
            page_size: 200,
            concurrency: 4,
            ..ApiArgs::default()
        },
        ..ReportArgs::default()
    };
    let key = FoundKey::new(KEY, "the demo");
    let now = NOW.parse().expect("the constant is a moment");
    let found = Found { key: Some(key), ..Found::default() };
    let settings = Settings { demo: true, ..Settings::resolve(&report, found, now)? };
    let prepared = report::prepare(&settings, &|progress| console.tell(progress)).await;
    console.finish();
    simulator.stop().await;
    prepared
}
