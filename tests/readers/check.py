"""Opens the exports of a report with readers that are not ours, and compares
all that they show with facts.json: openpyxl, DuckDB and Polars for Python.

    check.py REPORT.json

It prints what agrees, and ends with 1 and the differences otherwise.
"""

import datetime
import json
import math
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import openpyxl
import polars as pl

# Table of the workbook: metric, dimensions, head of its column. Those of the
# labels, of the sessions and of words are looked at apart.
TABLES = {
    "acus_by_day": ("acus", ["day"], "ACUs"),
    "acus_by_team": ("acus", ["team"], "ACUs"),
    "acus_by_session": ("acus_histogram", ["bin"], "Sessions"),
    "acus_by_user": ("acus", ["user"], "ACUs"),
    "acus_by_tag": ("acus", ["tag"], "ACUs"),
    "acus_by_org": ("acus", ["org"], "ACUs"),
    "acus_by_category": ("acus", ["category"], "ACUs"),
    "acus_by_origin": ("acus", ["origin"], "ACUs"),
    "acus_by_size": ("acus", ["size"], "ACUs"),
    "acus_trend": ("acus", ["period"], "ACUs"),
    "pr_states": ("prs", ["state"], "Pull requests"),
    "merge_rate_by_tag": ("merge_rate", ["tag"], "Merge rate"),
    "merge_rate_by_repo": ("merge_rate", ["repo"], "Merge rate"),
    "merge_rate_by_category": ("merge_rate", ["category"], "Merge rate"),
    "merge_rate_trend": ("merge_rate", ["period"], "Merge rate"),
    "acus_per_merged_pr_trend": ("acus_per_merged_pr", ["period"], "ACUs per merged pull request"),
    "issues_by_impact": ("issues", ["impact"], "Issues"),
    "action_items": ("action_items", ["type"], "Action items"),
}
HEADLINES = {
    "ACUs": ("acus", {}),
    "Spend": ("spend", {}),
    "Sessions": ("sessions", {}),
    "Active users": ("active_users", {}),
    "Pull requests": ("prs", {}),
    "Merge rate": ("merge_rate", {}),
    "ACUs per merged PR": ("acus_per_merged_pr", {}),
    "Spend per merged pull request": ("spend_per_merged_pr", {}),
    "High-impact issues per 100": ("issue_rate", {"impact": "high"}),
    "Analysis coverage": ("analysis_coverage", {}),
}
SHEETS = [
    "Overview",
    "What to fix",
    "Usage",
    "Delivery",
    "How work goes",
    "Friction",
    "People",
    "Finance",
    "Sessions worth a look",
    "Definitions",
    "Source and quality",
]
FORMULA = "=+-@\t\r＝＋－＠"

differences = []
agreed = 0


def agree(what, found, expected):
    global agreed
    near = isinstance(found, float) and isinstance(expected, (int, float)) and math.isclose(found, expected, rel_tol=1e-12)
    if found == expected or near:
        agreed += 1
    else:
        differences.append(f"{what}: {found!r}, in facts.json {expected!r}")


def same(what, found, expected):
    """To the last digit."""
    global agreed
    if found == expected:
        agreed += 1
    else:
        differences.append(f"{what}: {found!r}, in facts.json {expected!r}")


def of_csv(name, folder, facts):
    groupings = {}
    for fact in facts:
        groupings.setdefault(tuple(fact["group"]), []).append(fact)
    lines = 0
    for by, rows in groupings.items():
        ending = f"by-{'-'.join(by)}" if by else "whole"
        path = folder / f"{name}_{ending}.csv"
        quoted = str(path).replace("'", "''")
        relation = duckdb.sql(f"select * from read_csv('{quoted}', header=true, all_varchar=true, delim=',', quote='\"')")
        heads = relation.columns
        readers = {
            "DuckDB": relation.fetchall(),
            "Polars": pl.read_csv(path, infer_schema_length=0).rows(),
        }
        for reader, found in readers.items():
            same(f"{path.name} in {reader}: lines", len(found), len(rows))
            for line, fact in zip(found, rows):
                line = dict(zip(heads, line))
                where = f"{path.name} in {reader}: {fact['metric']} {fact['group']}"
                same(f"{where}: metric", (line["metric"], line["unit"]), (fact["metric"], fact["unit"]))
                for part in ["value", "numerator", "denominator", "n", "previous"]:
                    number = None if line[part] is None else float(line[part])
                    same(f"{where}: {part}", number, fact.get(part))
                for dim, key in fact["group"].items():
                    cell = line[dim]
                    same(f"{where}: null {dim}", cell is None, key is None)
                    if cell is not None:
                        same(f"{where}: formula", cell.strip()[:1] in list(FORMULA), False)
                    if key is not None and key.isascii() and key.replace("_", "a").isalnum():
                        same(f"{where}: {dim}", cell, key)
        for metric in {fact["metric"] for fact in rows}:
            total = duckdb.sql(
                f"select sum(value::double) from read_csv('{quoted}', header=true, all_varchar=true) where metric = '{metric}'"
            ).fetchall()[0][0]
            known = [fact["value"] for fact in rows if fact["metric"] == metric and fact["value"] is not None]
            agree(f"{path.name}: total of {metric}", total, math.fsum(known) if known else None)
        lines += len(rows)
    files = len(list(folder.glob(f"{name}_whole.csv"))) + len(list(folder.glob(f"{name}_by-*.csv")))
    same("CSV files", files, len(groupings))
    same("CSV lines", lines, len(facts))
    return f"{files} CSV files with {lines} lines"


def of_workbook(path, facts):
    book = openpyxl.load_workbook(path)
    is_priced = any(fact["metric"] == "spend" for fact in facts)
    # Not every report has all of them.
    optional = {"What to fix", "How work goes", "People", "Finance", "Sessions worth a look"}
    sheets = ["Spend" if is_priced and name == "Usage" else name for name in SHEETS]
    sheets = [name for name in sheets if name in book.sheetnames or name not in optional]
    same("sheets", book.sheetnames, sheets)
    tables = {}
    cells = 0
    for sheet in book:
        same(f"{sheet.title}: frozen", sheet.freeze_panes is not None, True)
        for row in sheet.iter_rows():
            for cell in row:
                cells += cell.value is not None
                same(f"{sheet.title} {cell.coordinate}: formula", cell.data_type == "f", False)
                if cell.hyperlink is not None:
                    link = cell.hyperlink.target or ""
                    same(f"{sheet.title} {cell.coordinate}: {link}", link.startswith("https://"), True)
        for table in sheet.tables.values():
            same(f"{table.name}: filter", table.autoFilter is not None, True)
            head, *rows = [[cell.value for cell in row] for row in sheet[table.ref]]
            tables[table.name] = (head, rows)

    def column(table, head):
        heads, rows = tables[table]
        return [row[heads.index(head)] for row in rows]

    def values(metric, by):
        return [fact["value"] for fact in facts if fact["metric"] == metric and list(fact["group"]) == by]

    def whole(metric, group):
        return next(fact for fact in facts if fact["metric"] == metric and fact["group"] == group)

    def ordered(numbers):
        return sorted(numbers, key=lambda number: (number is not None, number or 0))

    heads = ["Number", "Value", "Before", "Based on"]
    for title, now, before, rests in zip(*(column("headlines", head) for head in heads)):
        metric, group = HEADLINES[title]
        fact = whole(metric, group)
        same(f"headline {metric}", (now, before, rests), (fact["value"], fact["previous"], fact["n"]))
    is_priced = any(fact["metric"] == "spend" for fact in facts)
    same("headlines", len(tables["headlines"][1]), len(HEADLINES) if is_priced else len(HEADLINES) - 2)
    compared = 0
    for table, (metric, by, head) in TABLES.items():
        if table not in tables:
            continue
        compared += 1
        found = column(table, head)
        if by == ["bin"]:
            # The table has every bin; the facts have those with a session.
            found = [number for number in found if number]
        same(f"table {table}", ordered(found), ordered(values(metric, by)))
        if is_priced and metric == "acus":
            same(f"table {table}: Spend", ordered(column(table, "Spend")), ordered(values("spend", by)))
    if "teams" in tables:
        *teams, every = zip(*(column("teams", head) for head in ["Team", "Sessions", "ACUs"]))
        same("teams: all", every, ("All", whole("sessions", {})["value"], whole("acus", {})["value"]))
        same("teams: sessions", ordered(team[1] for team in teams), ordered(values("sessions", ["team"])))
    for section in ["spend", "delivery", "friction"]:
        for title, value in zip(column(f"{section}_numbers", "Number"), column(f"{section}_numbers", "Value")):
            [id] = [id for id, own in zip(column("definitions", "Name in the files"), column("definitions", "Metric")) if own == title]
            same(f"{section}: {title}", value, whole(id, {})["value"])
    for id, value in zip(column("definitions", "Name in the files"), column("definitions", "Whole period")):
        found = [fact["value"] for fact in facts if fact["metric"] == id and not fact["group"]]
        same(f"definition of {id}", value, found[0] if found else None)
    if "impact_by_label" in tables:
        for head in ["High", "Medium", "Low", "Other"]:
            own = [
                fact["value"]
                for fact in facts
                if list(fact["group"]) == ["label", "impact"] and fact["group"]["impact"] == head.lower()
            ]
            same(f"impact_by_label {head}", sum(column("impact_by_label", head)), sum(own))
        same("labels: Issues", sum(column("labels", "Issues")), whole("issues", {})["value"])
        same("funnel", column("funnel", "Sessions")[:1], [whole("sessions", {})["value"]])
    return f"a workbook of {len(book.sheetnames)} sheets, {len(tables)} tables ({compared} of groups) and {cells} cells"


# Decimals of the currencies that do not have two.
PLACES = {"JPY": 0, "KWD": 3}


def of_finance(name, folder, document):
    """Workbook and CSV have the same rounded amounts, and they add up to the total."""
    path = folder / f"{name}_finance.csv"
    rows = document.get("finance", [])
    book = openpyxl.load_workbook(folder / f"{name}.xlsx")
    same("finance: sheet and file", ("Finance" in book.sheetnames, path.exists()), (bool(rows), bool(rows)))
    if not rows:
        return "no finance"
    currency = document["prices"]["currency"]
    places = PLACES.get(currency, 2)
    unit = Decimal(1).scaleb(-places)
    sheet = book["Finance"]
    area = sheet.tables["finance"].ref
    head, *found = [list(row) for row in sheet[area]]
    heads = ["Team", "Cost centre", "From", "To", "ACUs", "Price", "Amount", "Previous period"]
    same("finance: heads", [cell.value for cell in head], heads)
    same("finance: rows", len(found), len(rows))
    last = found[-1][0].row
    total = {head.value: cell for head, cell in zip(head, next(sheet.iter_rows(min_row=last + 2, max_row=last + 2)))}
    same("finance: total", total["Team"].value, "Total")
    same("finance: nothing below", sheet.max_row, last + 2)

    quoted = str(path).replace("'", "''")
    relation = duckdb.sql(f"select * from read_csv('{quoted}', header=true, all_varchar=true, delim=',', quote='\"')")
    lines = [dict(zip(relation.columns, line)) for line in relation.fetchall()]
    same("finance: lines", len(lines), len(rows))
    same("finance: lines in Polars", pl.read_csv(path, infer_schema_length=0).rows(), relation.fetchall())

    def money(value):
        """In whole units, whatever binary made of them."""
        return None if value is None else Decimal(repr(value)).quantize(unit, ROUND_HALF_UP)

    for cells, line, row in zip(found, lines, rows):
        cell = dict(zip(heads, cells))
        where = f"finance of {row['team']}, {row['cost_centre']} from {row['from']}"
        for head, part in [("From", "from"), ("To", "to")]:
            same(f"{where}: {head} is a day", (cell[head].is_date, type(cell[head].value)), (True, datetime.datetime))
            same(f"{where}: {head}", cell[head].value.date().isoformat(), row[part])
            same(f"{where}: {part} in CSV", line[part], row[part])
        same(f"{where}: ACUs", (cell["ACUs"].value, float(line["acus"])), (row["acus"], row["acus"]))
        price = None if line["per_acu"] is None else float(line["per_acu"])
        same(f"{where}: price", (cell["Price"].value, price), (row["per_acu"], row["per_acu"]))
        same(f"{where}: currency", line["currency"], currency)
        for head, part, column in [("Amount", "amount", "amount"), ("Previous period", "previous_amount", "previous_amount")]:
            value = money(cell[head].value)
            decimals = None if value is None else format(value, f".{places}f")
            same(f"{where}: {part} in CSV", line[column], decimals)
            same(f"{where}: {part} is null", value is None, row[part] is None)
            if value is not None:
                near = abs(value - Decimal(row[part])) < unit + Decimal("1e-9")
                same(f"{where}: {part} {value} is near {row[part]}", near, True)
                same(f"{where}: format of {part}", cell[head].number_format.count("0") - 1, places)
        for head, part, none in [("Team", "team", "no team"), ("Cost centre", "cost_centre", "no cost centre")]:
            same(f"{where}: {part}", cell[head].value, row[part] or none)
            same(f"{where}: null {part} in CSV", line[part] is None, row[part] is None)
            same(f"{where}: formula", (line[part] or "")[:1] in list(FORMULA), False)
    whole = {fact["metric"]: fact for fact in document["facts"] if not fact["group"]}
    for head, part in [("Amount", "value"), ("Previous period", "previous")]:
        shown = money(total[head].value)
        known = [money(cells[heads.index(head)].value) for cells in found]
        same(f"finance: sum of {head}", sum(value for value in known if value is not None), shown)
        # Half a unit, or a sum in another order, decides between two.
        near = abs(shown - Decimal(whole["spend"][part])) <= unit / 2 + Decimal("1e-6")
        same(f"finance: {head} {shown} is the spend {whole['spend'][part]}", near, True)
    agree("finance: ACUs", total["ACUs"].value, whole["acus"]["value"])
    return f"{len(rows)} finance rows"


def of_parquet(name, folder, facts, period):
    files = {
        table: folder / f"{name}_{table}.parquet"
        for table in ["sessions", "pull-requests", "tags", "issues", "action-items"]
    }
    connection = duckdb.connect()
    for table, path in files.items():
        quoted = str(path).replace("'", "''")
        connection.execute(f"create view {table.replace('-', '_')} as select * from '{quoted}'")

    def expected(metric, by=()):
        own = [fact for fact in facts if fact["metric"] == metric and tuple(fact["group"]) == tuple(by)]
        return {tuple(fact["group"].values()): fact["value"] for fact in own}

    def ask(what, sql, metric, by=()):
        found = {tuple(row[:-1]): row[-1] for row in connection.execute(sql).fetchall()}
        # Facts tell of every impact, a table only of what is in it.
        for group, value in expected(metric, by).items():
            agree(f"{what} in DuckDB: {group}", found.pop(group, 0), value)
        same(f"{what} in DuckDB: groups that facts.json does not have", found, {})

    here = f"period = '{period}'"
    ask("sessions", f"select count(distinct session) from sessions where {here}", "sessions")
    ask("ACUs", f"select coalesce(sum(acus), 0.0) from sessions where {here}", "acus")
    ask("active users", f'select count(distinct "user") from sessions where {here} and not automation', "active_users")
    ask("by machines", f"select count(*) from sessions where {here} and automation", "automation_sessions")
    ask("analysed", f"select count(*) from sessions where {here} and analysed", "analysed_sessions")
    ask("median", f"select quantile_cont(acus, 0.5) from sessions where {here}", "acus_per_session_median")
    ask("by user", f'select "user", coalesce(sum(acus), 0.0) from sessions where {here} group by 1', "acus", ["user"])
    ask("by status", f"select status, count(*) from sessions where {here} group by 1", "sessions", ["status"])
    ask("by period", "select period, count(*) from sessions where period is not null group by 1", "sessions", ["period"])
    ask("pull requests", f"select count(distinct pull_request) from pull_requests where {here}", "prs")
    ask("merged", f"select count(distinct pull_request) from pull_requests where {here} and state = 'merged'", "prs_merged")
    # One row of each pull request is credited, so that joins count none twice.
    credited = f"from pull_requests p join sessions s using (session) where p.credited and p.{here}"
    for metric, of in [("prs", "true"), ("prs_merged", "state = 'merged'")]:
        count = f"count(*) filter ({of})"
        ask(f"{metric} credited", f"select {count} {credited}", metric)
        ask(f"{metric} credited by user", f'select s."user", {count} {credited} group by 1', metric, ["user"])
        ask(f"{metric} credited by repo", f"select repo, {count} {credited} group by 1", metric, ["repo"])
        tagged = credited.replace(" where ", " left join tags t using (session) where ")
        ask(f"{metric} credited by tag", f"select tag, {count} {tagged} group by 1", metric, ["tag"])
    ask(
        "credited by period",
        "select period, count(*) from pull_requests where credited and period is not null group by 1",
        "prs",
        ["period"],
    )
    if expected("spend"):
        spend = f"coalesce(sum(spend), 0.0) from sessions where {here}"
        ask("spend", f"select {spend}", "spend")
        for dim in ["user", "team"]:
            ask(f"spend by {dim}", f'select "{dim}", {spend} group by 1', "spend", [dim])
    ask(
        "by tag",
        f"select t.tag, count(*) from sessions s left join tags t using (session) where s.{here} group by 1",
        "sessions",
        ["tag"],
    )
    ask("issues", f"select impact, count(*) from issues where {here} group by 1", "issues", ["impact"])
    ask("action items", f"select type, count(*) from action_items where {here} group by 1", "action_items", ["type"])

    frames = {table: pl.read_parquet(path) for table, path in files.items()}
    own = {table: frame.filter(pl.col("period") == period) for table, frame in frames.items()}
    sessions, pulls = own["sessions"], own["pull-requests"]
    same("creation in Polars", sessions.schema["created"], pl.Datetime("us", "UTC"))
    whole = {metric: expected(metric).get(()) for metric in ["sessions", "acus", "prs", "prs_merged", "merge_rate", "issues"]}
    agree("sessions in Polars", sessions["session"].n_unique(), whole["sessions"])
    agree("ACUs in Polars", sessions["acus"].sum(), whole["acus"])
    pulls = pulls.drop_nulls("pull_request")
    merged = pulls.filter(pl.col("state") == "merged")["pull_request"].n_unique()
    agree("pull requests in Polars", pulls["pull_request"].n_unique(), whole["prs"])
    if "address" in pulls.columns:
        agree("addresses in Polars", pulls["address"].n_unique(), whole["prs"])
    agree("merged in Polars", merged, whole["prs_merged"])
    closed = pulls.group_by("pull_request").agg(pl.col("state").unique())
    decided = sum(bool({"merged", "closed"} & set(states)) for states in closed["state"])
    agree("merge rate in Polars", merged / decided if decided else None, whole["merge_rate"])
    agree("issues in Polars", own["issues"].height, whole["issues"])
    return "5 Parquet files with " + ", ".join(f"{frame.height} {table}" for table, frame in frames.items())


def main(path):
    path = Path(path)
    name, folder = path.stem, path.parent
    document = json.loads(path.read_text(encoding="utf-8"))
    facts = document["facts"]
    seen = [
        of_csv(name, folder, facts),
        of_workbook(folder / f"{name}.xlsx", facts),
        of_parquet(name, folder, facts, document["period"]["label"]),
        of_finance(name, folder, document),
    ]
    print(f"{path.name}: {'; '.join(seen)}: {agreed} comparisons agree, {len(differences)} do not")
    for difference in differences[:40]:
        print(f"  {difference}")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main(sys.argv[1])
