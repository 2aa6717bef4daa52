#!/usr/bin/env python3
"""Makes a large archive from a small one: each session as often as asked, under an id of its own.

    .packages/bin/python enlarge.py .data/archive-1000000-730-2026-11-29 .data/archive-10000000 --times 10

A simulator that holds ten million sessions as JSON does not fit into the memory of a small machine, so the
large archive is written without one. Needs the packages of `requirements.txt` (`run.py` installs them).
"""

import argparse
import hashlib
import json
import pathlib

import polars as pl

CHILDREN = ["pull_requests", "tags", "issues", "action_items"]
ORDER = ["created", "session"]


def enlarged(folder, month, times):
    """The five tables of a month, each session `times` times."""
    read = lambda name: pl.read_parquet(folder / name / f"month={month}" / f"{name}.parquet", hive_partitioning=False)
    copies = pl.DataFrame({"copy": range(times)}, schema={"copy": pl.UInt32})
    # Random digits, as ids have: what compresses far better than sessions do is refused as damaged.
    copied = pl.format("{}-{}", "session", "copy")
    own_id = pl.concat_str(copied.hash(1), copied.hash(2)).alias("session")
    sessions = read("sessions").with_row_index("old").join(copies, how="cross")
    sessions = sessions.with_columns(own_id).sort(ORDER).with_row_index("new")
    yield "sessions", sessions.drop("old", "new", "copy")
    places = sessions.select("old", "copy", "new")
    for name in CHILDREN:
        table = read(name)
        columns = table.columns
        table = table.with_row_index("at").join(copies, how="cross").with_columns(own_id)
        table = table.join(places, left_on=["row", "copy"], right_on=["old", "copy"]).sort("new", "at")
        yield name, table.with_columns(pl.col("new").alias("row")).select(columns)


def main():
    parser = argparse.ArgumentParser(description="Makes a large archive from a small one.")
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("larger", type=pathlib.Path)
    parser.add_argument("--times", type=int, default=10)
    args = parser.parse_args()
    state = json.loads((args.archive / "state.json").read_text())
    months = sorted(path.name.removeprefix("month=") for path in (args.archive / "sessions").iterdir())
    for month in months:
        for name, table in enlarged(args.archive, month, args.times):
            path = args.larger / name / f"month={month}" / f"{name}.parquet"
            path.parent.mkdir(parents=True)
            table.write_parquet(path, compression="zstd")
            written = path.read_bytes()
            state["files"][str(path.relative_to(args.larger))] = {
                "rows": table.height,
                "bytes": len(written),
                "sha256": hashlib.sha256(written).hexdigest(),
            }
    for name in ("people.json", "vendor.json"):
        (args.larger / name).write_bytes((args.archive / name).read_bytes())
    (args.larger / "state.json").write_text(json.dumps(state, indent=2))


if __name__ == "__main__":
    main()
