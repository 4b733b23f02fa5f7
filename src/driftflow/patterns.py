"""Regular expressions that are compiled when they are first asked.

A lint of one file imports more than a hundred of them, asks two dozen, and compiling takes up to a millisecond each: they were a tenth of such a process.
"""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")


def lazy_regex(text: str, flags: int | re.RegexFlag = 0) -> re.Pattern[str]:
    """What `re.compile` gives, for a pattern at the top of a module. What is wrong with it (`re.error`) is raised when it is first used."""
    return cast("re.Pattern[str]", _Later(text, flags))


class _Later:
    def __init__(self, text: str, flags: int | re.RegexFlag) -> None:
        self._asked = (text, flags)

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet: from then on a method of the pattern costs what it costs there."""
        compiled = re.compile(*self._asked)
        vars(self).update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)
