"""The core numbers of a week with DuckDB: SQL over the JSON files, without a page.

    python with_duckdb.py PAGES --week 2026-W41 --out DIR

Pages are read as text and decoded by `from_json` with the columns written out. `read_json` with
the same columns gives the same rows, but takes more than ten times as long, since a file is one object.
"""

import argparse
import datetime
import json
import pathlib

import duckdb

# Only what is asked for is decoded. `acus_consumed` is mostly a number, sometimes text.
SESSIONS = json.dumps(
    [
        {
            "session_id": "VARCHAR",
            "user_id": "VARCHAR",
            "service_user_id": "VARCHAR",
            "created_at": "VARCHAR",
            "updated_at": "VARCHAR",
            "acus_consumed": "VARCHAR",
            "tags": ["VARCHAR"],
            "pull_requests": [
                {"pr_url": "VARCHAR", "url": "VARCHAR", "pr_state": "VARCHAR", "state": "VARCHAR"}
            ],
            "session_analysis": {"issues": [{"impact": "VARCHAR", "label": "VARCHAR"}]},
        }
    ]
)

TABLES = """
SET TimeZone = 'UTC';

-- The distinct sessions that were created in the week; of duplicates the last changed one, then the later.
CREATE TEMP TABLE sessions AS
WITH pages AS (
    SELECT filename, from_json(content -> 'items', $columns) AS items FROM read_text($files)
), items AS (
    SELECT filename, unnest(range(len(items))) AS place, unnest(items) AS item FROM pages
), week AS (
    SELECT filename, place, unnest(item), item.created_at::TIMESTAMPTZ AS created FROM items
    WHERE item.created_at::TIMESTAMPTZ >= $monday AND item.created_at::TIMESTAMPTZ < $monday + INTERVAL 7 DAY
)
SELECT
    regexp_replace(session_id, '^devin-', '') AS id,
    created,
    coalesce(service_user_id, user_id, '') AS user,
    try_cast(acus_consumed AS DOUBLE) AS number,
    CASE WHEN isfinite(number) AND number >= 0 THEN number END AS acus,
    tags,
    pull_requests,
    session_analysis
FROM week
QUALIFY row_number() OVER (
    PARTITION BY id ORDER BY updated_at::TIMESTAMPTZ DESC NULLS LAST, filename DESC, place DESC
) = 1;

-- One row a session and distinct tag; the tag of an untagged session is empty.
CREATE TEMP TABLE tags AS
WITH spelt AS (
    SELECT DISTINCT id, trim(written) AS tag FROM (SELECT id, unnest(tags) AS written FROM sessions)
    WHERE tag <> ''
)
SELECT id, coalesce(tag, '') AS tag, acus FROM sessions LEFT JOIN spelt USING (id);

-- One row a distinct pull request: the state its sessions agree on, and the session it belongs to.
CREATE TEMP TABLE pull_requests AS
WITH entries AS (
    SELECT id, created, unnest(pull_requests, recursive := true) FROM sessions
), spelt AS (
    SELECT
        id,
        created,
        rtrim(regexp_replace(trim(coalesce(pr_url, url)), '[?#].*$', ''), '/ ') AS address,
        regexp_extract(address, '^[^/]*//[^/]*') AS origin,
        lower(origin) || substr(address, length(origin) + 1) AS url,
        lower(trim(coalesce(pr_state, state))) AS word,
        coalesce(list_position(['merged', 'closed', 'open', 'draft'], word), 5) AS rank
    FROM entries
)
SELECT url, arg_min(id, (created, id)) AS id, min(rank) = 1 AS merged, min(rank) <= 2 AS decided
FROM spelt WHERE url <> '' GROUP BY url;

CREATE TEMP TABLE issues AS
SELECT
    id,
    lower(trim(spelt.impact)) AS word,
    CASE WHEN word IN ('high', 'medium', 'low') THEN word ELSE 'other' END AS impact,
    coalesce(trim(label), '') AS label
FROM (SELECT id, unnest(session_analysis.issues, recursive := true) FROM sessions) AS spelt;

-- All that has a number even where nothing happened.
CREATE TEMP TABLE impacts AS SELECT unnest(['high', 'medium', 'low', 'other']) AS impact;
CREATE TEMP TABLE days AS SELECT $monday::DATE + unnest(range(7))::INT AS day;
"""

HISTOGRAM = """
WITH counts AS (
    SELECT impacts.impact, id, least(count(issues.id), 5) AS issues
    FROM sessions
    CROSS JOIN impacts
    LEFT JOIN issues USING (id, impact)
    WHERE session_analysis IS NOT NULL
    GROUP BY ALL
)
SELECT impact, CASE issues WHEN 5 THEN '5+' ELSE issues::VARCHAR END, count(*) FROM counts GROUP BY ALL
"""

RATE = "sum(merged::INT) / nullif(sum(decided::INT), 0)"


def numbers(connection, week):
    """The core numbers that all contestants compute."""

    def one(sql):
        return connection.execute(sql).fetchone()

    def pairs(sql):
        return dict(connection.execute(sql).fetchall())

    def nested(sql):
        groups = {}
        for outer, inner, count in connection.execute(sql).fetchall():
            groups.setdefault(outer, {})[inner] = count
        return groups

    sessions, acus, analysed = one(
        "SELECT count(*), coalesce(sum(acus), 0), count(session_analysis) FROM sessions"
    )
    prs, merged, rate = one(f"SELECT count(*), count(*) FILTER (merged), {RATE} FROM pull_requests")
    return {
        "week": week,
        "sessions": sessions,
        "acus": acus,
        "acus_by_user": pairs("SELECT user, coalesce(sum(acus), 0) FROM sessions GROUP BY user"),
        "acus_by_tag": pairs("SELECT tag, coalesce(sum(acus), 0) FROM tags GROUP BY tag"),
        "acus_by_day": pairs(
            "SELECT strftime(day, '%Y-%m-%d'), coalesce(sum(acus), 0)"
            " FROM days LEFT JOIN sessions ON created::DATE = day GROUP BY day"
        ),
        "prs": prs,
        "prs_merged": merged,
        "merge_rate": rate,
        "merge_rate_by_tag": pairs(
            f"SELECT tag, {RATE} FROM tags JOIN pull_requests USING (id) GROUP BY tag"
        ),
        "analysed_sessions": analysed,
        "issues_by_impact": pairs(
            "SELECT impact, count(issues.id) FROM impacts LEFT JOIN issues USING (impact) GROUP BY impact"
        ),
        "issues_by_label": nested("SELECT label, impact, count(*) FROM issues GROUP BY ALL"),
        "issue_count_histogram": nested(HISTOGRAM),
    }


def monday(week):
    year, number = week.split("-W")
    return datetime.date.fromisocalendar(int(year), int(number), 1)


def main():
    parser = argparse.ArgumentParser(description="The core numbers of a week of sessions with DuckDB.")
    parser.add_argument("pages", type=pathlib.Path)
    parser.add_argument("--week", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    start = datetime.datetime.combine(monday(args.week), datetime.time(), datetime.UTC)
    with duckdb.connect() as connection:
        for statement in duckdb.extract_statements(TABLES):
            given = {"columns": SESSIONS, "files": str(args.pages / "*.json"), "monday": start}
            wanted = {name: given[name] for name in statement.named_parameters}
            connection.execute(statement, wanted)
        core = numbers(connection, args.week)
    (args.out / "core.json").write_text(json.dumps(core))


if __name__ == "__main__":
    main()
