"""Variables in migration files, replaced before parsing while every position still points into the file as it is.

Three grammars: psql's `:NAME`, `:'NAME'`, `:"NAME"` (plain SQL files), Flyway's `${name}`, and the shell's `${NAME:-default}` (goose).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from driftflow.dialects.excerpt import excerpt_at
from driftflow.dialects.source_text import SourceText, Substitution
from driftflow.errors import SourceError
from driftflow.model.record import LocalValue
from driftflow.patterns import lazy_regex

_LEXEME = lazy_regex(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]++|\\.|'')*+'?)
    | (?P<literal>'[^']*+(?:''[^']*+)*+'?)
    | (?P<identifier>"[^"]*+(?:""[^"]*+)*+"?)
    | (?P<dollar>\$(?:[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][^\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*)?\$)
    | (?P<operator>::|:=)
    | (?P<variable>:(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|'(?P<as_literal>[A-Za-z0-9_]+)'|"(?P<as_identifier>[A-Za-z0-9_]+)"))
    | (?P<word>[\w][\w$]*)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# A cast may stand right before a variable: `(a, b):::SCHEMA.pair`. Behind a word, a bracket or a double quote it is a slice, or JSON.
_IN_BODY = lazy_regex(
    r"""(?:(?<!:)(?:::)+|(?<![\w:\])"]))
        (?P<variable>:(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|'(?P<as_literal>[A-Za-z0-9_]+)'|"(?P<as_identifier>[A-Za-z0-9_]+)"))""",
    re.VERBOSE,
)
_MAYBE = lazy_regex(r""":[A-Za-z_0-9'"]""")
"""What a variable ends in: the last of an odd number of colons, and a name or a quote."""
_FLYWAY_BUILT_IN = "flyway:"
_SHELL = lazy_regex(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<default>[^{}]*))?\}|(?P<bare>[A-Za-z_]\w*)|(?P<odd>.?))", re.DOTALL
)


class Replacement(LocalValue, frozen=True):
    """`text[start:end]` becomes `value`."""

    start: int
    end: int
    value: str


def substitute_psql(source: SourceText, variables: Mapping[str, str], *, bodies: bool = True) -> SourceText:
    """`:NAME` as it is, `:'NAME'` as a literal, `:"NAME"` as an identifier: outside quotes, comments, casts and array slices, as psql does.

    psql leaves dollar-quoted bodies alone. With `bodies` the variables that are set are replaced there too, as the tools do that ship such
    files (graphile-worker); an unknown name in a body is never an error, since the body may be in any language. Raises SourceError (DF-E229)
    for unknown names, all of them at once.
    """
    if not any(_is_odd(source.text, match.start()) for match in _MAYBE.finditer(source.text)):
        return source
    replacements: list[Replacement] = []
    unknown = _Unknown(source)
    for match, in_body in _references(source.text, variables, bodies=bodies):
        name = match["plain"] or match["as_literal"] or match["as_identifier"]
        if name in variables:
            replacements.append(Replacement(match.start("variable"), match.end("variable"), _rendered(match, variables[name])))
        elif not in_body:
            unknown.add(match.start("variable"), name=name, shown=match["variable"])
    unknown.settle()
    return replaced(source, replacements)


def _is_odd(text: str, at: int) -> bool:
    """Whether the colon there is the last of an odd number: two and two are casts."""
    first = at
    while first and text[first - 1] == ":":
        first -= 1
    return (at - first) % 2 == 0


def substitute_flyway(source: SourceText, variables: Mapping[str, str], *, prefix: str = "${", suffix: str = "}") -> SourceText:
    """`${name}` anywhere, quotes and comments included, as Flyway does; names in any case. Raises SourceError (DF-E229) for unknown names."""
    known = {name.lower(): value for name, value in variables.items()}
    replacements: list[Replacement] = []
    unknown = _Unknown(source)
    for start, end in _placeholders(source.text, prefix, suffix):
        name = source.text[start + len(prefix) : end - len(suffix)]
        value = known.get(name.lower())
        if value is None:
            unknown.add(start, name=name, shown=source.text[start:end])
        else:
            replacements.append(Replacement(start, end, value))
    unknown.settle()
    return replaced(source, replacements)


_BLANK = lazy_regex(r"\s")


def _placeholders(text: str, prefix: str, suffix: str) -> Iterator[tuple[int, int]]:
    """From each prefix to the next suffix, where no white space stands between. Every character is looked at once, however many prefixes there are."""
    at = close = blank = -1
    while (at := text.find(prefix, max(at, 0))) >= 0:
        inside = at + len(prefix)
        if close < inside and (close := text.find(suffix, inside)) < 0:
            return
        if blank < inside:
            found = _BLANK.search(text, inside)
            blank = found.start() if found is not None else len(text)
        if close < blank:
            yield at, close + len(suffix)
            at = close + len(suffix)
        else:
            at += 1


def substitute_shell(source: SourceText, variables: Mapping[str, str], regions: Sequence[tuple[int, int]]) -> SourceText:
    """`$NAME`, `${NAME}`, `${NAME:-default}` inside the regions (goose's ENVSUB). The environment is never read: values come from the config.

    Raises SourceError: DF-E229 for a name that is not set (goose would put nothing in its place), DF-E239 for a form that only a shell knows.
    """
    replacements: list[Replacement] = []
    unknown = _Unknown(source)
    for start, end in regions:
        for match in _SHELL.finditer(source.text, start, end):
            name = match["braced"] or match["bare"]
            if not name:
                unknown.odd(match.start())
            elif name in variables or match["default"] is not None:
                replacements.append(Replacement(match.start(), match.end(), variables.get(name) or match["default"] or ""))
            else:
                unknown.add(match.start(), name=name, shown=match[0])
    unknown.settle()
    return replaced(source, replacements)


def replaced(source: SourceText, replacements: Sequence[Replacement]) -> SourceText:
    """The source with the replacements made (in order, not overlapping), and their places remembered."""
    if not replacements:
        return source
    pieces: list[str] = []
    substitutions: list[Substitution] = list(source.substitutions)
    at = length = 0
    for one in replacements:
        between = source.text[at : one.start]
        start = source.original_offset(one.start)
        text_start = length + len(between)
        pieces += [between, one.value]
        length = text_start + len(one.value)
        substitutions.append(Substitution(start=start, end=start + one.end - one.start, text_start=text_start, text_end=length))
        at = one.end
    pieces.append(source.text[at:])
    original = source.text if source.original is None else source.original
    return SourceText(
        text="".join(pieces),
        file=source.file,
        original=original,
        substitutions=tuple(substitutions),
        base_line=source.base_line,
        base_offset=source.base_offset,
        line_starts=source.line_starts,
    )


def _references(text: str, variables: Mapping[str, str], *, bodies: bool) -> Iterator[tuple[re.Match[str], bool]]:
    at = 0
    brackets = 0
    operand = False
    last = ""
    """The last character that is neither blank nor comment."""
    while match := _LEXEME.match(text, at):
        at = match.end()
        kind = match.lastgroup if match["variable"] is None else "variable"
        match kind:
            case "block":
                at = _after_block(text, match.start())
                continue
            case "space" | "comment":
                continue
            case "dollar":
                end = text.find(match[0], at)
                stop = end if end >= 0 else len(text)
                if bodies and variables:
                    yield from ((found, True) for found in _IN_BODY.finditer(text, at, stop))
                at = stop + (len(match[0]) if end >= 0 else 0)
            case "variable" if not (brackets and _is_slice(match, opening=last == "[", operand=operand, variables=variables)):
                yield match, False
        last = match[0][-1]
        brackets += (match[0] == "[") - (match[0] == "]" and brackets > 0)
        operand = kind in {"word", "literal", "escaped", "identifier", "dollar", "variable"} or match[0] in {")", "]"}


def _is_slice(match: re.Match[str], *, opening: bool, operand: bool, variables: Mapping[str, str]) -> bool:
    """`a[1:n]` has a bound before the colon; `a[:n]` looks like a variable in an ARRAY, and is one when that name is set."""
    return operand or (opening and match["plain"] is not None and match["plain"] not in variables)


def _after_block(text: str, start: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _rendered(match: re.Match[str], value: str) -> str:
    if match["as_literal"]:
        quoted = value.replace("'", "''")
        return f" E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in value else f"'{quoted}'"
    if match["as_identifier"]:
        return '"' + value.replace('"', '""') + '"'
    return value


FAULTS_MAX = 100
"""Of one file. A file of another grammar may hold a million, and nobody reads them."""


class _Unknown:
    """What cannot be replaced in one file, each name once."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._names: set[str] = set()
        self._found: list[SourceError] = []

    def add(self, at: int, *, name: str, shown: str) -> None:
        if name in self._names or len(self._found) >= FAULTS_MAX:
            return
        self._names.add(name)
        built_in = name.lower().startswith(_FLYWAY_BUILT_IN)
        key = f'"{name}"' if not re.fullmatch(r"[A-Za-z0-9_-]+", name) else name
        self._found.append(
            SourceError(
                "DF-E229",
                f"the variable {_short(shown)} has no value",
                where=excerpt_at(self._source, at),
                why="Flyway itself knows it, driftflow does not" if built_in else f"{_short(name)} is not set for this source",
                hint=f'add {_short(key)} = "..." to [sources.NAME.variables] of driftflow.toml',
            )
        )

    def odd(self, at: int) -> None:
        """A `$` that begins no variable."""
        if len(self._found) < FAULTS_MAX:
            self._found.append(
                SourceError(
                    "DF-E239",
                    "a `$` that is not a variable stands where ENVSUB is on",
                    where=excerpt_at(self._source, at),
                    why="goose would read it as a shell expansion, and change it",
                    hint="turn substitution off around it: -- +goose ENVSUB OFF",
                )
            )

    def settle(self) -> None:
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise ExceptionGroup(f"{len(self._found)} variables cannot be replaced", self._found)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
