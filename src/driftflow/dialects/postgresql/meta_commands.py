"""psql's backslash commands: not SQL, and not run by driftflow. Each says what to write instead."""

from __future__ import annotations

from driftflow.patterns import lazy_regex

_COMMAND = lazy_regex(r"\\(\.|[A-Za-z!?]+\+?|)")

_INSTEAD: dict[str, str] = {
    "connect": "one migration runs on one database: give the database in the URL",
    "include": "put the included file's statements into the migration, or make it a migration of its own",
    "set": "give the variable in driftflow.toml under [source.variables], or write the value",
    "copy": "use INSERT, or the directive `-- driftflow: backfill column=NAME csv=FILE key=ID value=NAME match=ID` on ADD COLUMN",
    "if": "write a migration without conditions, or a DO block",
    "echo": "remove the line: it only prints",
    "gexec": "write the statements out, or use a DO block with EXECUTE",
    "timing": "remove the line: it only changes what psql shows",
    "restrict": "remove the line: pg_dump writes it to guard psql, and plain SQL does not need it",
    ".": "a line `\\.` ends the data of COPY ... FROM stdin, and no such COPY is open here",
}

_ALIASES: dict[str, str] = {
    "c": "connect",
    "i": "include",
    "ir": "include",
    "include_relative": "include",
    "unset": "set",
    "gset": "set",
    "elif": "if",
    "else": "if",
    "endif": "if",
    "qecho": "echo",
    "warn": "echo",
    "pset": "timing",
    "x": "timing",
    "t": "timing",
    "a": "timing",
    "o": "timing",
    "unrestrict": "restrict",
}


def explain_meta_command(line: str) -> tuple[str, str, str]:
    """(the command, why it is refused, what to do) for the text from a backslash to the end of its line."""
    match = _COMMAND.match(line)
    name = match[1] if match is not None else ""
    if not name:
        return "\\", "a backslash outside of quotes is not SQL", "correct the file, then run the command again"
    hint = _INSTEAD.get(_ALIASES.get(name, name), "remove the line, or write it as SQL")
    why = "backslash commands are run by psql itself, never by the server; driftflow does not run them"
    return f"\\{name}", why, hint
