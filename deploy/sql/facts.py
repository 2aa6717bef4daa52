"""Computes the facts of a period over an archive in DuckDB or Spark, for `acumen render`.

    facts.py --engine duckdb --archive DIR --week 2026-W41 --out facts.json
    facts.py --engine spark --workers 4 --archive DIR --month 2026-10 --tz Europe/Berlin \\
        --price 2026-01-01=2.25 --currency EUR --team 'team:*'
    acumen render facts.json --format html,xlsx

The numbers come from the SQL files in this folder. README.md lists what is left out.
"""

import argparse
import calendar
import json
import math
import os
import re
import sys
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

SCHEMA = 2  # of facts.json
FOLDER = Path(__file__).parent
TABLES = ["sessions", "pull_requests", "tags", "issues", "action_items"]

# Views that are computed once and read many times.
KEPT = ["placed", "placed_tags", "listed", "owned", "placed_issues"]

# Each metric with its unit and whether it is a total (nothing is 0), a ratio or a quantile
# (nothing is null); after it, what it is grouped by in the trend besides the period.
METRICS = {
    "sessions": ("count", "total", ()),
    "active_users": ("count", "total", ()),
    "new_users": ("count", "total", None),
    "returning_users": ("count", "total", None),
    "lapsed_users": ("count", "total", None),
    "automation_sessions": ("count", "total", None),
    "acus": ("acu", "total", ()),
    "acus_split": ("acu", "total", None),
    "acus_per_session_median": ("acu", "quantile", None),
    "acus_per_session_p90": ("acu", "quantile", None),
    "acus_per_session_max": ("acu", "quantile", None),
    "acus_histogram": ("count", "total", None),
    "acus_top_decile_share": ("share", "ratio", None),
    "prs": ("count", "total", ()),
    "prs_merged": ("count", "total", ()),
    "merge_rate": ("share", "ratio", ()),
    "merge_rate_all": ("share", "ratio", None),
    "undecided_prs": ("count", "total", ()),
    "undecided_share": ("share", "ratio", ()),
    "sessions_with_pr": ("count", "total", None),
    "sessions_with_merged_pr": ("count", "total", None),
    "acus_per_merged_pr": ("acu", "ratio", ()),
    "acus_without_pr_share": ("share", "ratio", None),
    "analysed_sessions": ("count", "total", ()),
    "analysis_coverage": ("share", "ratio", ()),
    "issues": ("count", "total", ("impact",)),
    "issue_rate": ("per_100", "ratio", ("impact",)),
    "sessions_with_issue": ("count", "total", None),
    "issue_count_histogram": ("count", "total", None),
    "action_items": ("count", "total", None),
    "sessions_with_prompt_feedback": ("count", "total", None),
    "large_session_share": ("share", "ratio", ()),
    "one_message_share": ("share", "ratio", None),
    "user_messages_median": ("count", "quantile", None),
    "sessions_stopped_by_limit": ("count", "total", None),
    "spend": ("money", "total", ()),
    "spend_split": ("money", "total", None),
    "spend_per_merged_pr": ("money", "ratio", ()),
}

V3_DIMENSIONS = {"origin", "size", "category", "playbook", "mode", "status_detail"}

# What compares the people of several periods has no previous value; the last two are null while
# the period still runs.
PEOPLE = ["new_users", "returning_users", "lapsed_users"]

# Columns of sessions that archives from before schema 5 do not have.
ADDED = ["status_detail", "playbook", "mode"]
QUALITY = [
    "acus_unknown",
    "unknown_status",
    "unknown_impact",
    "unknown_pr_state",
    "prs_without_url",
    "unreadable_fields",
]

# What came of pull requests: it changes as long as they are decided.
OUTCOMES = [
    "prs_merged",
    "merge_rate",
    "merge_rate_all",
    "sessions_with_merged_pr",
    "acus_per_merged_pr",
    "spend_per_merged_pr",
    "one_message_share",
]

# An account is not metered if at least so many sessions have known ACUs and all of them are 0.
ENOUGH_ZEROS = 20


def unable(why):
    sys.exit(f"{Path(sys.argv[0]).name}: {why}")


# Periods: runs of whole local days.


@dataclass(frozen=True)
class Period:
    kind: str  # week, month, quarter or days
    first: date
    last: date

    @classmethod
    def of(cls, kind, day):
        """The week, month or quarter that contains a day."""
        if kind == "week":
            monday = day - timedelta(days=day.weekday())
            return cls(kind, monday, monday + timedelta(days=6))
        start = day.month if kind == "month" else (day.month - 1) // 3 * 3 + 1
        end = start if kind == "month" else start + 2
        return cls(kind, date(day.year, start, 1), date(day.year, end, calendar.monthrange(day.year, end)[1]))

    @classmethod
    def parse(cls, label):
        """The period of a label as facts have them: 2026-W41, 2026-10, 2026-Q4, 2026-10-05, 2026-10-05_2026-10-11."""
        try:
            if "_" in label:
                first, last = map(date.fromisoformat, label.split("_"))
                return cls("days", first, last)
            if match := re.fullmatch(r"(\d{4})-W(\d\d?)", label, re.IGNORECASE):
                return cls.of("week", date.fromisocalendar(int(match[1]), int(match[2]), 1))
            if match := re.fullmatch(r"(\d{4})-Q([1-4])", label, re.IGNORECASE):
                return cls.of("quarter", date(int(match[1]), 3 * int(match[2]), 1))
            if match := re.fullmatch(r"(\d{4})-(\d\d?)", label):
                return cls.of("month", date(int(match[1]), int(match[2]), 1))
            return cls("days", date.fromisoformat(label), date.fromisoformat(label))
        except ValueError:
            return unable(f"{label} is no period; write it as 2026-W41, 2026-10, 2026-Q4 or 2026-10-05_2026-10-11")

    @property
    def label(self):
        if self.kind == "week":
            return "{}-W{:02}".format(*self.first.isocalendar())
        if self.kind == "month":
            return f"{self.first:%Y-%m}"
        if self.kind == "quarter":
            return f"{self.first:%Y}-Q{(self.first.month + 2) // 3}"
        return str(self.first) if self.first == self.last else f"{self.first}_{self.last}"

    @property
    def previous(self):
        last = self.first - timedelta(days=1)
        if self.kind == "days":
            return Period("days", self.first - (self.last - last), last)
        return Period.of(self.kind, last)

    def bounds(self, zone):
        return midnight(self.first, zone), midnight(self.last + timedelta(days=1), zone)

    def days(self):
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def midnight(day, zone):
    """The first moment of a local day: where clocks skip midnight, the end of the gap."""
    for quarters in range(97):
        local = datetime.combine(day, time()) + timedelta(minutes=15 * quarters)
        moment = local.replace(tzinfo=zone)
        if moment.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) == local:
            return moment
    return datetime.combine(day, time(), zone)


# What is asked: an archive, a period and what the settings of a report would say.


@dataclass
class Question:
    archive: Path
    period: Period
    zone: ZoneInfo
    points: int  # earlier periods in the trend
    now: datetime
    currency: str = None
    prices: list = field(default_factory=list)  # (first day, price of an ACU), oldest first
    rules: list = field(default_factory=list)  # (team or None, pattern of a tag), the first that fits counts
    workers: int = os.cpu_count()
    memory: str = None

    def __post_init__(self):
        if not (self.archive / "state.json").exists():
            unable(f"{self.archive} is no archive: it has no state.json")
        self.state = self.json("state.json")
        self.periods = [self.period]
        for _ in range(max(self.points, 1)):
            self.periods.append(self.periods[-1].previous)
        self.starts = midnight(self.periods[-1].first, self.zone)
        begins, self.ends = self.period.bounds(self.zone)
        self.is_over = self.ends <= self.now
        since, until = (moment(self.state[name]) for name in ("since", "until"))
        if self.starts < since:
            unable(f"the archive begins at {since}, after the start of the trend ({self.starts})")
        if until < self.ends if self.is_over else until <= begins:
            unable(f"the archive ends at {until}, before the period does; run acumen sync")
        # A period that still runs ends where the archive does.
        self.ends = min(self.ends, until)

    def lengths(self):
        """How many days each period has, by its label, newest first."""
        return {period.label: len(period.days()) for period in self.periods}

    def json(self, name):
        path = self.archive / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def files(self, table):
        """The files of a table with sessions of the periods; what state.json does not list does not count."""
        first, last = (f"{bound.astimezone(timezone.utc):%Y-%m}" for bound in (self.starts, self.ends))
        prefix = f"{table}/month="
        names = (name for name in self.state["files"] if name.startswith(prefix))
        return [str(self.archive / name) for name in sorted(names) if first <= name[len(prefix) :][:7] <= last]


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


# The engines. Each reads the tables of the archive, takes rows of our own, runs SQL, and keeps
# the rows of a view.


# A number for a row of a month's file, by which rows are in the order of the archive.
NUMBERED = "cast(replace(month, '-', '') as bigint) * 4294967296 + {}"


class DuckDB:
    def __init__(self, question):
        import duckdb

        self.name, self.version = "DuckDB", duckdb.__version__
        self.connection = duckdb.connect()
        self.connection.execute(f"set TimeZone = '{question.zone.key}'")
        self.connection.execute(f"set threads = {question.workers}")
        self.connection.execute("set preserve_insertion_order = false")
        if question.memory:
            self.connection.execute(f"set memory_limit = '{question.memory}'")
        children = [file for table in TABLES[1:] for file in question.files(table)]
        with_rows = "select count(*) from parquet_schema(?) where name = 'row'"
        self.has_rows = self.connection.execute(with_rows, [children]).fetchone() == (len(children),)

    def table(self, name, files, before):
        files = "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]"
        options = "hive_partitioning = true, hive_types_autocast = false, file_row_number = true, union_by_name = true"
        # Joins by a number are faster than by the text of the id: by the month and the row of the
        # session there. Files from before schema 4 have no row.
        row = "file_row_number" if name == "sessions" else "row"
        key = NUMBERED.format(row) if self.has_rows else "session"
        column = "session as id" if name == "sessions" else f"{NUMBERED.format('file_row_number')} as place"
        if name == "sessions":
            named = self.connection.execute(f"select distinct name from parquet_schema({files})").fetchall()
            missing = [added for added in ADDED if (added,) not in named]
            column += "".join(f", cast(null as varchar) as {added}" for added in missing)
        self.connection.execute(
            f"create view {name} as select * replace ({key} as session), {column} "
            f"from read_parquet({files}, {options}) where created < timestamptz '{before}'"
        )

    def rows(self, name, columns, rows):
        columns = columns.replace("timestamp", "timestamptz")
        self.connection.execute(f"create temporary table {name} ({columns})")
        if rows:
            row = f"({', '.join('?' * len(rows[0]))})"
            values = [value for row in rows for value in row]
            self.connection.execute(f"insert into {name} values {', '.join([row] * len(rows))}", values)

    def ask(self, statement):
        return self.connection.execute(statement).fetchall()

    def keep(self, view):
        self.connection.execute(f"create temporary table kept_{view} as select * from {view}")
        self.connection.execute(f"create or replace temporary view {view} as select * from kept_{view}")


class Spark:
    def __init__(self, question):
        import pyspark

        settings = {
            "spark.sql.session.timeZone": question.zone.key,
            "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
            "spark.sql.shuffle.partitions": str(question.workers),
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": question.memory or "4g",
        }
        self.name, self.version = "Spark", pyspark.__version__
        builder = pyspark.sql.SparkSession.builder.master(f"local[{question.workers}]").appName("acumen")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()

    def table(self, name, files, before):
        folder = str(Path(files[0]).parent.parent)
        rows = self.session.read.option("basePath", folder).option("mergeSchema", name == "sessions").parquet(*files)
        for added in set(ADDED if name == "sessions" else []).difference(rows.columns):
            rows = rows.selectExpr("*", f"cast(null as string) as {added}")
        place = f"{NUMBERED.format('_metadata.row_index')} as place"
        rows = rows.selectExpr("*", "session as id" if name == "sessions" else place)
        rows.where(f"created < timestamp '{before}'").createOrReplaceTempView(name)

    def rows(self, name, columns, rows):
        self.session.createDataFrame(rows, columns).createOrReplaceTempView(name)

    def ask(self, statement):
        return [tuple(row) for row in self.session.sql(statement).collect()]

    def keep(self, view):
        self.session.sql(f"cache lazy table {view}")


ENGINES = {"duckdb": DuckDB, "spark": Spark}


# The SQL.


def statements(name):
    """The statements of a file of SQL, without its comments."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    code = "\n".join(line.split("--")[0].rstrip() for line in text.splitlines())
    return [statement.strip() for statement in code.split(";") if statement.strip()]


def prepare(engine, question):
    """Gives the engine everything that the files of SQL read."""
    before = question.ends.astimezone(timezone.utc).isoformat(sep=" ")
    for table in TABLES:
        if not (files := question.files(table)):
            unable(f"{question.archive} has no month of the period or its trend")
        engine.table(table, files, before)
    bounds = [(period.label, *period.bounds(question.zone)) for period in question.periods]
    engine.rows("periods", "period string, starts timestamp, ends timestamp", bounds)
    engine.rows("prices", "day date, per_acu double", daily_prices(question))
    tags = engine.ask("select distinct tag from tags") if question.rules else []
    teams = [row for (tag,) in tags for row in ruled(tag, question.rules)]
    engine.rows("tag_teams", "tag string, rule int, team string", teams)
    for statement in statements("views.sql"):
        engine.ask(statement)
        view = statement.split()[5]
        if view in KEPT:
            engine.keep(view)


def daily_prices(question):
    """A row for each day of the periods that has a price."""
    days = [day for period in question.periods for day in period.days()]
    prices = ((day, [price for first, price in question.prices if first <= day]) for day in days)
    return [(day, known[-1]) for day, known in prices if known]


def ruled(tag, rules):
    """The first rule that gives a tag a team: its place and the team."""
    for place, (team, pattern) in enumerate(rules):
        # Without a name, the team is the text that the first * matches.
        if match := re.fullmatch("(?s)" + "(.*?)".join(map(re.escape, pattern.split("*"))), tag):
            called = (team or (match[1] if "*" in pattern else tag)).strip()
            if called:
                return [(tag, place, called)]
    return []


def answers(engine, question):
    """What the SQL gives: metric, dimensions, keys and period, to value, numerator, denominator and n."""
    files = ["sessions.sql", "acus.sql", "pull_requests.sql", "issues.sql"]
    files += ["v3.sql"] if question.state["api"] == "v3" else []
    files += ["spend.sql"] if question.prices else []
    unknown = set() if question.state["api"] == "v3" else set(V3_DIMENSIONS)
    unknown |= set() if question.rules else {"team"}
    found = {}
    for file in files:
        [query] = statements(file)
        for metric, period, dims, *keys, value, numerator, denominator, n in engine.ask(query):
            by = tuple(dims.split("+")) if dims else ()
            if unknown.intersection(by):
                continue
            at = (metric, by, tuple(keys[: len(by)]), period)
            if at in found:
                unable(f"{file} gives {at} twice")
            found[at] = (value, numerator, denominator, n)
    own = question.period.label
    has_modes = any(by == ("mode",) and keys != (None,) and period == own for _, by, keys, period in found)
    return {at: numbers for at, numbers in found.items() if has_modes or "mode" not in at[1]}


# From answers to facts.


def plain(number):
    """A number for JSON: whole ones without a fraction."""
    if number is None or not math.isfinite(number):
        return None
    return int(number) if float(number).is_integer() and abs(number) < 2**53 else float(number)


def lay_out(found, question, is_metered):
    """The facts of the report's period and of the trend, each with the value of the period before."""
    labels = [period.label for period in question.periods]
    before = dict(zip(labels, labels[1:]))
    points = set(labels[: question.points + 1])
    facts = []
    for (metric, by, keys, period), numbers in found.items():
        unit, kind, trend = METRICS[metric]
        nothing = (0 if kind == "total" else None, 0, 0, 0)
        if metric in PEOPLE[1:] and not question.is_over:
            numbers = (None, None, None, 0 if metric == "lapsed_users" else numbers[3])
        is_compared = question.is_over and period in before and metric not in PEOPLE
        past = found.get((metric, by, keys, before.get(period)), nothing) if is_compared else (None, 0, 0, 0)
        if not is_metered and metric.startswith(("acus", "spend")) and unit != "count":
            merged = None if unit == "share" else numbers[2]
            numbers, past = (None, None, merged, numbers[3]), (None, *past[1:])
        value, numerator, denominator, n = map(plain, numbers)
        groups = []
        if period == labels[0]:
            groups.append(dict(zip(by, keys)))
        if period in points and by == trend:
            groups.append({"period": period, **dict(zip(by, keys))})
        for group in groups:
            unit = question.currency if unit == "money" else unit
            fact = {"metric": metric, "unit": unit, "group": group, "value": value}
            if kind == "ratio":
                fact |= {"numerator": numerator, "denominator": denominator}
            fact |= {"n": n, "previous": plain(past[0])}
            if past[3]:
                fact["previous_n"] = plain(past[3])
            facts.append(fact)
    return in_order(facts + mark(facts, labels[: question.points + 1], question.lengths()))


def in_order(facts):
    none_first = lambda key: (key is not None, key or "")
    keys = lambda group: tuple(map(none_first, group.values()))
    return sorted(facts, key=lambda fact: (fact["metric"], tuple(fact["group"]), keys(fact["group"])))


# Marks on facts: which comparisons are maturing, and which changes exceed chance.


def mark(facts, points, lengths):
    """Marks facts, and gives what a merged pull request is expected to cost, if anything is.

    `points` has the labels of the trend, newest first; `lengths` how many days each period has, by
    its label, the report's first, then the one it is compared with.
    """
    own, compared = list(lengths.values())[:2]
    of = {(fact["metric"], tuple(fact["group"].items())): fact for fact in facts}
    whole = lambda metric: of[metric, ()]
    point = lambda metric, label: of[metric, (("period", label),)]
    # Of no pull requests none is undecided.
    shares = {label: point("undecided_share", label)["value"] or 0 for label in points}
    exceeds = lambda share, other: share - other > 0.05 + 1e-9
    share = whole("undecided_share")
    is_maturing = exceeds(share["value"] or 0, share["previous"] or 0)
    for fact in facts:
        if fact["metric"] in OUTCOMES:
            label = fact["group"].get("period")
            is_point_maturing = label and exceeds(shares[label], shares[points[-1]])
            if is_point_maturing if label else is_maturing and fact["previous"] is not None:
                fact["maturing"] = True
    is_earlier = lambda fact: fact["group"].get("period", points[0]) != points[0] and not fact.get("maturing")
    spread = {}
    for fact in filter(is_earlier, facts):
        if fact["value"] is not None:
            others = tuple((dim, key) for dim, key in fact["group"].items() if dim != "period")
            # Totals are those of as many days as the report's period has.
            scale = own / lengths[fact["group"]["period"]] if adds_up(fact["metric"]) else 1
            spread.setdefault((fact["metric"], others), []).append(fact["value"] * scale)
    for fact in facts:
        is_compared = fact["value"] is not None and fact["previous"] is not None
        earlier = spread.get((fact["metric"], tuple(fact["group"].items())), [])
        if "period" not in fact["group"] and is_compared and is_notable(fact, earlier, own / compared):
            fact["notable"] = True
    return expected_cost(whole, filter(is_earlier, facts))


def adds_up(metric):
    """Whether twice as many days have twice as much of it: counts and sums, but no distinct people."""
    return METRICS[metric][1] == "total" and metric not in ("active_users", *PEOPLE)


def exceeds_noise(now, before, scale):
    """The sign of the change of a count if it exceeds chance, else 0."""
    change = now - scale * before
    is_beyond = abs(change) >= 1.96 * math.sqrt(now + scale * scale * before)
    return (change > 0) - (change < 0) if is_beyond else 0


def is_notable(fact, earlier, scale):
    """Whether the change of a fact exceeds chance.

    `earlier` are the values of earlier periods; a total of the period that is compared times `scale`
    is that of as many days.
    """
    unit, kind, _ = METRICS[fact["metric"]]
    now, before = fact["value"], fact["previous"]
    if (unit, kind) == ("count", "total"):
        per_day = exceeds_noise(now, before, scale)
        return per_day != 0 and (adds_up(fact["metric"]) or per_day == exceeds_noise(now, before, 1))
    if (unit, kind) == ("share", "ratio") and not fact["metric"].startswith("acus"):
        n, n_before = fact["denominator"], fact["previous_n"]
        pooled = (fact["numerator"] + before * n_before) / (n + n_before)
        error = math.sqrt(max(pooled * (1 - pooled) * (1 / n + 1 / n_before), 0))
        return error > 0 and abs(now - before) / error >= 1.96
    if len(earlier) < 4:
        return False
    mean = sum(earlier) / len(earlier)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in earlier) / (len(earlier) - 1))
    return abs(now - mean) > 2 * deviation + 1e-9 * abs(mean)


def expected_cost(whole, earlier):
    """What a merged pull request will have cost once the others are decided, at the usual merge rate."""
    cost = whole("acus_per_merged_pr")
    rates = [fact for fact in earlier if fact["metric"] == "merge_rate"]
    merged, decided = (sum(fact[part] for fact in rates) for part in ("numerator", "denominator"))
    acus = whole("acus")["value"]
    if not cost.get("maturing") or decided < 20 or acus is None:
        return []
    now = whole("prs_merged")["value"]
    denominator = now + whole("undecided_prs")["value"] * merged / decided
    if denominator == 0:
        return []
    fact = {"metric": "acus_per_merged_pr_expected", "unit": "acu", "group": {}, "value": acus / denominator}
    parts = {"numerator": acus, "denominator": plain(denominator), "n": now, "previous": None}
    return [{**fact, "value": plain(fact["value"]), **parts}]


def highlights(engine):
    lists = {"costliest": [], "costly_without_merge": [], "high_impact": []}
    for name, *values in engine.ask(*statements("highlights.sql")):
        names = ["id", "title", "url", "day", "user", "acus", "spend", "prs", "merged", "high_issues"]
        row = dict(zip(names, values))
        row |= {name: plain(row[name]) for name in ("acus", "spend", "prs", "high_issues")}
        row["merged"] = bool(row["merged"])
        if row["spend"] is None:
            del row["spend"]
        lists[name].append(row)
    labels = engine.ask(*statements("labels.sql"))
    names = ["issues", "high", "sessions", "acus"]
    lists["labels"] = [{"label": label, **dict(zip(names, map(plain, numbers)))} for label, *numbers in labels]
    return lists


# The other files of the archive.


def vendor_totals(question):
    """Devin's own totals, where the archive has those of exactly the period."""
    vendor = question.json("vendor.json")
    span = (midnight(question.period.first, question.zone), question.ends)
    counts = [row["counts"] for row in vendor.get("counts", []) if (moment(row["from"]), moment(row["to"])) == span]
    today = question.now.astimezone(timezone.utc).date()
    first, last = question.period.first, max(min(question.period.last, today), question.period.first)
    asked = vendor.get("asked")
    consumption = None
    if asked and date.fromisoformat(asked[0]) <= first and last <= date.fromisoformat(asked[1]):
        days = vendor.get("consumption", {}).items()
        days = [used for day, used in days if first <= date.fromisoformat(day) <= last and used["acus"] > 0]
        products = {}
        for used in days:
            for product, acus in used.get("by_product", {}).items():
                products[product] = products.get(product, 0) + acus
        is_known = all(used.get("by_product") for used in days)
        consumption = {"acus": sum(used["acus"] for used in days), "by_product": products if is_known else {}}
    if not counts and consumption is None:
        return {}
    return {"vendor": {"counts": counts[0] if counts else {}, "consumption": consumption}}


def visible(text, longest):
    """A text without characters that control or hide others."""
    kept = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text or "")
    hidden = lambda char: unicodedata.category(char) in ("Cf", "Cn") and char not in "\u200c\u200d"
    text = re.sub(" +", " ", "".join(char for char in kept if not hidden(char))).strip(" ")
    return text if len(text) <= longest else text[:longest].rstrip(" ") + "…"


def display_names(users):
    """Names of people by id, no two of them alike: name or email, with the email or the id behind it."""

    def written(person, way):
        user = users[person]
        name, email = (text if visible(text := user.get(key), 120) else None for key in ("name", "email"))
        if way == 0 or not (name or email):
            return name or email
        behind = email if way == 1 and name and email else person
        return f"{visible(name or email, 60)} ({behind})"

    ways = dict.fromkeys(users, 0)
    for _ in range(2):
        seen = {}
        for person, way in ways.items():
            seen.setdefault(visible(written(person, way) or person, 120).lower(), []).append(person)
        for alike in seen.values():
            for person in alike if len(alike) > 1 else ():
                ways[person] += 1
    names = {person: written(person, way) for person, way in ways.items()}
    return {person: name for person, name in sorted(names.items()) if name}


def labels(question, facts):
    """What organisations and the users in facts are called."""
    people = question.json("people.json")
    shown = {fact["group"].get("user") for fact in facts}
    users = {user: name for user, name in display_names(people.get("users", {})).items() if user in shown}
    own = question.state["org"]
    orgs = {org: name for org, name in sorted(people.get("organisations", {}).items()) if own in (None, org)}
    found = {name: names for name, names in (("org", orgs), ("user", users)) if names}
    return {"labels": found} if found else {}


# The whole file.


def facts(engine_name, question):
    """Everything that schema 2 of facts.json has, as far as an archive and SQL give it."""
    engine = ENGINES[engine_name](question)
    prepare(engine, question)
    columns = ["sessions", "acus_known", "acus_used", *QUALITY, "several_teams"]
    counts = {period: dict(zip(columns, map(int, row))) for period, *row in engine.ask(*statements("quality.sql"))}
    total = {name: sum(row[name] for row in counts.values()) for name in columns}
    is_metered = total["acus_known"] < ENOUGH_ZEROS or total["acus_used"] > 0
    numbers = lay_out(answers(engine, question), question, is_metered)
    state, own = question.state, counts[question.period.label]
    bounds = lambda period: dict(
        zip(("label", "from", "to"), (period.label, *(bound.isoformat() for bound in period.bounds(question.zone))))
    )
    notes = [f"computed in {engine.name} by deploy/sql/facts.py, without a budget and the people file"]
    if question.prices and not is_metered:
        notes.append("the account is not metered: no session used an ACU, so the prices do not apply")
    return {
        "schema": SCHEMA,
        "tool": {"name": f"facts.py with {engine.name}", "version": engine.version},
        "generated_at": question.now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "period": {**bounds(question.period), "tz": question.zone.key, "complete": question.is_over},
        "previous": bounds(question.periods[1]),
        "trend": [period.label for period in question.periods[: question.points + 1]],
        "source": {
            "api": state["api"],
            "scope": state["org"] or "enterprise",
            "metered": is_metered,
            **({"teams": True} if question.rules else {}),
            "archive": state["watermark"],
            "completeness": "proven",
            **dict.fromkeys(("requests", "retries", "pages"), 0),
            **dict.fromkeys(("received", "unique"), total["sessions"]),
            **dict.fromkeys(("duplicates", "outside"), 0),
            "rejected": state["rejected"],
            "naive_times": 0,
        },
        "quality": {name: own[name] for name in [*QUALITY, *(["several_teams"] if question.rules else [])]},
        **vendor_totals(question),
        "notes": notes,
        **({"prices": price_table(question)} if question.prices else {}),
        **labels(question, numbers),
        "highlights": highlights(engine),
        "facts": numbers,
    }


def price_table(question):
    steps = [{"from": str(first), "per_acu": price} for first, price in question.prices]
    return {"currency": question.currency, "steps": steps}


def write(document, path):
    """Writes facts with a line a fact; like a report's, the file is for its owner alone."""
    text = lambda value: json.dumps(value, ensure_ascii=False, allow_nan=False)
    rows = ",\n".join("    " + text(fact) for fact in document["facts"])
    heads = "".join(f"  {text(name)}: {text(value)},\n" for name, value in document.items() if name != "facts")
    private = lambda name, flags: os.open(name, flags, 0o600)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", opener=private) as file:
        file.write(f'{{\n{heads}  "facts": [\n{rows}\n  ]\n}}\n')


# The command.


def price(text):
    first, _, per_acu = text.partition("=")
    try:
        amount = float(per_acu)
        if not (math.isfinite(amount) and amount >= 0):
            raise ValueError
        return date.fromisoformat(first), amount
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no price; write it as 2026-01-01=2.25") from None


def rule(text):
    name, equals, pattern = text.partition("=")
    return (name.strip() or None, pattern) if equals else (None, text)


def add_engine(parser):
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--archive", type=Path, required=True, metavar="DIR", help="folder that acumen sync keeps")
    parser.add_argument(
        "--team",
        type=rule,
        action="append",
        default=[],
        metavar="RULE",
        help="team of sessions with a tag: a pattern such as 'team:*', or NAME=PATTERN; repeat for more rules, the "
        "first that fits counts; =PATTERN if the pattern has an equals sign",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count(), metavar="N", help="threads (all cores)")
    parser.add_argument("--memory", metavar="SIZE", help="memory that the engine may use, as 4g")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add_engine(parser)
    period = parser.add_mutually_exclusive_group(required=True)
    for kind, example in (("week", "2026-W41"), ("month", "2026-10"), ("quarter", "2026-Q4")):
        period.add_argument(f"--{kind}", metavar=kind.upper(), help=f"as {example}")
    period.add_argument("--from", dest="first", metavar="DAY", help="first day, as 2026-10-05")
    parser.add_argument("--to", dest="last", metavar="DAY", help="last day, included")
    parser.add_argument("--tz", default="UTC", metavar="ZONE", help="time zone for day and week boundaries (UTC)")
    parser.add_argument("--trend", type=int, default=7, metavar="N", help="earlier periods to show as a trend (7)")
    parser.add_argument(
        "--price", type=price, action="append", default=[], metavar="FROM=PER_ACU", help="price of an ACU from a day on"
    )
    parser.add_argument("--currency", metavar="CODE", help="currency of the prices, as EUR")
    parser.add_argument("--out", type=Path, default=Path("facts.json"), metavar="FILE", help="to write (facts.json)")
    options = parser.parse_args()
    if bool(options.first) != bool(options.last):
        parser.error("--from and --to need each other")
    if bool(options.price) != bool(options.currency):
        parser.error("--price and --currency need each other")
    if options.currency and not re.fullmatch("[A-Z]{3}", options.currency):
        parser.error("--currency is a code of three capital letters")
    if len({first for first, _ in options.price}) < len(options.price):
        parser.error("two prices begin on the same day")
    if options.trend < 0 or options.workers < 1:
        parser.error("--trend is at least 0, --workers at least 1")
    return options


def main():
    options = arguments()
    given = next((text for kind in ("week", "month", "quarter") if (text := getattr(options, kind))), None)
    period = Period.parse(given or f"{options.first}_{options.last}")
    if period.last < period.first:
        unable("--to is before --from")
    for kind in ("week", "month", "quarter"):
        if getattr(options, kind) and period.kind != kind:
            unable(f"{given} is no {kind}")
    question = Question(
        archive=options.archive,
        period=period,
        zone=zone(options.tz),
        points=options.trend,
        now=datetime.now(timezone.utc),
        currency=options.currency,
        prices=sorted(options.price),
        rules=options.team,
        workers=options.workers,
        memory=options.memory,
    )
    document = facts(options.engine, question)
    write(document, options.out)
    print(f"{options.out}: {len(document['facts'])} facts of {period.label}")


def zone(name):
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return unable(f"{name} is no time zone")


if __name__ == "__main__":
    main()
