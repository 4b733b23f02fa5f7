"""New versions that sort right behind one migration and before the next."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator

from driftflow.errors import SourceError

STAMP = "%Y%m%d%H%M%S"
_PARTS_MAX = 999


def successors(version: str) -> Iterator[str]:
    """The next versions in the same form: a time goes on second by second, a number one by one with its leading zeros, dashes stay."""
    digits = re.sub(r"\D", "", version)
    at = _time(digits)
    for step in range(1, _PARTS_MAX):
        following = (at + datetime.timedelta(seconds=step)).strftime(STAMP) if at else str(int(digits) + step).zfill(len(digits))
        yield _dressed(following, version)


def between(version: str, count: int, *, fits: Callable[[str], bool], where: str, tool: str) -> list[str]:
    """`count` versions behind this one, each of which `fits` (sorts before the next migration). Raises SourceError (DF-E251) without room."""
    found: list[str] = []
    for candidate in successors(version):
        if len(found) == count:
            break
        if not fits(candidate):
            raise no_room(where, tool, count)
        found.append(candidate)
    return found


def no_room(where: str, tool: str, count: int) -> SourceError:
    return SourceError(
        "DF-E251",
        "there is no room for new versions behind the migration",
        where=where,
        why=f"{count} more {'file is' if count == 1 else 'files are'} needed, and {tool} would run them after the next migration",
        hint="give the next migration a later version (it must not be applied yet), or run the plan with driftflow apply",
    )


def _time(digits: str) -> datetime.datetime | None:
    if len(digits) != 14:
        return None
    try:
        return datetime.datetime.strptime(digits, STAMP).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def _dressed(digits: str, like: str) -> str:
    """The digits with the separators of `like`: 20240102000001 → 2024-01-02-000001."""
    if like.isdecimal():
        return digits
    rest = iter(digits)
    return "".join(next(rest) if character.isdecimal() else character for character in like)
