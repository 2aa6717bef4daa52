"""Runs the recipes of docs/exports.md over the Parquet exports of a report, and compares
pandas with DuckDB and both with facts.json.

    recipes.py exports.md REPORT.json

It prints what agrees, and ends with 1 and the differences otherwise.
"""

import json
import math
import os
import re
import sys
from collections import defaultdict
from pathlib import Path

import duckdb

# The report that the page names.
NAME = "org_789_2026-W41"
# Of each recipe the columns that name a row.
RECIPES = {
    "ACUs and spend by team and person": ["period", "team", "user"],
    "Merge rate by repository": ["period", "repo"],
    "High-impact issues by repository and label": ["period", "repo", "label"],
}

agreed = 0
differences = []


def agree(what, found, expected):
    global agreed
    if isinstance(found, float) and isinstance(expected, (int, float)):
        is_same = math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    else:
        is_same = found == expected
    agreed += is_same
    if not is_same:
        differences.append(f"{what}: {found!r}, not {expected!r}")


def value(cell):
    """A cell of pandas or DuckDB as Python has it; None for all that is missing."""
    cell = cell.item() if hasattr(cell, "item") else cell
    return None if cell is None or cell != cell else cell


def keyed(what, heads, rows, keys):
    table = {}
    for row in rows:
        row = dict(zip(heads, map(value, row)))
        key = tuple(row[key] for key in keys)
        agree(f"{what}: {key} is there once", key in table, False)
        table[key] = row
    return table


def of_recipe(title, text, name, keys):
    """The rows of a recipe, which are the same in pandas and in DuckDB."""
    [python] = re.findall(r"```python\n(.*?)```", text, re.S)
    [sql] = re.findall(r"```sql\n(.*?)```", text, re.S)
    scope = {}
    exec(python.replace(NAME, name), scope)
    frame = scope["result"]
    frames = keyed(f"{title} in pandas", frame.columns, frame.itertuples(index=False, name=None), keys)
    answer = duckdb.sql(sql.replace(NAME, name))
    tables = keyed(f"{title} in DuckDB", answer.columns, answer.fetchall(), keys)
    agree(f"{title}: columns", list(frame.columns), answer.columns)
    agree(f"{title}: rows", set(frames), set(tables))
    agree(f"{title}: has rows", bool(frames), True)
    for key in set(frames) & set(tables):
        for column, cell in frames[key].items():
            other = tables[key][column]
            # DuckDB gives decimals for sums of whole numbers.
            other = int(other) if isinstance(cell, int) and other is not None else other
            agree(f"{title}: {column} of {key}", cell, other)
    return list(frames.values())


def sums(rows, by, column):
    """Sums by some columns; None where there is nothing but unknown values."""
    groups = defaultdict(float)
    for row in rows:
        groups[tuple(row[key] for key in by)] += row[column] or 0
    return dict(groups)


def main(page, report):
    report = Path(report)
    os.chdir(report.parent)
    document = json.loads(report.read_text(encoding="utf-8"))
    period = document["period"]["label"]
    parts = Path(page).read_text(encoding="utf-8").split("\n## Recipes\n")[1].split("\n### ")[1:]
    texts = dict(part.split("\n", 1) for part in parts)
    agree("recipes", list(texts), list(RECIPES))
    found = {title: of_recipe(title, texts[title], report.stem, keys) for title, keys in RECIPES.items()}
    people, repos, issues = found.values()

    def expected(metric, by, field="value", **fixed):
        own = [fact for fact in document["facts"] if fact["metric"] == metric and list(fact["group"]) == [*by, *fixed]]
        own = [fact for fact in own if all(fact["group"][key] == value for key, value in fixed.items())]
        agree(f"{metric} by {by}: is in the facts", bool(own), True)
        return {tuple(fact["group"][key] for key in by): fact[field] for fact in own}

    def compare(what, own, facts):
        # Facts tell of groups in which there is nothing.
        for key in set(own) | set(facts):
            agree(f"{what} of {key}", own.get(key, 0.0), facts.get(key, 0.0))

    here = [row for row in people if row["period"] == period]
    for metric in ["sessions", "acus", "spend"]:
        for by in ["team", "user"]:
            compare(f"{metric} by {by}", sums(here, [by], metric), expected(metric, [by]))
        compare(f"{metric} by period", sums(people, ["period"], metric), expected(metric, ["period"]))
    named = {row["user"]: row["user_name"] for row in here if row["user_name"] is not None}
    agree("names", named, {user: name for user, name in document["labels"]["user"].items() if user in named})
    agree("names of all", set(named), set(document["labels"]["user"]) & {row["user"] for row in here})
    agree("there are names", bool(named), True)
    agree("currency", {row["currency"] for row in people}, {document["prices"]["currency"]})

    here = [row for row in repos if row["period"] == period]
    for column, metric in [("pull_requests", "prs"), ("merged", "prs_merged")]:
        compare(f"{metric} by repo", sums(here, ["repo"], column), expected(metric, ["repo"]))
        compare(f"{metric} by period", sums(repos, ["period"], column), expected(metric, ["period"]))
    compare("decided by repo", sums(here, ["repo"], "decided"), expected("merge_rate", ["repo"], "denominator"))
    rates = {(row["repo"],): row["merge_rate"] for row in here}
    agree("merge rates", {repo for repo, rate in rates.items() if rate is None}, set())
    for repo, rate in expected("merge_rate", ["repo"]).items():
        agree(f"merge rate of {repo}", rates.get(repo), rate)

    here = [row for row in issues if row["period"] == period]
    compare("issues by label", sums(here, ["label"], "issues"), expected("issues", ["label"], impact="high"))
    agree("repositories of issues", any(row["repo"] for row in here), True)
    # Facts have the sessions and ACUs of labels over all impacts.
    title = list(RECIPES)[2]
    text = texts[title].replace('(issues["impact"] == "high") & ', "").replace("impact = 'high' and ", "")
    every = of_recipe(f"{title}, any impact", text, report.stem, RECIPES[title])
    here = [row for row in every if row["period"] == period]
    agree("there are other impacts", len(every) > len(issues), True)
    for column in ["issues", "sessions", "acus"]:
        labels = {(label["label"],): label[column] for label in document["highlights"]["labels"]}
        compare(f"{column} by label", sums(here, ["label"], column), labels)

    print(f"{report.name}: {agreed} comparisons agree, {len(differences)} do not")
    for difference in differences[:40]:
        print(f"  {difference}")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
