#!/usr/bin/env python3
"""Runs this program and three Python scripts over the same saved pages, in turns, and compares them.

    python3 benches/compare/run.py                       # 100,000 sessions, five rounds
    python3 benches/compare/run.py --sessions 1000000 --runs 3 --contestants acumen,polars

README.md beside this file says what is compared and what is not.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import venv

import agree
import data
import measure

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = HERE / ".packages"
DATA = HERE / ".data"
CONTESTANTS = {
    "acumen": "acumen, whole report",
    "pandas": "pandas + matplotlib + Jinja2, core numbers and charts",
    "polars": "Polars for Python, core numbers alone",
    "duckdb": "DuckDB, core numbers alone",
}
SHOWN = ["pandas", "matplotlib", "jinja2", "polars", "duckdb", "numpy"]


def arguments():
    parser = argparse.ArgumentParser(
        description="Compares acumen with Python scripts that compute the same core numbers."
    )
    parser.add_argument(
        "--sessions", type=int, default=100_000, metavar="N", help="sessions of the data set (100000)"
    )
    parser.add_argument(
        "--runs", type=int, default=5, metavar="N", help="rounds that count, after one that does not (5)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another seed invents another organisation (1)"
    )
    parser.add_argument("--page-size", type=int, default=200, metavar="N", help="sessions a page (200)")
    parser.add_argument(
        "--acumen",
        type=pathlib.Path,
        default=ROOT / "target/dist/acumen",
        metavar="PATH",
        help="the program (target/dist/acumen)",
    )
    parser.add_argument(
        "--contestants",
        type=lambda text: text.split(","),
        default=list(CONTESTANTS),
        metavar="NAMES",
        help=f"some of {','.join(CONTESTANTS)} (all)",
    )
    parser.add_argument(
        "--data", type=pathlib.Path, default=DATA, metavar="DIR", help="where data sets are kept"
    )
    parser.add_argument("--fresh", action="store_true", help="make the data set anew")
    parser.add_argument(
        "--over-http",
        action="store_true",
        help="let acumen read the same sessions from the simulator instead of from the saved pages",
    )
    args = parser.parse_args()
    if unknown := set(args.contestants) - set(CONTESTANTS):
        parser.error(f"no such contestant: {', '.join(sorted(unknown))}")
    if args.runs < 1:
        parser.error("--runs: at least one")
    args.contestants = [name for name in CONTESTANTS if name in args.contestants]
    args.acumen = args.acumen.resolve()
    args.data = args.data.resolve()
    if not args.acumen.is_file():
        parser.error(f"{args.acumen} is missing\nhint: cargo build --release --locked, or --acumen PATH")
    usage = subprocess.run([args.acumen, "report", "--help"], capture_output=True, text=True).stdout
    if not args.over_http and "--pages" not in usage:
        parser.error("this acumen cannot read saved pages\nhint: build a newer one, or use --over-http")
    return args


def python():
    """The interpreter of a virtual environment that has the pinned packages, made on the first run."""
    interpreter, done = PACKAGES / "bin/python", PACKAGES / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not done.exists() or done.read_text() != wanted:
        say("installing the Python packages into benches/compare/.packages")
        venv.create(PACKAGES, clear=True, with_pip=True)
        pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", HERE / "requirements.txt"], check=True)
        done.write_text(wanted)
    return interpreter


def command(name, args, interpreter, pages, week, address, out):
    if name != "acumen":
        return [interpreter, HERE / f"with_{name}.py", pages, "--week", week, "--out", out]
    source = (
        ["--base-url", address, "--org", data.ORGANISATION, "--no-reconcile"]
        if address
        else ["--pages", pages]
    )
    return [args.acumen, "report", *source, "--week", week, "--out", out, "--quiet"]


def environment(out, with_key):
    """Nothing of the caller's settings, and no cache outside of our own folders."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "TMPDIR", "POLARS_MAX_THREADS")
        if name in os.environ
    }
    own = {
        "HOME": out,
        "XDG_CONFIG_HOME": out,
        "XDG_STATE_HOME": out,
        "MPLCONFIGDIR": PACKAGES / "matplotlib",
    }
    return (
        kept
        | {name: str(path) for name, path in own.items()}
        | ({"DEVIN_API_KEY": data.KEY} if with_key else {})
    )


def core_of(name, out):
    if name == "acumen":
        return agree.core(next(path for path in out.glob("*.json")))
    return json.loads((out / "core.json").read_text())


def compete(args, interpreter, pages, week, address):
    """The costs of all rounds, once every contestant has given the numbers of the first one in each."""
    costs = {name: [] for name in args.contestants}
    first = None
    for number in range(args.runs + 1):
        for name in args.contestants:
            out = data.empty_folder(args.data / "out" / name)
            asked = command(name, args, interpreter, pages, week, address, out)
            cost = measure.run(asked, out, environment(out, bool(address) and name == "acumen"))
            core = core_of(name, out)
            first = first or (name, core)
            if wrong := list(agree.differences(first[1], core)):
                shown = "\n".join(f"  {line}" for line in wrong[:20])
                raise SystemExit(f"{first[0]} and {name} disagree on {len(wrong)} numbers:\n{shown}")
            if number:
                costs[name].append(cost)
            say(
                f"round {number or 'that does not count'}: {name} "
                f"{cost.wall:.2f} s, {cost.cpu:.2f} s CPU, {cost.memory:.0f} MiB"
            )
    return costs, agree.count(first[1])


def table(costs):
    base = "acumen" if "acumen" in costs else next(iter(costs))
    medians = {name: measure.Cost(*map(statistics.median, zip(*runs))) for name, runs in costs.items()}
    yield f"| | Wall | CPU | Peak memory | Wall, ratio to {base} | CPU, ratio | Memory, ratio |"
    yield "|---|---|---|---|---|---|---|"
    for name, cost in medians.items():
        walls = [run.wall for run in costs[name]]
        ratios = [part / whole for part, whole in zip(cost, medians[base])]
        yield (
            f"| {CONTESTANTS[name]} | {cost.wall:.2f} s ({min(walls):.2f} to {max(walls):.2f}) | "
            f"{cost.cpu:.2f} s | {cost.memory:.0f} MiB | "
            + " | ".join(f"{ratio:.2f}" for ratio in ratios)
            + " |"
        )


def machine():
    """Cores that this process may use, memory, model, load before the first run."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()}, load {load:.1f} before the first run"
    )


def versions(args, interpreter):
    ours = subprocess.run(
        [args.acumen, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    code = f"import importlib.metadata as m; print(', '.join(f'{{p}} {{m.version(p)}}' for p in {SHOWN}))"
    theirs = subprocess.run(
        [interpreter, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    return f"{ours}, Python {platform.python_version()}, {theirs}"


def say(line):
    print(line, file=sys.stderr, flush=True)


def main():
    args = arguments()
    interpreter = python()
    with contextlib.ExitStack() as stack:
        address = (
            stack.enter_context(data.simulator(args.acumen, args.sessions, args.seed))
            if args.over_http
            else None
        )
        pages, about = data.make(
            args.acumen, args.data, args.sessions, args.seed, args.page_size, address, args.fresh
        )
        where = machine()
        costs, compared = compete(args, interpreter, pages, about["week"], address)
    # Where things lie on this machine is nobody's business.
    shown = " ".join(
        ["benches/compare/run.py", *("PATH" if "/" in arg else shlex.quote(arg) for arg in sys.argv[1:])]
    )
    print(f"{datetime.date.today()}, {where}.\n{versions(args, interpreter)}.\n")
    print(
        f"`{shown}`: {about['sessions']:,} sessions in {about['pages']:,} pages of {about['page_size']}, "
        f"{about['megabytes']} MB, week {about['week']}; medians of {args.runs} rounds in turns."
    )
    print(
        "acumen read them over HTTP; the simulator's work is in its wall time alone.\n"
        if address
        else "All read the saved pages.\n"
    )
    print("\n".join(table(costs)))
    print(f"\nAll agree on {compared} numbers, to {agree.TOLERANCE} of each.")


if __name__ == "__main__":
    main()
