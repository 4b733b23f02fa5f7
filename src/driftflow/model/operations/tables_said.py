"""A new name of a table in a text that says it without its schema, as views, triggers and expressions of SQLite do: where a relation is meant, and where
it tells whose column is meant. An alias or a WITH of the same name is somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from driftflow.model.operations.identifiers import Token, tokens_of

Part: TypeAlias = "Token | list[Part]"
"""One token, or what stands between parentheses."""

END = Token("other", "")
OPENS_QUERY = frozenset({"select", "values", "with"})
ENDS_FROM = frozenset({"where", "group", "having", "window", "order", "limit", "returning", "set", "select", "values"})
ENDS_SELECT = frozenset({"union", "intersect", "except"})
CONFLICT = frozenset({"abort", "fail", "ignore", "replace", "rollback"})


def rename_said(text: str, old: str, new: str) -> str:
    """The text, in whatever letters it says the name."""
    tokens = tokens_of(text)
    _Renaming(old, new).level(_nested(iter([token for token in tokens if token.kind not in {"space", "comment"}])))
    return "".join(token.text for token in tokens)


def _nested(tokens: Iterator[Token]) -> list[Part]:
    parts: list[Part] = []
    for token in tokens:
        if token.text == ")":
            break
        parts.append(_nested(tokens) if token.text == "(" else token)
    return parts


class _Renaming:
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def level(self, parts: list[Part], *, hidden: bool = False, taken: bool = False, joined: bool = False) -> None:
        """Several statements, or what parentheses hold. `hidden`: an alias outside has the name; `taken`: a WITH has it; `joined`: a relation comes first."""
        begin = 0
        for end in [*(place for place, part in enumerate(parts) if _word(part) == ";"), len(parts)]:
            statement = parts[begin:end]
            self._statement(statement, hidden=hidden, taken=taken or self._defined(statement), joined=joined)
            begin = end + 1

    def _statement(self, parts: list[Part], *, hidden: bool, taken: bool, joined: bool) -> None:
        begin = 0
        for end in [*(place for place, part in enumerate(parts) if _word(part) in ENDS_SELECT), len(parts)]:
            self._select(parts[begin:end], hidden=hidden, taken=taken, joined=joined and begin == 0)
            begin = end + 1

    def _select(self, parts: list[Part], *, hidden: bool, taken: bool, joined: bool) -> None:
        places = list(_relations(parts, joined=joined))
        meant = [place for place in places if self._is_old(parts, place, taken=taken)]
        for place in meant:
            self._rename(parts[_last(parts, place)])
        if any(self._alias(parts, place) for place in places) or (taken and any(self._named(parts, place) for place in places)):
            hidden = True
        elif any(not _has_alias(parts, place) for place in meant):
            hidden = False
        for place, part in enumerate(parts):
            if isinstance(part, list):
                inner = place in places and _word(_at(part, 0)) not in OPENS_QUERY
                self.level(part, hidden=hidden, taken=taken, joined=inner)
            elif not hidden and part.means(self.old, any_case=True) and self._qualifies(parts, place):
                self._rename(part)

    def _rename(self, part: Part) -> None:
        assert isinstance(part, Token)
        part.renamed(self.new, any_case=True)

    def _named(self, parts: list[Part], place: int) -> bool:
        part = parts[place]
        return isinstance(part, Token) and part.means(self.old, any_case=True)

    def _is_old(self, parts: list[Part], place: int, *, taken: bool) -> bool:
        """The relation at this place is the table: alone, or behind the schema `main`."""
        last = _last(parts, place)
        if not self._named(parts, last) or (isinstance(_at(parts, last + 1), list) and not _takes_columns(parts, place)):
            return False
        return _word(parts[place]).strip('"`[]') == "main" if last != place else not taken

    def _alias(self, parts: list[Part], place: int) -> bool:
        """What is read there goes by the name, and is something else."""
        behind = _behind(parts, place)
        return behind < len(parts) and self._named(parts, behind)

    def _qualifies(self, parts: list[Part], place: int) -> bool:
        before = _word(_at(parts, place - 1))
        if before == ".":
            return False
        return _word(_at(parts, place + 1)) == "."

    def _defined(self, parts: list[Part]) -> bool:
        """Whether a WITH of this statement gives the name to a query of its own."""
        words = [_word(part) for part in parts]
        if "with" not in words:
            return False
        place = words.index("with") + 1
        place += words[place : place + 1] == ["recursive"]
        while place < len(parts):
            if self._named(parts, place):
                return True
            place += 1
            while place < len(parts) and (isinstance(parts[place], list) or words[place] in {"as", "not", "materialized"}):
                place += 1
            if words[place : place + 1] != [","]:
                return False
            place += 1
        return False


def _relations(parts: list[Part], *, joined: bool) -> Iterator[int]:
    """Where a relation is named, or a query or join stands in the place of one."""
    in_from = expecting = joined
    head = [_word(part) for part in parts[:3]]
    in_head = head[:1] == ["create"] and bool({"trigger", "index"} & {*head})
    for place, part in enumerate(parts):
        word, before = _word(part), _word(_at(parts, place - 1))
        if expecting:
            if word == "or" or (before == "or" and word in CONFLICT):
                continue
            if before != "in" or isinstance(part, Token):
                yield place
            expecting = False
        elif word == "from" and before != "distinct":
            in_from = expecting = True
        elif word == "join" or (word == "," and in_from):
            expecting = in_from
        elif word in {"into", "in"} or (word == "update" and not (in_head or before == "do")):
            expecting = True
        elif word == "on" and in_head:
            in_head, expecting = False, True
        elif word in ENDS_FROM:
            in_from = False


def _takes_columns(parts: list[Part], place: int) -> bool:
    """Parentheses behind a table to insert into, or of an index, name columns; else they are the arguments of a function."""
    return _word(_at(parts, place - 1)) in {"into", "on"}


def _last(parts: list[Part], place: int) -> int:
    return place + 2 if _word(_at(parts, place + 1)) == "." else place


def _behind(parts: list[Part], place: int) -> int:
    """Where an alias would stand."""
    at = _last(parts, place) + 1
    if isinstance(_at(parts, at), list) and not _takes_columns(parts, place):
        at += 1
    return at + (_word(_at(parts, at)) == "as")


def _has_alias(parts: list[Part], place: int) -> bool:
    behind = _behind(parts, place)
    return _word(_at(parts, behind - 1)) == "as"


def _at(parts: list[Part], place: int) -> Part:
    return parts[place] if 0 <= place < len(parts) else END


def _word(part: Part) -> str:
    return part.text.lower() if isinstance(part, Token) else ""
