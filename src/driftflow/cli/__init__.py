"""The command line: one thin file per command, around them the frame (main, options, session, output)."""

from __future__ import annotations


class ReaderGone(Exception):
    """Whoever read standard output went away (head, a pager). Not an OSError: click would make an exit code of its own of that."""
