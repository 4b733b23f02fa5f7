"""Variables in migration files, replaced before parsing while every position still points into the file as it is.

Three grammars: psql's `:NAME`, `:'NAME'`, `:"NAME"` (plain SQL files), Flyway's `${name}`, and the shell's `${NAME:-default}` (goose).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftflow.dialects.excerpt import excerpt_at
from driftflow.dialects.source_text import SourceText, Substitution
from driftflow.errors import SourceError

_LEXEME = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*'?)
    | (?P<literal>'(?:[^']|'')*'?)
    | (?P<identifier>"(?:[^"]|"")*"?)
    | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
    | (?P<operator>::|:=)
    | (?P<variable>:(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|'(?P<as_literal>[A-Za-z0-9_]+)'|"(?P<as_identifier>[A-Za-z0-9_]+)"))
    | (?P<word>[\w][\w$]*)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# A cast may stand right before a variable: `(a, b):::SCHEMA.pair`. Behind a word, a bracket or a double quote it is a slice, or JSON.
_IN_BODY = re.compile(
    r"""(?:(?<!:)(?:::)+|(?<![\w:\])"]))
        (?P<variable>:(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|'(?P<as_literal>[A-Za-z0-9_]+)'|"(?P<as_identifier>[A-Za-z0-9_]+)"))""",
    re.VERBOSE,
)
_FLYWAY_BUILT_IN = "flyway:"
_SHELL = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<default>[^{}]*))?\}|(?P<bare>[A-Za-z_]\w*)|(?P<odd>.?))", re.DOTALL
)


@dataclass(frozen=True)
class Replacement:
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
    replacements: list[Replacement] = []
    unknown: list[SourceError] = []
    for match, in_body in _references(source.text, variables, bodies=bodies):
        name = match["plain"] or match["as_literal"] or match["as_identifier"]
        if name in variables:
            replacements.append(Replacement(match.start("variable"), match.end("variable"), _rendered(match, variables[name])))
        elif not in_body:
            unknown.append(_unknown(source, match.start("variable"), name=name, shown=match["variable"]))
    _raise_all(unknown)
    return replaced(source, replacements)


def substitute_flyway(source: SourceText, variables: Mapping[str, str], *, prefix: str = "${", suffix: str = "}") -> SourceText:
    """`${name}` anywhere, quotes and comments included, as Flyway does; names in any case. Raises SourceError (DF-E229) for unknown names."""
    known = {name.lower(): value for name, value in variables.items()}
    pattern = re.compile(re.escape(prefix) + r"(?P<name>[^\s]*?)" + re.escape(suffix))
    replacements: list[Replacement] = []
    unknown: list[SourceError] = []
    for match in pattern.finditer(source.text):
        value = known.get(match["name"].lower())
        if value is None:
            unknown.append(_unknown(source, match.start(), name=match["name"], shown=match[0]))
        else:
            replacements.append(Replacement(match.start(), match.end(), value))
    _raise_all(unknown)
    return replaced(source, replacements)


def substitute_shell(source: SourceText, variables: Mapping[str, str], regions: Sequence[tuple[int, int]]) -> SourceText:
    """`$NAME`, `${NAME}`, `${NAME:-default}` inside the regions (goose's ENVSUB). The environment is never read: values come from the config.

    Raises SourceError: DF-E229 for a name that is not set (goose would put nothing in its place), DF-E239 for a form that only a shell knows.
    """
    replacements: list[Replacement] = []
    faults: list[SourceError] = []
    for start, end in regions:
        for match in _SHELL.finditer(source.text, start, end):
            name = match["braced"] or match["bare"]
            if not name:
                faults.append(
                    SourceError(
                        "DF-E239",
                        "a `$` that is not a variable stands where ENVSUB is on",
                        where=excerpt_at(source, match.start()),
                        why="goose would read it as a shell expansion, and change it",
                        hint="turn substitution off around it: -- +goose ENVSUB OFF",
                    )
                )
            elif name in variables or match["default"] is not None:
                replacements.append(Replacement(match.start(), match.end(), variables.get(name) or match["default"] or ""))
            else:
                faults.append(_unknown(source, match.start(), name=name, shown=match[0]))
    _raise_all(faults)
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
    )


def _references(text: str, variables: Mapping[str, str], *, bodies: bool) -> Iterator[tuple[re.Match[str], bool]]:
    at = 0
    brackets = 0
    operand = False
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
                body = text[: end if end >= 0 else len(text)]
                if bodies and variables:
                    yield from ((found, True) for found in _IN_BODY.finditer(body, at))
                at = len(body) + (len(match[0]) if end >= 0 else 0)
            case "variable" if not (brackets and _is_slice(match, text, operand=operand, variables=variables)):
                yield match, False
        brackets += (match[0] == "[") - (match[0] == "]" and brackets > 0)
        operand = kind in {"word", "literal", "escaped", "identifier", "dollar", "variable"} or match[0] in {")", "]"}


def _is_slice(match: re.Match[str], text: str, *, operand: bool, variables: Mapping[str, str]) -> bool:
    """`a[1:n]` has a bound before the colon; `a[:n]` looks like a variable in an ARRAY, and is one when that name is set."""
    opening = text[: match.start("variable")].rstrip().endswith("[")
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


def _unknown(source: SourceText, at: int, *, name: str, shown: str) -> SourceError:
    built_in = name.lower().startswith(_FLYWAY_BUILT_IN)
    key = f'"{name}"' if not re.fullmatch(r"[A-Za-z0-9_-]+", name) else name
    return SourceError(
        "DF-E229",
        f"the variable {shown} has no value",
        where=excerpt_at(source, at),
        why="Flyway itself knows it, driftflow does not" if built_in else f"{name} is not set for this source",
        hint=f'add {key} = "..." to [sources.NAME.variables] of driftflow.toml',
    )


def _raise_all(faults: list[SourceError]) -> None:
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise ExceptionGroup(f"{len(faults)} variables cannot be replaced", faults)
