"""The data set: an invented organisation, served by `acumen simulate` and saved page by page.

A page is a file that holds an answer of the API's version 2 byte for byte, as curl would have left it.
"""

import contextlib
import datetime
import http.client
import json
import os
import shutil
import subprocess

ORGANISATION = "org_demo"
KEY = "apk_user_compare"


@contextlib.contextmanager
def simulator(acumen, sessions, seed):
    """Serves the organisation on a free port of loopback while the block runs; gives its address."""
    command = [acumen, "simulate", "--port", "0", "--sessions", str(sessions), "--seed", str(seed)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = server.stdout.readline().strip()
        if not address.startswith("http://"):
            raise SystemExit(f"{' '.join(command)}: it did not start to serve")
        yield address
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def fetch(address, folder, page_size):
    """Saves all pages as `00000.json`, `00001.json` and so on; gives how many sessions they hold."""
    host = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    path = f"/v2/enterprise/organizations/{ORGANISATION}/sessions/insights"
    skip, number = 0, 0
    while skip is not None:
        query = f"limit={page_size}&skip={skip}&order=asc"
        host.request("GET", f"{path}?{query}", headers={"Authorization": f"Bearer {KEY}"})
        answer = host.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path}?{query}: HTTP {answer.status}")
        (folder / f"{number:05}.json").write_bytes(body)
        page = json.loads(body)
        skip, number = page["next_cursor"] if page["has_more"] else None, number + 1
    host.close()
    return page["total"]


def last_complete_week(today):
    """The ISO week before the one of this day, as 2026-W41."""
    year, week, _ = (today - datetime.timedelta(days=7)).isocalendar()
    return f"{year}-W{week:02}"


def make(acumen, home, sessions, seed, page_size, address=None, fresh=False):
    """The folder of pages and the week to report; made unless an earlier run has left it whole.

    With the address of a simulator the pages are always fetched anew, because its
    organisation is one of today: sessions lie in the eight weeks up to now.
    """
    folder = home / f"{sessions}-seed{seed}-pages{page_size}"
    about = folder / "about.json"
    if address is None and not fresh and about.exists():
        return folder / "pages", json.loads(about.read_text())
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    pages.mkdir(parents=True)
    today = datetime.datetime.now(datetime.UTC).date()
    with contextlib.ExitStack() as stack:
        if address is None:
            address = stack.enter_context(simulator(acumen, sessions, seed))
        total = fetch(address, pages, page_size)
    sizes = [path.stat().st_size for path in pages.iterdir()]
    facts = {
        "sessions": total,
        "seed": seed,
        "pages": len(sizes),
        "page_size": page_size,
        "megabytes": round(sum(sizes) / 1e6, 1),
        "week": last_complete_week(today),
    }
    # Written last and by rename: what was interrupted is made again.
    beside = about.with_suffix(".new")
    beside.write_text(json.dumps(facts))
    os.replace(beside, about)
    return pages, facts


def empty_folder(path):
    """The folder, made anew."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
