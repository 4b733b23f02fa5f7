"""The decorator that makes a function a check, and what it may say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding
from driftflow.plugins import register

CheckFunction = Callable[[Any, Situation], Iterator[Finding]]


def check(
    code: str, *, on: type | tuple[type, ...], page: str, title: str = "", dialects: tuple[str, ...] = ()
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check: `code` is `DF` and three digits, `on` the operations it looks at, `page` its page below docs/checks without `.md`.

    `dialects` narrows it to some vendors only where the fact does not exist elsewhere; what differs by version is a Capability.
    The function yields findings; code and page are filled in by whoever runs it.
    """
    kinds = on if isinstance(on, tuple) else (on,)
    return register("check", code, on=kinds, page=page, title=title, dialects=dialects)
