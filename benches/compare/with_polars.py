"""The core numbers of a week with Polars for Python, without a page.

    python with_polars.py PAGES --week 2026-W41 --out DIR

Each page is read with an explicit schema, which leaves out all long texts; one query over all of
them follows. `scan_ndjson` over the folder takes pages too, since an answer is one line, but needs
four times as long to read, and decoding in Python first more than ten times.
"""

import argparse
import datetime
import json
import pathlib

import polars as pl

IMPACTS = ["high", "medium", "low", "other"]
STATES = ["merged", "closed", "open", "draft"]
UNKNOWN_STATE = len(STATES)
TEXT = pl.String
SESSION = pl.Struct(
    {
        "session_id": TEXT,
        "user_id": TEXT,
        "service_user_id": TEXT,
        "created_at": TEXT,
        "updated_at": TEXT,
        "acus_consumed": TEXT,  # mostly a number, sometimes text: made a number below
        "tags": pl.List(TEXT),
        "pull_requests": pl.List(pl.Struct({"pr_url": TEXT, "url": TEXT, "pr_state": TEXT, "state": TEXT})),
        "session_analysis": pl.Struct({"issues": pl.List(pl.Struct({"impact": TEXT, "label": TEXT}))}),
    }
)


def moment(name):
    return pl.col(name).str.to_datetime("%+", time_unit="us", time_zone="UTC")


def read(folder, start):
    """The distinct sessions that were created in the seven days, normalised."""
    schema, end = {"items": pl.List(SESSION)}, start + datetime.timedelta(days=7)
    files = sorted(folder.glob("*.json"))
    pages = [pl.read_json(page, schema=schema).explode("items").unnest("items") for page in files]
    acus = pl.col("acus_consumed").cast(pl.Float64, strict=False)
    return (
        pl.concat(pages)
        .lazy()
        .with_columns(moment("created_at"))
        .filter(pl.col("created_at").is_between(start, end, closed="left"))
        .select(
            pl.col("session_id").str.strip_prefix("devin-").alias("id"),
            pl.col("created_at").alias("created"),
            moment("updated_at").alias("updated"),
            pl.coalesce("service_user_id", "user_id").fill_null("").alias("user"),
            pl.when(acus.is_finite() & (acus >= 0)).then(acus).alias("acus"),
            pl.col("tags"),
            pl.col("pull_requests"),
            pl.col("session_analysis").is_not_null().alias("analysed"),
            pl.col("session_analysis").struct.field("issues"),
        )
        .sort("updated", nulls_last=False, maintain_order=True)
        .unique("id", keep="last", maintain_order=True)
        .collect()
    )


def tags_of(sessions):
    """One row a session and distinct tag; the tag of an untagged session is empty."""
    tags = sessions.select("id", pl.col("tags").alias("tag")).explode("tag")
    tags = tags.with_columns(pl.col("tag").str.strip_chars()).filter(pl.col("tag") != "").unique()
    return (
        sessions.select("id", "acus")
        .join(tags, on="id", how="left")
        .with_columns(pl.col("tag").fill_null(""))
    )


def pull_requests_of(sessions):
    """One row a distinct pull request: the state its sessions agree on, and the session it belongs to."""
    address = (
        pl.coalesce("pr_url", "url").str.strip_chars().str.replace(r"[?#].*$", "").str.strip_chars_end("/ ")
    )
    origin = address.str.extract(r"^([^/]*//[^/]*)")
    state = pl.coalesce("pr_state", "state").str.strip_chars().str.to_lowercase()
    rank = state.replace_strict(STATES, range(len(STATES)), default=UNKNOWN_STATE, return_dtype=pl.UInt8)
    return (
        sessions.select("id", "created", "pull_requests")
        .explode("pull_requests")
        .unnest("pull_requests")
        .select(
            "id",
            "created",
            pl.concat_str(
                origin.str.to_lowercase().fill_null(""),
                address.str.slice(origin.str.len_chars().fill_null(0)),
            ).alias("url"),
            rank.alias("state"),
        )
        .filter(pl.col("url") != "")
        .sort("created", "id")
        .group_by("url")
        .agg(pl.col("id").first(), pl.col("state").min())
        .with_columns((pl.col("state") == 0).alias("merged"), (pl.col("state") <= 1).alias("decided"))
    )


def issues_of(sessions):
    """One row an issue."""
    impact = pl.col("impact").str.strip_chars().str.to_lowercase()
    return (
        sessions.select("id", "issues")
        .explode("issues")
        .filter(pl.col("issues").is_not_null())
        .unnest("issues")
        .with_columns(
            pl.when(impact.is_in(IMPACTS)).then(impact).otherwise(pl.lit("other")).alias("impact"),
            pl.col("label").str.strip_chars().fill_null(""),
        )
    )


def total(frame, by, value="acus"):
    return dict(frame.group_by(by).agg(pl.col(value).sum()).iter_rows())


def ratio(part, whole):
    return part / whole if whole else None


def histogram(analysed, issues, impact):
    """How many analysed sessions have how many issues of the impact."""
    counts = issues.filter(pl.col("impact") == impact).group_by("id").len("issues")
    counts = analysed.join(counts, on="id", how="left").select(
        pl.col("issues").fill_null(0).clip(upper_bound=5)
    )
    rows = counts.group_by("issues").len().iter_rows()
    return {"5+" if issues == 5 else str(issues): sessions for issues, sessions in rows}


def numbers(week, start, sessions):
    """The core numbers that all contestants compute."""
    tags, prs, issues = tags_of(sessions), pull_requests_of(sessions), issues_of(sessions)
    days = {(start + datetime.timedelta(days=day)).strftime("%Y-%m-%d"): 0.0 for day in range(7)}
    rates = tags.join(prs, on="id").group_by("tag").agg(pl.col("merged", "decided").sum())
    analysed = sessions.filter("analysed").select("id")
    labels = {}
    for label, impact, count in issues.group_by("label", "impact").len().iter_rows():
        labels.setdefault(label, {})[impact] = count
    return {
        "week": week,
        "sessions": sessions.height,
        "acus": sessions["acus"].sum(),
        "acus_by_user": total(sessions, "user"),
        "acus_by_tag": total(tags, "tag"),
        "acus_by_day": days | total(sessions, pl.col("created").dt.strftime("%Y-%m-%d")),
        "prs": prs.height,
        "prs_merged": prs["merged"].sum(),
        "merge_rate": ratio(prs["merged"].sum(), prs["decided"].sum()),
        "merge_rate_by_tag": {tag: ratio(merged, decided) for tag, merged, decided in rates.iter_rows()},
        "analysed_sessions": analysed.height,
        "issues_by_impact": dict.fromkeys(IMPACTS, 0) | dict(issues.group_by("impact").len().iter_rows()),
        "issues_by_label": labels,
        "issue_count_histogram": {
            impact: histogram(analysed, issues, impact) for impact in IMPACTS if analysed.height
        },
    }


def main():
    parser = argparse.ArgumentParser(description="The core numbers of a week of sessions with Polars.")
    parser.add_argument("pages", type=pathlib.Path)
    parser.add_argument("--week", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    year, number = args.week.split("-W")
    monday = datetime.datetime.fromisocalendar(int(year), int(number), 1)
    start = monday.replace(tzinfo=datetime.UTC)
    core = numbers(args.week, start, read(args.pages, start))
    (args.out / "core.json").write_text(json.dumps(core))


if __name__ == "__main__":
    main()
