"""Writes docs/performance.md from the raw figures: always the same page from the same figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench import masters, sizing
from bench.rig import Result, Row, Taken, Target
from bench.sections import SECTIONS, Section, gathered

PAGE = "performance.md"
_HEAD = """\
# Performance

How fast the farm is, measured by one program: `make bench` writes this page, and the raw figures into
[performance.json](performance.json). Every row is measured side by side with what it is compared with: both
are up on the same machine and are looked at in turn, one round forwards, the next one backwards. A figure is
the median of the rounds; behind `±` is half of what lies between the least and the most of them, as a share
of the median. `ratio` is our figure divided by the other one. [Decision 56](decisions/0056-bench.md) says
why it is measured so, and how it was made sure that the load generator is not what is measured.

`make bench-quick` measures the same rows in a few minutes, with fewer and shorter rounds: to see that they
work, and not to be quoted.

## What these figures are worth
"""
_TABLE = """\
| row | what | ours | beside it | | ratio | aimed at | met |
|---|---|---|---|---|---|---|---|
"""
UNMEASURED = "not measured yet"


def written(results: Mapping[str, Result], pictures: Mapping[str, str]) -> str:
    """The page. `results`: by row; `pictures`: the file of a section's plot, by its module."""
    parts = [_HEAD, *conditions(results)]
    for section in SECTIONS:
        rows = gathered(section, quick=False)
        if rows:
            parts += _section(section, rows, results, pictures.get(section.module))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def conditions(results: Mapping[str, Result]) -> list[str]:
    """With what command, on what machine and how busy; and whether that is good enough."""
    known = {row.key for section in SECTIONS for row in gathered(section, quick=False)}
    found = [result for key, result in results.items() if key in known]
    rows = [row for section in SECTIONS for row in gathered(section, quick=False)]
    parts = [verdict(found, len(known)), tally(rows, results)]
    table = ["| rows | command | when (UTC) | load | used by others | version |", "|---|---|---|---|---|---|"]
    for command, version in dict.fromkeys((r.conditions.command, r.conditions.version) for r in found):
        same = [
            r.conditions for r in found if (r.conditions.command, r.conditions.version) == (command, version)
        ]
        times = sorted(each.at for each in same)
        when = times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
        loads = [load for each in same for load in each.load]
        busy = [share for each in same for share in each.busy]
        table.append(
            f"| {len(same)} | `{command}` | {when} | {min(loads):.1f} to {max(loads):.1f} "
            f"| {min(busy):.0%} to {max(busy):.0%} | {version} |"
        )
    if found:
        parts.append("\n".join(table))
    machines = dict.fromkeys(result.conditions.machine for result in found)
    return [*parts, *(f"Machine: {machine}." for machine in machines)]


def tally(rows: Sequence[Row], results: Mapping[str, Result]) -> str:
    """How many of the aims are met."""
    met = [
        None if (found := results.get(row.key)) is None else found.met(target)
        for row in rows
        for target in row.targets
    ]
    return (
        f"Of {len(met)} figures that are aimed at, {met.count(True)} are met, {met.count(False)} are not, "
        f"and {met.count(None)} are not known."
    )


def verdict(found: Sequence[Result], rows: int) -> str:
    """One paragraph for who wants to quote a figure."""
    quick = sum(result.conditions.quick for result in found)
    disturbed = sum(not result.conditions.quiet for result in found)
    doubts = [
        *([f"{rows - len(found)} of {rows} rows are not measured yet"] if len(found) < rows else []),
        *([f"{quick} were measured with `--quick`"] if quick else []),
        *([f"during {disturbed} other programs used the machine"] if disturbed else []),
    ]
    if not doubts:
        return "**All rows are from full runs on a quiet machine.**"
    return (
        f"**These are not the figures of a full run on a quiet machine:** {'; '.join(doubts)}. "
        "What is compared side by side was disturbed alike; figures that stand alone, times above all, are "
        "worse than on a quiet machine."
    )


def _section(
    section: Section, rows: Sequence[Row], results: Mapping[str, Result], picture: str | None
) -> list[str]:
    shown = [line for row in rows for line in lines(row, results.get(row.key))]
    parts = [f"## {section.heading}\n", section.text, _TABLE + "\n".join(shown)]
    if picture:
        parts.append(f"![{section.heading}: our figure divided by the other's.](images/{picture})")
    said = [line for row in rows for line in details(row, results.get(row.key))]
    behind = list(sizing.table(results)) if section.module == masters.__name__ else []
    return [*parts, *("\n".join(each) for each in (said, behind) if each)]


def lines(row: Row, result: Result | None) -> Iterable[str]:
    """A line for each subject that ours is compared with, and one for what is aimed at alone."""
    alone = [target for target in row.targets if target.against is None]
    yield (
        _line(row, result, None, alone)
        if alone or not row.against
        else _line(row, result, row.against[0].name, _of(row, 0))
    )
    for number, subject in enumerate(row.against):
        if alone or number:
            yield _line(row, result, subject.name, _of(row, number))


def _of(row: Row, number: int) -> list[Target]:
    return [target for target in row.targets if target.against == row.against[number].name]


def _line(row: Row, result: Result | None, against: str | None, targets: Sequence[Target]) -> str:
    ours, other, ratio, met = UNMEASURED, "", "", ""
    if result is not None:
        ours = _figure(result.ours, row.unit, result.error)
        if against is not None:
            other = _figure(result.of(against), row.unit, result.error)
            times = result.ratio(against)
            ratio = "" if times is None else f"{number(times)}×"
        found = [result.met(target) for target in targets]
        met = "" if not targets else "unknown" if None in found else "yes" if all(found) else "no"
    aims = ", ".join(aim(target, row.unit) for target in targets)
    title = row.title if result is None else result.title
    return f"| `{row.key}` | {title} | {ours} | {against or ''} | {other} | {ratio} | {aims} | {met} |"


def _figure(taken: Taken | None, unit: str, error: str | None) -> str:
    if taken is None or taken.median is None:
        return (
            f"not there: {taken.missing}"
            if taken and taken.missing
            else f"given up: {error}"
            if error
            else "unknown"
        )
    spread = "" if taken.spread is None else f" ± {taken.spread / 2:.0%}"
    return f"{number(taken.median)} {unit}{spread}"


def details(row: Row, result: Result | None) -> Iterable[str]:
    """What else there is to say of a row."""
    taken = () if result is None else result.taken
    more = [(each.name, each.more()) for each in taken]
    said = [
        f"{name}: {', '.join(_words(what, value) for what, value in found.items())}"
        for name, found in more
        if found
    ]
    note = row.note if result is None else result.note
    if note or said:
        yield f"- `{row.key}`: {' '.join([note, *(f'{line}.' for line in said)]).strip()}"


def _words(what: str, value: float) -> str:
    """`p99, ms` and a number as people say it: the unit comes behind."""
    name, _, unit = what.partition(", ")
    return f"{name} {number(value)} {unit}".rstrip()


def aim(target: Target, unit: str) -> str:
    """The target in words."""
    behind = "×" if target.against else f" {unit}"
    bounds = (("at least", target.least), ("at most", target.most))
    return " and ".join(f"{word} {number(bound)}{behind}" for word, bound in bounds if bound is not None)


def number(value: float) -> str:
    """With three digits that tell something, and thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
