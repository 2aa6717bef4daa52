//! What a Parquet file claims of itself, checked before Polars believes it.
//!
//! Polars makes room for as many rows, pages and bytes as a file says it has: a
//! crafted footer of a hundred bytes asks for gigabytes, and the process aborts.
//! So the claims are held against the length of the file first, and Polars
//! reads a footer that was written here from what passed. Only what this
//! program writes passes: plain columns without nesting, a few encodings, zstd.

use std::io::Cursor;

use polars_parquet_format::thrift::protocol::{TCompactInputProtocol, TCompactOutputProtocol};
use polars_parquet_format::{
    ColumnChunk, ColumnMetaData, CompressionCodec, DataPageHeader, Encoding, FieldRepetitionType,
    FileMetaData, PageHeader, PageType, RowGroup, SchemaElement,
};

/// What a file begins and ends with.
const MAGIC: &[u8] = b"PAR1";
/// Length of a footer and the magic, after the footer.
const TAIL: usize = 8;
/// The longest footer; ours have a few thousand bytes.
const LONGEST_FOOTER: usize = 1 << 20;
/// The longest header of a page; minima and maxima of its values are in it.
const LONGEST_HEADER: usize = 1 << 20;
/// Rows that any file may have; beyond them one needs so many bytes.
const ROWS: usize = 10_000;
/// Bytes of a session, whose id is in no other row, and of a row that tells of one.
const BYTES_A_SESSION: usize = 8;
const BYTES_A_ROW: usize = 1;
/// Bytes that any file may unpack to, and how many times its length beyond that.
const UNPACKED: usize = 16 << 20;
const RATIO: usize = 128;
/// Encodings that take no more memory than the values themselves.
const ENCODINGS: [Encoding; 4] =
    [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY, Encoding::PLAIN_DICTIONARY];

/// Most bytes that the pages of a file, or the texts in a column, may have.
pub(super) fn most_unpacked(length: usize) -> usize {
    length.saturating_mul(RATIO).saturating_add(UNPACKED)
}

/// The file with a footer that holds what was checked and nothing else, and its rows.
///
/// # Errors
/// What is wrong with the claims, in words.
pub(super) fn checked(mut bytes: Vec<u8>, is_sessions: bool) -> Result<(Vec<u8>, usize), String> {
    let footer = footer_start(&bytes).ok_or("it is not a Parquet file")?;
    let (pages, read) = bytes.split_at(footer);
    let read = read.get(..read.len() - TAIL).expect("the tail is behind the footer");
    // Lists are charged eight bytes an element, whatever they take in the file.
    let mut protocol = TCompactInputProtocol::new(Cursor::new(read), read.len().saturating_mul(16));
    let claimed = FileMetaData::read_from_in_protocol(&mut protocol).map_err(|_| "its footer is damaged")?;
    let (checked, rows) = file(claimed, pages, is_sessions)?;
    bytes.truncate(footer);
    let length = checked
        .write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut bytes))
        .map_err(|_| "its footer is damaged")?;
    let length = u32::try_from(length).map_err(|_| "its footer is too long")?;
    bytes.extend(length.to_le_bytes());
    bytes.extend(MAGIC);
    Ok((bytes, rows))
}

fn footer_start(bytes: &[u8]) -> Option<usize> {
    let (rest, tail) = bytes.split_at_checked(bytes.len().checked_sub(TAIL)?)?;
    let (length, magic) = tail.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let start = rest.len().checked_sub(length)?;
    (magic == MAGIC && bytes.starts_with(MAGIC) && start >= MAGIC.len() && length <= LONGEST_FOOTER)
        .then_some(start)
}

fn file(claimed: FileMetaData, pages: &[u8], is_sessions: bool) -> Result<(FileMetaData, usize), String> {
    let [root, columns @ ..] = claimed.schema.as_slice() else { return Err("it has no columns".to_owned()) };
    let is_flat = |column: &SchemaElement| {
        column.num_children.is_none_or(|count| count == 0)
            && column.type_.is_some()
            && column.repetition_type != Some(FieldRepetitionType::REPEATED)
    };
    let has_all = root.num_children.and_then(|count| usize::try_from(count).ok()) == Some(columns.len());
    if !has_all || !columns.iter().all(is_flat) {
        return Err("its columns are nested".to_owned());
    }
    let rows = usize::try_from(claimed.num_rows).map_err(|_| "it has a negative number of rows")?;
    let bytes_a_row = if is_sessions { BYTES_A_SESSION } else { BYTES_A_ROW };
    if rows > ROWS + pages.len() / bytes_a_row {
        return Err(format!("it claims {rows} rows in {} bytes", pages.len()));
    }
    let mut left = Left { rows, unpacked: most_unpacked(pages.len()) };
    let groups = claimed.row_groups.into_iter().map(|group| self::group(group, columns, pages, &mut left));
    let row_groups = groups.collect::<Result<Vec<_>, _>>()?;
    if left.rows > 0 {
        return Err("its row groups have fewer rows than the file".to_owned());
    }
    let checked = FileMetaData {
        version: claimed.version,
        schema: claimed.schema,
        num_rows: claimed.num_rows,
        row_groups,
        key_value_metadata: None,
        created_by: None,
        column_orders: None,
        encryption_algorithm: None,
        footer_signing_key_metadata: None,
    };
    Ok((checked, rows))
}

/// What the rest of a file may still have.
struct Left {
    rows: usize,
    unpacked: usize,
}

fn group(
    group: RowGroup,
    columns: &[SchemaElement],
    pages: &[u8],
    left: &mut Left,
) -> Result<RowGroup, String> {
    let rows = usize::try_from(group.num_rows).ok().filter(|rows| *rows <= left.rows);
    let rows = rows.ok_or("a row group has more rows than the file")?;
    left.rows -= rows;
    if group.columns.len() != columns.len() {
        return Err("a row group lacks columns".to_owned());
    }
    let chunks = group.columns.into_iter().zip(columns);
    let chunks = chunks.map(|(chunk, column)| self::chunk(chunk, column, rows, pages, left));
    Ok(RowGroup {
        columns: chunks.collect::<Result<_, _>>()?,
        total_byte_size: 0,
        num_rows: group.num_rows,
        sorting_columns: None,
        file_offset: None,
        total_compressed_size: None,
        ordinal: None,
    })
}

fn chunk(
    chunk: ColumnChunk,
    column: &SchemaElement,
    rows: usize,
    pages: &[u8],
    left: &mut Left,
) -> Result<ColumnChunk, String> {
    let broken = || format!("its column {:?} is damaged", column.name);
    let own = chunk.meta_data.ok_or_else(broken)?;
    let is_known = [CompressionCodec::ZSTD, CompressionCodec::UNCOMPRESSED].contains(&own.codec);
    let is_own = own.path_in_schema == [column.name.as_str()] && column.type_ == Some(own.type_);
    if !is_known || !is_own || usize::try_from(own.num_values) != Ok(rows) {
        return Err(broken());
    }
    let start = own.dictionary_page_offset.unwrap_or(own.data_page_offset);
    let (start, length) = (usize::try_from(start), usize::try_from(own.total_compressed_size));
    let (Ok(start), Ok(length)) = (start, length) else { return Err(broken()) };
    let end = start.checked_add(length).ok_or_else(broken)?;
    let own_pages = pages.get(start..end).filter(|_| start >= MAGIC.len()).ok_or_else(broken)?;
    walk(own_pages, rows, left).ok_or_else(broken)?;
    let own = ColumnMetaData {
        key_value_metadata: None,
        index_page_offset: None,
        statistics: None,
        encoding_stats: None,
        bloom_filter_offset: None,
        bloom_filter_length: None,
        size_statistics: None,
        ..own
    };
    Ok(ColumnChunk {
        file_path: None,
        file_offset: chunk.file_offset,
        meta_data: Some(own),
        offset_index_offset: None,
        offset_index_length: None,
        column_index_offset: None,
        column_index_length: None,
        crypto_metadata: None,
        encrypted_column_metadata: None,
    })
}

/// Goes from page to page of a column: nothing where one of them claims more
/// than there can be.
fn walk(mut pages: &[u8], mut rows: usize, left: &mut Left) -> Option<()> {
    let mut is_first = true;
    while rows > 0 {
        let mut header = Cursor::new(pages);
        let mut protocol = TCompactInputProtocol::new(&mut header, LONGEST_HEADER);
        let page = PageHeader::read_from_in_protocol(&mut protocol).ok()?;
        let behind = pages.get(usize::try_from(header.position()).ok()?..)?;
        let packed = usize::try_from(page.compressed_page_size).ok()?;
        let unpacked = usize::try_from(page.uncompressed_page_size).ok()?;
        left.unpacked = left.unpacked.checked_sub(unpacked)?;
        let values = match (page.type_, &page.data_page_header, &page.dictionary_page_header) {
            (PageType::DATA_PAGE, Some(DataPageHeader { num_values, encoding, .. }), _) => {
                rows = rows.checked_sub(usize::try_from(*num_values).ok()?)?;
                ENCODINGS.contains(encoding).then_some(())
            }
            // Each value of a dictionary has four bytes or more.
            (PageType::DICTIONARY_PAGE, _, Some(dictionary)) if is_first => {
                (usize::try_from(dictionary.num_values).ok()? <= unpacked / 4).then_some(())
            }
            _ => None,
        };
        values?;
        is_first = false;
        pages = behind.get(packed..)?;
    }
    Some(())
}
