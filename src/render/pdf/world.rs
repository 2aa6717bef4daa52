//! What the template can see: itself, the data, and fonts.

use std::sync::LazyLock;

use serde_json::Value;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

const TEMPLATE: &str = include_str!("../../../templates/report.typ");

/// The name by which the template reads its data.
const DATA: &str = "report.json";

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// The template with the data of one report.
pub struct ReportWorld {
    main: Source,
    data: (FileId, Bytes),
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

impl ReportWorld {
    /// The template with this data and these fonts.
    pub fn new(view: &Value, fonts: Vec<Font>) -> Self {
        let json = view.to_string().into_bytes();
        Self {
            main: Source::new(file("report.typ"), TEMPLATE.to_owned()),
            data: (file(DATA), Bytes::new(json)),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
        }
    }
}

fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("the names are plain");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for ReportWorld {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.data.0 { Ok(self.data.1.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    // The report has its own dates.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
