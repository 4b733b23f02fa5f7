"""What a server's error message, or its warning, says of values of rows, left out: it goes to terminals, to logs and into the journal."""

from __future__ import annotations

import re

_MYSQL: dict[str, tuple[str, str]] = {
    "1062": (r"entry '.*' for key", "entry for key"),
    "1586": (r"entry '.*' for key", "entry for key"),
    "1526": (r"for value .*", "for a value"),
    "1300": (r"string: '.*'", "string"),
    "1918": (r"illegal value '.*' when", "illegal value when"),
    **dict.fromkeys(("1292", "1366", "1411", "1525"), (r"value: '.*'(?= for (?:column|function)\b|$)", "value")),
}
"""By error number: the part that holds values, and what is said instead. The same on MySQL and MariaDB."""


def without_values(code: str, text: str) -> str:
    """A message or its detail; `code` is the SQLSTATE of PostgreSQL or the number of MySQL and MariaDB. SQLite's messages name columns alone."""
    if code in _MYSQL:
        pattern, instead = _MYSQL[code]
        return re.sub(pattern, instead, text, flags=re.DOTALL)
    sqlstate_class = code[:2] if len(code) == 5 else ""
    if sqlstate_class == "22":  # data exceptions: the value stands in quotes, or is what could not be read as bytes
        return re.sub(r": 0x.*$", "", re.sub(r'(?:: | )?".*"', "", text, flags=re.DOTALL)).strip()
    if sqlstate_class == "23":  # integrity: `Key (email)=(...) already exists`, `Failing row contains (...)`
        return re.sub(r"contains \(.*\)", "is not shown", re.sub(r"\)=\(.*\)", ")", text, flags=re.DOTALL), flags=re.DOTALL)
    return text
