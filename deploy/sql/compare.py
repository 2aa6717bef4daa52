"""Works the metrics out of an archive's Parquet files with another engine, and
compares every number with facts.json.

    compare.py --archive DIR --facts FILE --engine duckdb
    compare.py --archive DIR --facts FILE --engine spark --workers 4

It prints a line a metric, and ends with 1 and the differences where there is one.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parent
TABLES = ["sessions", "pull_requests", "tags", "issues", "action_items"]

# Worked out once and read many times.
KEPT = ["placed", "placed_tags", "listed", "placed_issues"]

# What hangs on the settings of a report and not on the archive.
NOT_HERE = ("spend", "team")

# The metrics that are there for each point of the trend, with what they are grouped by besides.
TRENDS = {
    ("sessions", ()),
    ("active_users", ()),
    ("acus", ()),
    ("prs", ()),
    ("prs_merged", ()),
    ("merge_rate", ()),
    ("acus_per_merged_pr", ()),
    ("analysed_sessions", ()),
    ("analysis_coverage", ()),
    ("issues", ("impact",)),
}

# Of a group that a period does not have these are unknown, as ratios are, and others 0.
PLACES_IN_ORDER = ("_median", "_p90", "_max")

NUMBERS = ["value", "numerator", "denominator", "n", "previous"]


def unable(why):
    sys.exit(f"compare.py: {why}")


def statements(name):
    """The statements of a file of SQL, without its comments."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    code = "\n".join(line.split("--")[0].rstrip() for line in text.splitlines())
    return [statement.strip() for statement in code.split(";") if statement.strip()]


def span(label, told):
    """The first and the last day of a period, by its name; the others are like the report's."""
    if "_" in label:
        first, last = label.split("_")
        return date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
    if "-W" in label:
        year, week = label.split("-W")
        first = date.fromisocalendar(int(year), int(week), 1)
        return first, first + timedelta(days=7)
    if len(label) == 7:
        year, month = map(int, label.split("-"))
        return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
    return unable(f"the period {label} of {told} has a name of no known kind")


def periods(told, path):
    """The periods of facts, newest first: name, beginning and end in the report's time zone."""
    local = lambda moment: datetime.fromisoformat(moment).replace(tzinfo=None)
    found = [(told[own]["label"], local(told[own]["from"]), local(told[own]["to"])) for own in ("period", "previous")]
    names = {label for label, _, _ in found}
    trend = {fact["group"]["period"] for fact in told["facts"] if "period" in fact["group"]}
    midnight = lambda day: datetime(day.year, day.month, day.day)
    older = [(label, *map(midnight, span(label, path))) for label in trend - names]
    return found + sorted(older, key=lambda period: period[1], reverse=True), trend


def duckdb_engine(archive, zone, options):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"set TimeZone = '{zone}'")
    connection.execute(f"set threads = {options.workers}")
    if options.memory:
        connection.execute(f"set memory_limit = '{options.memory}'")

    def register(table, months):
        files = str(archive / table / "*" / "*.parquet").replace("'", "''")
        scan = f"read_parquet('{files}', hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
        connection.execute(f"create view {table} as select * from {scan} where month between '{months[0]}' and '{months[1]}'")

    def ask(statement):
        return connection.execute(statement).fetchall()

    def keep(view):
        connection.execute(f"create temporary table kept_{view} as select * from {view}")
        connection.execute(f"create or replace temporary view {view} as select * from kept_{view}")

    return f"DuckDB {duckdb.__version__}, {options.workers} threads", register, ask, keep


def spark_engine(archive, zone, options):
    import pyspark

    settings = {
        "spark.sql.session.timeZone": zone,
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        "spark.sql.shuffle.partitions": str(options.workers),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": options.memory or "4g",
    }
    builder = pyspark.sql.SparkSession.builder.master(f"local[{options.workers}]").appName("acumen")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()

    def register(table, months):
        rows = session.read.parquet(str(archive / table))
        rows.where(f"month between '{months[0]}' and '{months[1]}'").createOrReplaceTempView(table)

    def ask(statement):
        return [tuple(row) for row in session.sql(statement).collect()]

    def keep(view):
        session.sql(f"cache lazy table {view}")

    return f"Spark {pyspark.__version__}, {options.workers} workers", register, ask, keep


ENGINES = {"duckdb": duckdb_engine, "spark": spark_engine}


def answers(engine, own_periods, zone, with_v3):
    """What the SQL says: metric, groups, keys and period to value, numerator, denominator and n."""
    _, register, ask, keep = engine
    utc = lambda moment: moment.replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
    first, last = min(start for _, start, _ in own_periods), max(end for _, _, end in own_periods)
    for table in TABLES:
        register(table, (f"{utc(first):%Y-%m}", f"{utc(last):%Y-%m}"))
    rows = ", ".join(f"('{name}', timestamp '{start}', timestamp '{end}')" for name, start, end in own_periods)
    ask(f"create or replace temporary view periods as select * from (values {rows}) as p(period, starts, ends)")
    for statement in statements("views.sql"):
        ask(statement)
        view = statement.split()[5]
        if view in KEPT:
            keep(view)
    found = {}
    for file in sorted(path.name for path in FOLDER.glob("*.sql")):
        if file == "views.sql" or (file == "v3.sql" and not with_v3):
            continue
        [query] = statements(file)
        for metric, period, dims, key, key_2, *numbers in ask(query):
            by = tuple(dims.split("+")) if dims else ()
            at = (metric, by, (key, key_2)[: len(by)], period)
            if at in found:
                unable(f"{file} gives {at} twice")
            found[at] = numbers
    return found


def expected(told):
    """The facts that the SQL is to give, in the same form, `previous` last; and how many it is not to give."""
    found, others = {}, Counter()
    own = told["period"]["label"]
    not_here = NOT_HERE if told["source"].get("metered", True) else (*NOT_HERE, "acus")
    for fact in told["facts"]:
        group = fact["group"]
        if fact["metric"].startswith(not_here) or any(dim in NOT_HERE for dim in group):
            others[" by ".join([fact["metric"], *(dim for dim in group if dim in NOT_HERE)])] += 1
            continue
        by = tuple(dim for dim in group if dim != "period")
        at = (fact["metric"], by, tuple(group[dim] for dim in by), group.get("period", own), "period" in group)
        found[at] = (fact["unit"], [fact.get(number) for number in NUMBERS])
    return found, others


def as_facts(found, own_periods, trend, is_over):
    """Answers laid out as a report does: those of its period, those of its trend, each beside the one before."""
    names = [name for name, _, _ in own_periods]
    before = dict(zip(names, names[1:]))
    facts = {}
    for (metric, by, keys, period), numbers in found.items():
        none = None if numbers[2] is not None or metric.endswith(PLACES_IN_ORDER) else 0
        past = found.get((metric, by, keys, before.get(period)), [none])[0]
        past = past if is_over and period in before else None
        if period == names[0]:
            facts[(metric, by, keys, period, False)] = [*numbers, past]
        if period in trend and (metric, by) in TRENDS:
            facts[(metric, by, keys, period, True)] = [*numbers, past]
    return facts


def same(unit, one, other):
    if one is None or other is None or unit == "count":
        return one == other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=0)


def differences(facts, told):
    """What differs, by metric; and how many facts and numbers agree."""
    wrong, agreed, numbers = {}, Counter(), Counter()
    for at in facts.keys() | told.keys():
        metric, by, keys, period, is_trend = at
        where = " ".join([period, *(f"{dim} {key!r}" for dim, key in zip(by, keys))]) + (" of the trend" if is_trend else "")
        if at not in facts or at not in told:
            who = "facts.json" if at in told else "the SQL"
            wrong.setdefault(metric, []).append(f"{where}: in {who} alone")
            continue
        unit, theirs = told[at]
        units = {"n": "count"}
        pairs = list(zip(NUMBERS, facts[at], theirs))
        bad = [
            f"{where}: {name} is {own!r}, in facts.json {other!r}"
            for name, own, other in pairs
            if not same(units.get(name, unit), own, other)
        ]
        if bad:
            wrong.setdefault(metric, []).extend(bad)
        else:
            agreed[metric] += 1
            numbers[metric] += sum(other is not None for _, _, other in pairs)
    return wrong, agreed, numbers


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--archive", type=Path, required=True, metavar="DIR", help="what acumen sync keeps")
    parser.add_argument("--facts", type=Path, required=True, metavar="FILE", help="facts of a report from it")
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="threads of the engine")
    parser.add_argument("--memory", metavar="SIZE", help="what the engine may take, as 4g")
    return parser.parse_args()


def main():
    options = arguments()
    told = json.loads(options.facts.read_text(encoding="utf-8"))
    source = told["source"]
    for part in ("tags", "users", "people", "profile"):
        if source.get(part):
            unable(f"{options.facts} tells of some sessions or hides people ({part}); the SQL tells of all")
    state = json.loads((options.archive / "state.json").read_text(encoding="utf-8"))
    if source["scope"] != (state.get("org") or "enterprise"):
        unable(f"{options.facts} is about {source['scope']}, the archive about {state.get('org') or 'enterprise'}")
    if not any((options.archive / "sessions").glob("*/*.parquet")):
        unable(f"{options.archive} has no month with sessions")
    begun = time.monotonic()
    zone = told["period"]["tz"]
    own_periods, trend = periods(told, options.facts)
    engine = ENGINES[options.engine](options.archive, zone, options)
    found = answers(engine, own_periods, zone, source["api"] == "v3")
    if not source.get("metered", True):
        # Facts have null for the zeros that the SQL gives.
        found = {at: numbers for at, numbers in found.items() if not at[0].startswith("acus")}
    facts = as_facts(found, own_periods, trend, told["period"]["complete"])
    those, others = expected(told)
    wrong, agreed, numbers = differences(facts, those)
    for metric in sorted(agreed.keys() | wrong.keys()):
        flaw = f", {len(wrong[metric])} DIFFERENCES" if metric in wrong else ""
        print(f"{metric}: {agreed[metric]} facts with {numbers[metric]} numbers agree{flaw}")
        for line in sorted(wrong.get(metric, []))[:10]:
            print(f"  {line}")
    for metric, count in sorted(others.items()):
        print(f"{metric}: {count} facts are not worked out here")
    total = f"{sum(agreed.values())} facts with {sum(numbers.values())} numbers of {len(agreed)} metrics agree"
    print(f"{engine[0]}: {total}, {sum(map(len, wrong.values()))} differences, {time.monotonic() - begun:.1f} s")
    sys.exit(1 if wrong or not agreed else 0)


if __name__ == "__main__":
    main()
