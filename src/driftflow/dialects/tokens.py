"""What the dialects that are read with a parser of our own share: tokens, and what is wrong with text that is none."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["word", "quoted", "string", "blob", "number", "variable", "operator"]


class Token(NamedTuple):
    """One token. `key` is what grammars compare: the upper-case word, the operator, and empty for everything else."""

    kind: Kind
    text: str
    start: int
    key: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class CommentToken(NamedTuple):
    """A comment of the source: its whole text, delimiters included, and where it starts."""

    text: str
    start: int


class TokenFault(Exception):
    """Text that the server's tokenizer does not read. `offset` is where it begins."""

    def __init__(self, message: str, offset: int, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.code = code


END = Token("operator", "", 0, "")
"""What a cursor sees behind the last token."""
