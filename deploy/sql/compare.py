"""Compares the facts of a report from an archive with those that the SQL gives.

    compare.py --archive DIR --facts FILE --engine duckdb
    compare.py --archive DIR --facts FILE --engine spark --workers 4 --team 'team:*'

Prints a line per metric and exits with 1 if anything differs. Period, time zone, trend and
prices are those of the report; its rules for teams are options.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from pathlib import Path

import facts as sql

MARKS = ["maturing", "notable"]
NUMBERS = ["value", "numerator", "denominator", "n", "previous", "previous_n"]

# What is compared besides the numbers.
PARTS = ["schema", "period", "previous", "trend", "source", "quality", "vendor", "prices", "labels", "highlights"]

# What a report has that the SQL does not give.
LEFT_OUT = ["budgets", "cycle_limits", "finance", "alerts"]

# The same of the metrics.
METRICS_LEFT_OUT = {"merged_within_7d_rate", "members", "activation"}

# The same of the highlights: texts of analyses that say the same in other words.
TEXTS = ["improvements", "issues", "feedback"]


def same(one, other, is_count=False):
    if is_count or not (isinstance(one, (int, float)) and isinstance(other, (int, float))):
        return one == other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=0)


def by_group(document):
    """Facts by metric and group."""
    return {(fact["metric"], tuple(fact["group"].items())): fact for fact in document["facts"]}


def fact_differences(ours, theirs):
    """Differences by metric, and how many facts and numbers agree."""
    wrong, agreed, numbers = {}, Counter(), Counter()
    for at in ours.keys() | theirs.keys():
        metric, group = at
        where = " ".join(f"{dim} {key!r}" for dim, key in group) or "whole period"
        if at not in ours or at not in theirs:
            who = "facts.json" if at in theirs else "the SQL"
            wrong.setdefault(metric, []).append(f"{where}: in {who} alone")
            continue
        own, other = ours[at], theirs[at]
        pairs = [(name, own.get(name, 0), other.get(name, 0)) for name in NUMBERS]
        marks = [(name, own.get(name, False), other.get(name, False)) for name in MARKS]
        is_count = own["unit"] == "count"
        bad = [
            f"{where}: {name} is {one!r}, in facts.json {two!r}"
            for name, one, two in [*pairs, *marks, ("unit", own["unit"], other["unit"])]
            if not same(one, two, is_count or name in ("n", "previous_n"))
        ]
        if bad:
            wrong.setdefault(metric, []).extend(bad)
        else:
            agreed[metric] += 1
            numbers[metric] += sum(name in other and other[name] is not None for name in NUMBERS)
    return wrong, agreed, numbers


def part_differences(ours, theirs, path):
    """Differences of anything else in facts.json; what is null or empty may be left out."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from part_differences(ours.get(name), theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs)):
            yield from part_differences(one, other, f"{path}[{place}]")
    elif (ours or theirs) and not same(ours, theirs):
        yield f"{path} is {ours!r}, in facts.json {theirs!r}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    sql.add_engine(parser)
    parser.add_argument("--facts", type=Path, required=True, metavar="FILE", help="facts of a report from the archive")
    return parser.parse_args()


def question(options, theirs):
    """What the report answered."""
    if theirs.get("schema") != sql.SCHEMA:
        sql.unable(f"{options.facts} is no facts file of schema {sql.SCHEMA}; make the report again")
    source, prices = theirs["source"], theirs.get("prices") or {}
    for part in ("tags", "users", "team", "people", "profile"):
        if source.get(part):
            sql.unable(f"{options.facts} is about some sessions or hides people ({part}); the SQL covers all sessions")
    if source.get("teams") and not options.team:
        sql.unable(f"{options.facts} has teams; give their rules with --team")
    asked = sql.Question(
        archive=options.archive,
        period=sql.Period.parse(theirs["period"]["label"]),
        zone=sql.zone(theirs["period"]["tz"]),
        points=len(theirs["trend"]) - 1,
        now=sql.moment(theirs["generated_at"]),
        currency=prices.get("currency"),
        prices=[(sql.date.fromisoformat(step["from"]), step["per_acu"]) for step in prices.get("steps", [])],
        rules=options.team,
        workers=options.workers,
        memory=options.memory,
    )
    if theirs["previous"]["label"] != asked.periods[1].label:
        sql.unable(f"{options.facts} is compared with a chosen period; the SQL compares with the one before")
    own = asked.state["org"] or "enterprise"
    if source["scope"] != own:
        sql.unable(f"{options.facts} is about {source['scope']}, the archive about {own}")
    return asked


def main():
    options = arguments()
    theirs = json.loads(options.facts.read_text(encoding="utf-8"))
    begun = time.monotonic()
    ours = sql.facts(options.engine, question(options, theirs))
    theirs["facts"] = [fact for fact in theirs["facts"] if fact["metric"] not in METRICS_LEFT_OUT]
    texts = [name for name in TEXTS if theirs["highlights"].get(name)]
    for name in TEXTS:
        theirs["highlights"].pop(name, None)
        theirs["highlights"].pop(f"{name}_total", None)
    wrong, agreed, numbers = fact_differences(by_group(ours), by_group(theirs))
    for part in PARTS:
        if part == "vendor" and part not in theirs:
            continue
        if found := list(part_differences(ours.get(part), theirs.get(part), part)):
            wrong[part] = found
    for name in sorted(agreed.keys() | wrong.keys()):
        flaw = f", {len(wrong[name])} DIFFERENCES" if name in wrong else ""
        print(f"{name}: {agreed[name]} facts with {numbers[name]} numbers agree{flaw}")
        for line in sorted(wrong.get(name, []))[:10]:
            print(f"  {line}")
    for part in LEFT_OUT:
        if theirs.get(part):
            print(f"{part}: left out")
    for name in texts:
        print(f"highlights.{name}: left out")
    total = f"{sum(agreed.values())} facts with {sum(numbers.values())} numbers of {len(agreed)} metrics agree"
    engine = f"{ours['tool']['name'].split()[-1]} {ours['tool']['version']}, {options.workers} workers"
    print(f"{engine}: {total}, {sum(map(len, wrong.values()))} differences, {time.monotonic() - begun:.1f} s")
    sys.exit(1 if wrong or not agreed else 0)


if __name__ == "__main__":
    main()
