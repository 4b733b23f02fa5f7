"""The verbs of driftflow's directives, and what each of them takes: one grammar for whoever plans by them and whoever looks at them.

docs/directives.md describes each verb.
"""

from __future__ import annotations

from collections.abc import Mapping

from driftflow.config import nearest
from driftflow.dialects.directives import FILE_VERB
from driftflow.errors import ParseError
from driftflow.model.migration import Directive

VERBS: Mapping[str, tuple[str, ...]] = {
    "backfill": (
        "column",
        "columns",
        "set",
        "from",
        "on",
        "where",
        "csv",
        "query",
        "url-env",
        "key",
        "value",
        "match",
        "function",
        "inputs",
        "path",
        "delimiter",
        "null",
    ),
    "convert": ("zone", "format", "encoding", "back", "mojibake", "map", "schema"),
    "too-long": ("policy",),
    "dual-write": ("column", "set"),
    "verify": ("query", "expect", "summary"),
    "isolation-test": ("role", "setting", "own", "other", "table", "column"),
    "row-security": ("column", "variable", "view", "role"),
    "gate": ("name", "question"),
    "duplicates": ("keep", "by", "merge"),
    "nulls-not-distinct": (),
    "cascade": (),
    "archive": (),
    "orphans": ("action", "columns", "values"),
    "rule": ("existing", "python", "columns", "path", "new"),
    "polymorphic": ("type", "id", "targets", "on-delete"),
    "by-trigger": (),
    "soft-drop": ("until", "rename"),
    "if-unused": ("since", "evicted"),
    "rename": ("by",),
    "maintained": ("column", "set", "lookups"),
    "triggers": (),
    "small": (),
    "as-is": ("reason",),
}
"""The verbs that plans follow, and the options that each takes."""
OTHER_VERBS = ("file", "ignore")
"""Those of the readers and the checks."""
FILE_WORDS = ("ignore",)
FILE_OPTIONS = ("transaction",)
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "as-is": ("reason",),
    "verify": ("query",),
    "isolation-test": ("role", "setting", "own", "other"),
    "row-security": ("column", "variable", "view", "role"),
    "gate": ("name",),
    "soft-drop": ("until",),
    "if-unused": ("since",),
    "rename": ("by",),
}
_HINT = "driftflow's directives are described in docs/directives.md"


def check_words(directive: Directive) -> None:
    """Raise ParseError: DF-E216 for a verb that there is not, DF-E212 for an option that it has not, DF-E213 for one that is missing."""
    if directive.verb == FILE_VERB:
        _check_file(directive)
    elif directive.verb not in VERBS and directive.verb not in OTHER_VERBS:
        raise _unknown(directive, directive.verb, (*VERBS, *OTHER_VERBS))
    elif directive.verb in VERBS:
        options_of(directive)
        for option in _NEEDED.get(directive.verb, ()):
            need(directive, option)


def _check_file(directive: Directive) -> None:
    word = directive.arguments[0] if directive.arguments else ""
    if word in FILE_WORDS:
        return  # whoever is silenced by it reads the rest
    if word:
        raise _unknown(directive, f"{FILE_VERB} {word}", tuple(f"{FILE_VERB} {one}" for one in FILE_WORDS))
    for option in directive.options:
        if option not in FILE_OPTIONS:
            raise _no_option(directive, option, FILE_OPTIONS)


def options_of(directive: Directive) -> Mapping[str, str]:
    """The options of a directive of VERBS. Raises ParseError (DF-E212) for one that its verb does not take."""
    for option in directive.options:
        if option not in VERBS[directive.verb]:
            raise _no_option(directive, option, VERBS[directive.verb])
    return directive.options


def need(directive: Directive, option: str) -> str:
    """The option's value. Raises ParseError (DF-E213) where it is missing or empty."""
    value = directive.options.get(option, "")
    if not value:
        raise ParseError("DF-E213", f"the directive `{directive.verb}` needs `{option}`", where=str(directive.span), hint=_HINT)
    return value


def delimiter_of(directive: Directive) -> str:
    """What stands between the values of a CSV file. Raises ParseError (DF-E213) for anything but one character."""
    said = directive.options.get("delimiter", ",")
    delimiter = "\t" if said == "tab" else said
    if len(delimiter) == 1 and delimiter not in '"\r\n ':
        return delimiter
    raise ParseError(
        "DF-E213",
        f"the directive `{directive.verb}` cannot read a CSV file by `delimiter={said}`",
        where=str(directive.span),
        why="it is one character, and neither a quote nor a space",
        hint='write delimiter=";" or delimiter=tab',
    )


def _no_option(directive: Directive, option: str, known: tuple[str, ...]) -> ParseError:
    return ParseError(
        "DF-E212",
        f"the directive `{directive.verb}` has no option `{option}`",
        where=str(directive.span),
        why=f"it takes {', '.join(known)}" if known else "it takes no options",
        hint=_HINT,
    )


def _unknown(directive: Directive, word: str, known: tuple[str, ...]) -> ParseError:
    near = nearest(word, sorted(known))
    return ParseError(
        "DF-E216",
        f"there is no directive `{word}`",
        where=str(directive.span),
        why=f"known are {', '.join(sorted(known))}; one that is passed over in silence would be worse than an error",
        hint=f"did you mean {near}?" if near else "write what is no directive without `driftflow:`",
    )
