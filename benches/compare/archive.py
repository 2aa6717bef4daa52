#!/usr/bin/env python3
"""Times reports from an archive of an invented organisation's whole history.

    python3 benches/compare/archive.py                     # 1,000,000 sessions over two years, nine rounds

The archive is made by `acumen sync` over HTTP, from `acumen simulate` on loopback, and kept in `.data`. The start
of the program (`acumen --help`) and an archive of a hundredth of the sessions run in the same turns, so that costs
that grow with the archive can be separated from those that do not. Beside each report of the large archive DuckDB
computes the core numbers of the same days from the same files (`with_duckdb_archive.py`), and both must agree.

`--archive DIR` times an archive that exists already, such as one that `enlarge.py` made.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time

import agree
import data
import measure
import run

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def arguments():
    parser = argparse.ArgumentParser(description="Times reports from an archive.")
    parser.add_argument("--sessions", type=int, default=1_000_000, metavar="N", help="in the archive (1000000)")
    parser.add_argument("--archive", type=pathlib.Path, metavar="DIR", help="an archive that exists already")
    parser.add_argument("--days", type=int, default=730, metavar="N", help="over how many days (730)")
    parser.add_argument("--runs", type=int, default=9, metavar="N", help="rounds that count, after one that does not (9)")
    parser.add_argument(
        "--acumen",
        type=pathlib.Path,
        default=ROOT / "target/dist/acumen",
        metavar="PATH",
        help="the program (target/dist/acumen)",
    )
    return parser.parse_args()


def environment():
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"DEVIN_API_KEY": data.KEY}


def make(acumen, home, sessions, days):
    """The archive, made unless an earlier run has left it; and what its sync cost, if it ran."""
    today = datetime.datetime.now(datetime.UTC).date()
    folder = home / f"archive-{sessions}-{days}-{today}"
    if (folder / "state.json").exists():
        return folder, None
    shutil.rmtree(folder, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    serve = [acumen, "simulate", "--port", "0", "--sessions", str(sessions), "--days", str(days)]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = server.stdout.readline().strip()
        since = today - datetime.timedelta(days=days + 31)
        sync = [acumen, "sync", "--archive", folder, "--base-url", address, "--org", data.ORGANISATION]
        sync += ["--since", str(since), "--page-size", "1000", "-q"]
        return folder, measure.run(sync, data.empty_folder(home / "sync"), environment())
    finally:
        server.terminate()
        server.wait()


def reports(acumen, archive, week):
    """What is timed on an archive, by name: the days, whether the days before count, and the command."""
    report = [acumen, "report", "--archive", archive, "--out", "out", "-q"]
    first, last = (datetime.date.fromisocalendar(*map(int, week.split("-W")), day) for day in (1, 7))
    start = last - datetime.timedelta(days=363)
    return {
        "a week with its trend": ((first, last, False), [*report, "--week", week]),
        "52 weeks, and the 52 before": (
            (start, last, True),
            [*report, "--from", str(start), "--to", str(last), "--trend", "0"],
        ),
    }


def with_duckdb(interpreter, archive, first, last, and_before):
    script = [interpreter, HERE / "with_duckdb_archive.py", archive, "--from", str(first), "--to", str(last)]
    return [*script, *(["--and-before"] if and_before else []), "--out", "out"]


def check(facts, core, name):
    """Ends the run if the numbers of a report and of DuckDB over the same days differ."""
    theirs = {key: value for key, value in core.items() if key != "week"}
    ours = {key: facts[key] for key in theirs}
    if found := list(agree.differences(ours, theirs)):
        raise SystemExit(f"{name}: they differ from the report's\n" + "\n".join(found[:20]))


def main():
    options = arguments()
    acumen = options.acumen.resolve()
    home = HERE / ".data"
    interpreter = run.python()
    week = data.last_complete_week(datetime.datetime.now(datetime.UTC).date())
    timed = {"acumen --help": ([acumen, "--help"], False)}
    archives = {}
    if options.archive:
        archives[""] = options.archive.resolve()
    for sessions in () if options.archive else (options.sessions // 100, options.sessions):
        archives[f"{sessions:,}: "], cost = make(acumen, home, sessions, options.days)
        if cost:
            print(f"sync of {sessions:,}: {cost.wall:.1f} s, {cost.cpu:.1f} s CPU, {cost.memory:.0f} MiB\n")
    for place, archive in archives.items():
        size = sum(path.stat().st_size for path in archive.rglob("*.parquet"))
        print(f"{place or archive.name}: {size / 1e6:.0f} MB\n")
        for name, (days, command) in reports(acumen, archive, week).items():
            timed[f"{place}{name}"] = (command, False)
            timed[f"{place}{name}, DuckDB"] = (with_duckdb(interpreter, archive, *days), True)
    costs = {name: [] for name in timed}
    for number in range(options.runs + 1):
        for name, (command, is_duckdb) in timed.items():
            out = data.empty_folder(home / "archive-out")
            (out / "out").mkdir()
            cost = measure.run(command, out, environment())
            if is_duckdb:
                check(facts, json.loads((out / "out/core.json").read_text())[0], name)
            elif found := list((out / "out").glob("*.json")):
                facts = agree.core(found[0])
            if number > 0:
                costs[name].append(cost)
            time.sleep(0.05)
    print("| | Wall | CPU | Peak memory |\n|---|---|---|---|")
    for name, all_runs in costs.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*all_runs))
        print(f"| {name} | {wall * 1000:.0f} ms | {cpu * 1000:.0f} ms | {memory:.0f} MiB |")


if __name__ == "__main__":
    main()
