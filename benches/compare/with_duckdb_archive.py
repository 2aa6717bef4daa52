"""The core numbers of days in an archive with DuckDB: SQL over its Parquet files, without a page.

    python with_duckdb_archive.py ARCHIVE --from 2026-10-05 --to 2026-10-11 --out DIR
    python with_duckdb_archive.py ARCHIVE --from 2025-10-13 --to 2026-10-11 --and-before --out DIR

Only the months of the days are opened. `--and-before` computes the same for as many days before. Child rows join
their session by month and row, which is faster than by the text of the id.

The views of `deploy/sql` are not used here, because they would slow DuckDB down: core numbers through them took 1.5
times the processor time for a week and 2.1 times for 104 weeks, with 1.2 and 1.6 times the memory (medians of three
rounds over 1,000,000 sessions, 2026-11-30). They carry every column that some metric needs, and compare addresses of
pull requests without case. `deploy/sql/compare.py` checks that SQL against a report.
"""

import argparse
import datetime
import json
import pathlib

import duckdb

# `period` is 0 for the days, and 1 for those before.
TABLES = """
SET TimeZone = 'UTC';

CREATE TEMP TABLE sessions AS
SELECT
    month,
    row,
    (created < $first)::INT AS period,
    created,
    session,
    coalesce(service_user_id, user_id, '') AS user,
    acus,
    analysed
FROM (
    SELECT *, file_row_number::UINTEGER AS row
    FROM read_parquet($archive || '/sessions/*/*.parquet', hive_partitioning = true, file_row_number = true)
)
WHERE month BETWEEN $first_month AND $last_month AND created >= $start AND created < $end;

-- One row a session and distinct tag; the tag of an untagged session is empty.
CREATE TEMP TABLE tags AS
SELECT month, row, period, coalesce(tag, '') AS tag, acus
FROM sessions
LEFT JOIN (
    SELECT month, row, tag FROM read_parquet($archive || '/tags/*/*.parquet', hive_partitioning = true)
    WHERE month BETWEEN $first_month AND $last_month
) USING (month, row);

-- One row a distinct pull request of a period: the state its sessions agree on, and the session it belongs to.
CREATE TEMP TABLE pull_requests AS
SELECT
    period,
    arg_min({month: month, row: row}, (created, session)) AS owner,
    bool_or(state = 'merged') AS merged,
    bool_or(state IN ('merged', 'closed')) AS decided
FROM sessions
JOIN (
    SELECT month, row, address, state
    FROM read_parquet($archive || '/pull_requests/*/*.parquet', hive_partitioning = true)
    WHERE month BETWEEN $first_month AND $last_month AND address IS NOT NULL
) USING (month, row)
GROUP BY period, address;

CREATE TEMP TABLE issues AS
SELECT month, row, period, impact, coalesce(label, '') AS label
FROM sessions
JOIN (
    SELECT month, row, impact, label FROM read_parquet($archive || '/issues/*/*.parquet', hive_partitioning = true)
    WHERE month BETWEEN $first_month AND $last_month
) USING (month, row);

CREATE TEMP TABLE impacts AS SELECT unnest(['high', 'medium', 'low', 'other']) AS impact;
"""

RATE = "sum(merged::INT) / nullif(sum(decided::INT), 0)"

HISTOGRAM = """
WITH counts AS (
    SELECT s.period, impacts.impact, least(coalesce(n, 0), 5) AS issues
    FROM sessions s
    CROSS JOIN impacts
    LEFT JOIN (SELECT month, row, impact, count(*) AS n FROM issues GROUP BY ALL) c
        ON c.month = s.month AND c.row = s.row AND c.impact = impacts.impact
    WHERE analysed
)
SELECT period, impact, CASE issues WHEN 5 THEN '5+' ELSE issues::VARCHAR END, count(*) FROM counts GROUP BY ALL
"""


def numbers(connection, days):
    """The core numbers of each period, given the days of each."""
    periods = len(days)
    found = [{} for _ in range(periods)]

    def one(names, sql):
        for period, *values in connection.execute(sql).fetchall():
            found[period] |= dict(zip(names, values))

    def pairs(name, sql):
        for numbers in found:
            numbers[name] = {}
        for period, key, value in connection.execute(sql).fetchall():
            found[period][name][key] = value

    def nested(name, sql):
        for numbers in found:
            numbers[name] = {}
        for period, outer, inner, count in connection.execute(sql).fetchall():
            found[period][name].setdefault(outer, {})[inner] = count

    one(
        ["sessions", "acus", "analysed_sessions"],
        "SELECT period, count(*), coalesce(sum(acus), 0), sum(analysed::INT) FROM sessions GROUP BY period",
    )
    one(
        ["prs", "prs_merged", "merge_rate"],
        f"SELECT period, count(*), count(*) FILTER (merged), {RATE} FROM pull_requests GROUP BY period",
    )
    pairs("acus_by_user", "SELECT period, user, coalesce(sum(acus), 0) FROM sessions GROUP BY ALL")
    pairs("acus_by_tag", "SELECT period, tag, coalesce(sum(acus), 0) FROM tags GROUP BY ALL")
    pairs(
        "acus_by_day",
        "SELECT period, strftime(created::DATE, '%Y-%m-%d'), coalesce(sum(acus), 0) FROM sessions GROUP BY ALL",
    )
    for numbers, dates in zip(found, days):
        numbers["acus_by_day"] = dict.fromkeys(dates, 0.0) | numbers["acus_by_day"]
    pairs(
        "merge_rate_by_tag",
        f"SELECT p.period, tag, {RATE} FROM pull_requests p JOIN tags t"
        " ON t.month = p.owner.month AND t.row = p.owner.row GROUP BY ALL",
    )
    pairs("issues_by_impact", "SELECT period, impact, count(*) FROM issues GROUP BY ALL")
    nested("issues_by_label", "SELECT period, label, impact, count(*) FROM issues GROUP BY ALL")
    nested("issue_count_histogram", HISTOGRAM)
    return found


def main():
    parser = argparse.ArgumentParser(description="The core numbers of days in an archive with DuckDB.")
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("--from", dest="first", type=datetime.date.fromisoformat, required=True)
    parser.add_argument("--to", dest="last", type=datetime.date.fromisoformat, required=True)
    parser.add_argument("--and-before", action="store_true", help="also as many days before")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    midnight = lambda day: datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    end = args.last + datetime.timedelta(days=1)
    start = args.first - (end - args.first if args.and_before else datetime.timedelta())
    given = {
        "archive": str(args.archive),
        "first": midnight(args.first),
        "start": midnight(start),
        "end": midnight(end),
        "first_month": start.strftime("%Y-%m"),
        "last_month": args.last.strftime("%Y-%m"),
    }
    with duckdb.connect() as connection:
        for statement in duckdb.extract_statements(TABLES):
            connection.execute(statement, {name: given[name] for name in statement.named_parameters})
        length = (end - args.first).days
        firsts = [args.first, start] if args.and_before else [args.first]
        days = [[(first + datetime.timedelta(day)).isoformat() for day in range(length)] for first in firsts]
        core = numbers(connection, days)
    (args.out / "core.json").write_text(json.dumps(core))


if __name__ == "__main__":
    main()
