"""The core numbers of this program's facts file, and where those of two contestants differ."""

import json
import math

TOLERANCE = 1e-9


def core(facts_file):
    """What the scripts write to `core.json`, taken from a facts file; the group of none is called ""."""
    report = json.loads(facts_file.read_text())

    def chosen(metric, *dimensions):
        for fact in report["facts"]:
            if fact["metric"] == metric and fact["group"].keys() == set(dimensions):
                yield *(fact["group"][name] or "" for name in dimensions), fact["value"]

    def whole(metric):
        return next(value for (value,) in chosen(metric))

    def one(metric, dimension):
        return dict(chosen(metric, dimension))

    def two(metric, outer, inner):
        """Without zeros: a label has a fact for each impact, met or not."""
        groups = {}
        for first, second, value in chosen(metric, outer, inner):
            if value:
                groups.setdefault(first, {})[second] = value
        return groups

    return {
        "week": report["period"]["label"],
        "sessions": whole("sessions"),
        "acus": whole("acus"),
        "acus_by_user": one("acus", "user"),
        "acus_by_tag": one("acus", "tag"),
        "acus_by_day": one("acus", "day"),
        "prs": whole("prs"),
        "prs_merged": whole("prs_merged"),
        "merge_rate": whole("merge_rate"),
        "merge_rate_by_tag": one("merge_rate", "tag"),
        "analysed_sessions": whole("analysed_sessions"),
        "issues_by_impact": one("issues", "impact"),
        "issues_by_label": two("issues", "label", "impact"),
        "issue_count_histogram": two("issue_count_histogram", "impact", "issues"),
    }


def count(numbers):
    """How many values there are, those in groups included."""
    return sum(count(value) if isinstance(value, dict) else 1 for value in numbers.values())


def differences(ours, theirs, place=""):
    """A line for each number that one has and the other has not, or has differently."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            where = f"{place}.{key}" if place else key
            if key not in ours or key not in theirs:
                yield f"{where}: only one of them has it, {ours.get(key, theirs.get(key))}"
            else:
                yield from differences(ours[key], theirs[key], where)
    elif isinstance(ours, float) or isinstance(theirs, float):
        numbers = [number for number in (ours, theirs) if isinstance(number, (int, float))]
        if len(numbers) < 2 or not math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=1e-12):
            yield f"{place}: {ours} and {theirs}"
    elif ours != theirs:
        yield f"{place}: {ours} and {theirs}"
