"""The week of a report with pandas, matplotlib and Jinja2: the core numbers and a page with charts.

    python with_pandas.py PAGES --week 2026-W41 --out DIR

What somebody who works with data writes in an afternoon. Each page is read by `json.loads` and
cut down to the few values that are needed before the next one is read: that is about five times as
fast as `json_normalize`, and no page stays in memory. Everything after that is vectorised.
"""

import argparse
import datetime
import io
import json
import pathlib

import jinja2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

IMPACTS = ["high", "medium", "low", "other"]
STATES = {"merged": 0, "closed": 1, "open": 2, "draft": 3}
UNKNOWN_STATE = 4

PAGE = jinja2.Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sessions, {{ week }}</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: left }
td + td { text-align: right } svg { max-width: 100%; height: auto }</style></head>
<body><h1>Sessions, {{ week }}</h1>
<ul>{% for name, value in headline %}<li>{{ name }}: <b>{{ value }}</b></li>{% endfor %}</ul>
{% for title, svg in charts %}<h2>{{ title }}</h2>{{ svg | safe }}{% endfor %}
{% for title, rows in tables %}<h2>{{ title }}</h2>
<table>{% for name, value in rows %}
<tr><td>{{ name or "none" }}</td><td>{{ value }}</td></tr>{% endfor %}</table>
{% endfor %}</body></html>""",
    autoescape=True,
)


def read(folder):
    """One row a session, with its tags, pull requests and issues as lists."""
    rows = []
    for page in sorted(folder.glob("*.json")):
        for session in json.loads(page.read_bytes())["items"]:
            analysis = session.get("session_analysis")
            rows.append(
                (
                    session["session_id"],
                    session["created_at"],
                    session["updated_at"],
                    session.get("service_user_id") or session.get("user_id"),
                    session.get("acus_consumed"),
                    session.get("tags") or [],
                    [
                        (pr.get("pr_url") or pr.get("url"), pr.get("pr_state") or pr.get("state"))
                        for pr in session.get("pull_requests") or []
                    ],
                    analysis is not None,
                    [
                        (issue.get("impact"), issue.get("label"))
                        for issue in (analysis or {}).get("issues") or []
                    ],
                )
            )
    columns = ["id", "created", "updated", "user", "acus", "tags", "prs", "analysed", "issues"]
    return pd.DataFrame.from_records(rows, columns=columns)


def sessions_of(frame, week):
    """The distinct sessions that were created in the week, normalised."""
    year, number = week.split("-W")
    start = pd.Timestamp(datetime.date.fromisocalendar(int(year), int(number), 1), tz="UTC")
    frame["created"] = pd.to_datetime(frame["created"], format="ISO8601", utc=True)
    frame = frame[(frame["created"] >= start) & (frame["created"] < start + pd.Timedelta(days=7))].copy()
    frame["updated"] = pd.to_datetime(frame["updated"], format="ISO8601", utc=True)
    frame["id"] = frame["id"].str.removeprefix("devin-")
    frame["user"] = frame["user"].fillna("")
    acus = pd.to_numeric(frame["acus"], errors="coerce")
    frame["acus"] = acus.where(acus.between(0, float("inf"), inclusive="left"))
    frame = frame.sort_values("updated", kind="stable").drop_duplicates("id", keep="last")
    frame["day"] = frame["created"].dt.strftime("%Y-%m-%d")
    return frame, pd.date_range(start, periods=7).strftime("%Y-%m-%d")


def tags_of(frame):
    """One row a session and distinct tag; the tag of an untagged session is empty."""
    tags = frame[["id", "tags"]].explode("tags").rename(columns={"tags": "tag"})
    tags["tag"] = tags["tag"].fillna("").str.strip()
    tags = tags[tags["tag"] != ""].drop_duplicates()
    return frame[["id"]].merge(tags, on="id", how="left").fillna({"tag": ""})


def pull_requests_of(frame):
    """One row a distinct pull request: the state its sessions agree on, and the session it belongs to."""
    rows = frame[["id", "created", "prs"]].explode("prs").dropna(subset="prs")
    rows[["url", "state"]] = pd.DataFrame(
        rows["prs"].tolist(), index=rows.index, columns=["url", "state"], dtype=object
    )
    rows = rows.dropna(subset="url")
    url = rows["url"].str.strip().str.split(r"[?#]", n=1, regex=True).str[0].str.rstrip("/ ")
    rows["url"] = url.str.replace(r"^[^/]*//[^/]*", lambda origin: origin[0].lower(), regex=True)
    rows["state"] = rows["state"].astype("str").str.strip().str.lower().map(STATES).fillna(UNKNOWN_STATE)
    rows = rows[rows["url"] != ""].sort_values(["created", "id"])
    prs = rows.groupby("url", sort=False).agg(id=("id", "first"), state=("state", "min")).reset_index()
    return prs.assign(merged=prs["state"].eq(0), decided=prs["state"].le(1))


def issues_of(frame):
    """One row an issue."""
    rows = frame[["id", "issues"]].explode("issues").dropna(subset="issues")
    issues = pd.DataFrame(rows["issues"].tolist(), columns=["impact", "label"], dtype="str")
    issues["id"] = rows["id"].to_numpy()
    impact = issues["impact"].str.strip().str.lower()
    issues["impact"] = impact.where(impact.isin(IMPACTS), "other")
    issues["label"] = issues["label"].str.strip().fillna("")
    return issues


def ratio(part, whole):
    return float(part / whole) if whole else None


def numbers(week, frame, days):
    """The core numbers that all contestants compute."""
    tags, prs, issues = tags_of(frame), pull_requests_of(frame), issues_of(frame)
    by_tag = tags.merge(frame[["id", "acus"]], on="id").groupby("tag")["acus"].sum()
    rates = tags.merge(prs, on="id").groupby("tag")[["merged", "decided"]].sum()
    analysed = frame.loc[frame["analysed"], "id"]
    counts = issues.groupby(["id", "impact"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=analysed, columns=IMPACTS, fill_value=0).clip(upper=5)
    labels = issues.groupby(["label", "impact"]).size()
    histogram = {
        impact: {"5+" if n == 5 else str(n): int(count) for n, count in counts[impact].value_counts().items()}
        for impact in IMPACTS
        if len(counts)
    }
    return {
        "week": week,
        "sessions": len(frame),
        "acus": float(frame["acus"].sum()),
        "acus_by_user": frame.groupby("user")["acus"].sum().to_dict(),
        "acus_by_tag": by_tag.to_dict(),
        "acus_by_day": frame.groupby("day")["acus"].sum().reindex(days, fill_value=0.0).to_dict(),
        "prs": len(prs),
        "prs_merged": int(prs["merged"].sum()),
        "merge_rate": ratio(prs["merged"].sum(), prs["decided"].sum()),
        "merge_rate_by_tag": {tag: ratio(row.merged, row.decided) for tag, row in rates.iterrows()},
        "analysed_sessions": len(analysed),
        "issues_by_impact": issues["impact"].value_counts().reindex(IMPACTS, fill_value=0).to_dict(),
        "issues_by_label": {
            label: rows.droplevel("label").to_dict() for label, rows in labels.groupby(level="label")
        },
        "issue_count_histogram": histogram,
    }


def svg(draw):
    """A chart as text. Margins are set by hand: letting matplotlib find them nearly doubles the time."""
    figure, axes = plt.subplots(figsize=(8, 3.2))
    figure.subplots_adjust(left=0.36, right=0.98, top=0.96, bottom=0.12)
    draw(axes)
    axes.spines[["top", "right"]].set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg")
    plt.close(figure)
    return text.getvalue()[text.getvalue().index("<svg") :]


def charts(core):
    """Charts of the ten greatest of each; what is empty has none."""

    def top(by):
        return pd.Series(by).sort_values().tail(10).rename({"": "none"})

    users, tags = top(core["acus_by_user"]), top(core["acus_by_tag"])
    days = pd.Series(core["acus_by_day"]).rename(lambda day: day[5:])
    labels = pd.DataFrame.from_dict(core["issues_by_label"], orient="index", columns=IMPACTS).fillna(0)
    labels = labels.loc[labels.sum(axis=1).sort_values().tail(10).index].rename({"": "none"})
    histogram = pd.DataFrame(core["issue_count_histogram"]).fillna(0).sort_index()
    drawn = [
        ("ACUs by day", days, lambda axes: axes.bar(days.index, days)),
        ("ACUs by user", users, lambda axes: axes.barh(users.index, users)),
        ("ACUs by tag", tags, lambda axes: axes.barh(tags.index, tags)),
        ("Issues by label", labels, lambda axes: labels.plot.barh(stacked=True, ax=axes)),
        ("Sessions by number of issues", histogram, lambda axes: histogram.plot.bar(ax=axes, rot=0)),
    ]
    return [(title, svg(draw)) for title, rows, draw in drawn if len(rows)]


def page(core):
    def rows(by, digits=1):
        written = {name: "–" if value is None else f"{value:,.{digits}f}" for name, value in by.items()}
        return sorted(written.items(), key=lambda row: (by[row[0]] is None, -(by[row[0]] or 0)))

    headline = [
        ("Sessions", f"{core['sessions']:,}"),
        ("ACUs", f"{core['acus']:,.1f}"),
        ("Pull requests", f"{core['prs']:,}"),
        ("Merged", f"{core['prs_merged']:,}"),
        ("Merge rate", "–" if core["merge_rate"] is None else f"{core['merge_rate']:.1%}"),
        ("Analysed sessions", f"{core['analysed_sessions']:,}"),
    ]
    tables = [
        ("ACUs by user", rows(core["acus_by_user"])),
        ("ACUs by tag", rows(core["acus_by_tag"])),
        ("Merge rate by tag", rows(core["merge_rate_by_tag"], 2)),
        ("Issues by impact", rows(core["issues_by_impact"], 0)),
    ]
    return PAGE.render(week=core["week"], headline=headline, charts=charts(core), tables=tables)


def main():
    parser = argparse.ArgumentParser(description="A week of sessions with pandas, matplotlib and Jinja2.")
    parser.add_argument("pages", type=pathlib.Path)
    parser.add_argument("--week", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    frame, days = sessions_of(read(args.pages), args.week)
    core = numbers(args.week, frame, days)
    (args.out / "core.json").write_text(json.dumps(core))
    (args.out / "report.html").write_text(page(core), encoding="utf-8")


if __name__ == "__main__":
    main()
