"""Opens Parquet files with every reader that this Python has, and filters, sorts
and joins each file by a text column.

    parquet.py SESSIONS.parquet OTHER.parquet...

The column is `session`, which is in every file; SESSIONS.parquet holds each
session once. It prints one line per reader: its name and what it counted.
"""

import importlib.util
import json
import sys


def of_pyarrow(paths):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    tables = [pq.read_table(path) for path in paths]
    for path, table in zip(paths, tables):
        for field in table.schema:
            # pyarrow 14 cannot open string views, later versions cannot filter them.
            assert str(field.type) != "string_view", f"{path}: {field}"
    sessions, *others = tables
    ordered = [table.sort_by("session") for table in tables]
    middle = middle_of(ordered[0]["session"].to_pylist())
    after = [table.filter(pc.greater(table["session"], middle)).num_rows for table in tables]
    keys = sessions.select(["session"])
    joined = [other.select(["session"]).join(keys, "session", join_type="inner").num_rows for other in others]
    for path, table in zip(paths, tables):
        assert pq.read_table(path, filters=[("session", "==", middle)]).num_rows == table.filter(
            pc.equal(table["session"], middle)
        ).num_rows
        copy = pa.BufferOutputStream()
        pq.write_table(table, copy)
    return [first(table["session"].to_pylist()) for table in ordered], after, joined


def of_frames(read, paths):
    frames = [read(path) for path in paths]
    sessions, *others = frames
    ordered = [frame.sort_values("session") for frame in frames]
    middle = middle_of(list(ordered[0]["session"]))
    after = [len(frame[frame["session"] > middle]) for frame in frames]
    joined = [len(other.merge(sessions[["session"]], on="session")) for other in others]
    return [first(list(frame["session"])) for frame in ordered], after, joined


def of_pandas(paths):
    import pandas

    return of_frames(lambda path: pandas.read_parquet(path, engine="pyarrow"), paths)


def of_fastparquet(paths):
    import fastparquet

    def read(path):
        frame = fastparquet.ParquetFile(path).to_pandas()
        frame["session"] = frame["session"].astype("str")
        return frame

    return of_frames(read, paths)


def of_duckdb(paths):
    import duckdb

    quoted = ["'" + path.replace("'", "''") + "'" for path in paths]

    def texts(sql):
        return [row[0] for row in duckdb.sql(sql).fetchall()]

    middle = middle_of(texts(f"select session from {quoted[0]} order by session"))
    after = [duckdb.execute(f"select count(*) from {path} where session > ?", [middle]).fetchall()[0][0] for path in quoted]
    joined = [texts(f"select count(*) from {path} join {quoted[0]} using (session)")[0] for path in quoted[1:]]
    return [first(texts(f"select session from {path} order by session")) for path in quoted], after, joined


def of_polars(paths):
    import polars as pl

    frames = [pl.read_parquet(path) for path in paths]
    ordered = [frame.sort("session") for frame in frames]
    middle = middle_of(ordered[0]["session"].to_list())
    after = [frame.filter(pl.col("session") > middle).height for frame in frames]
    joined = [other.join(frames[0].select("session"), on="session").height for other in frames[1:]]
    return [first(frame["session"].to_list()) for frame in ordered], after, joined


def of_spark(paths):
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    frames = [spark.read.parquet(path) for path in paths]

    def texts(frame):
        return [row[0] for row in frame.select("session").orderBy("session").collect()]

    ordered = [texts(frame) for frame in frames]
    middle = middle_of(ordered[0])
    after = [frame.filter(frame.session > middle).count() for frame in frames]
    joined = [other.join(frames[0].select("session"), "session").count() for other in frames[1:]]
    return [first(texts) for texts in ordered], after, joined


READERS = {
    "pyarrow": ("pyarrow", of_pyarrow),
    "pandas": ("pandas", of_pandas),
    "fastparquet": ("fastparquet", of_fastparquet),
    "duckdb": ("duckdb", of_duckdb),
    "polars": ("polars", of_polars),
    "spark": ("pyspark", of_spark),
}


def middle_of(texts):
    return texts[len(texts) // 2] if texts else ""


def first(texts):
    return texts[0] if texts else None


def main(paths):
    for name, (package, reader) in READERS.items():
        if importlib.util.find_spec(package):
            print(name, json.dumps(reader(paths)))


if __name__ == "__main__":
    main(sys.argv[1:])
