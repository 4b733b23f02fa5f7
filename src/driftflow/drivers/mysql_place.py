"""Where a MySQL or MariaDB database is and how to get in: from the URL, the environment and option files, in this order.

`mysql://user@host:3306/database?ssl_mode=VERIFY_IDENTITY&ssl_ca=/etc/ca.pem`, or `?unix_socket=/run/mysqld/mysqld.sock`. SQLAlchemy's
spellings of the same options are understood. A password comes from the URL, a password command, MYSQL_PWD, or `[client]` of `~/.my.cnf`.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from driftflow.errors import ConfigError
from driftflow.model.record import Record, replace

TlsMode = Literal["DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"]
MODES: Mapping[str, TlsMode] = {
    "disabled": "DISABLED",
    "disable": "DISABLED",
    "preferred": "PREFERRED",
    "prefer": "PREFERRED",
    "required": "REQUIRED",
    "require": "REQUIRED",
    "verify_ca": "VERIFY_CA",
    "verify_identity": "VERIFY_IDENTITY",
    "verify_full": "VERIFY_IDENTITY",
}
TRUE = frozenset({"1", "true", "yes", "on", ""})
UNHEEDED = frozenset(
    {"charset", "collation", "use_unicode", "autocommit", "local_infile", "program_name", "client_flag", "encoding"}
)
"""What applications put into their URLs and a migration decides for itself."""
GROUPS = ("client", "client-server", "client-mariadb", "driftflow")
"""Of option files; a later group wins."""


class Place(Record, frozen=True, kw_only=True):
    """A URL taken apart. `repr` never shows the password."""

    scheme: Literal["mysql", "mariadb"]
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    database: str = ""
    socket: str = ""
    tls: TlsMode = "PREFERRED"
    ca: str = ""
    certificate: str = ""
    key: str = ""
    option_file: str = ""

    def __repr__(self) -> str:
        return f"Place({self.display!r})"

    @property
    def display(self) -> str:
        """The URL without its secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        where = (f"{quote(self.user)}@" if self.user else "") + host + (f":{self.port}" if self.port else "")
        shown = [
            (name, value)
            for name, value in (
                ("unix_socket", self.socket),
                ("ssl_mode", "" if self.tls == "PREFERRED" else self.tls),
                ("ssl_ca", self.ca),
            )
            if value
        ]
        return f"{self.scheme}://{where}/{quote(self.database)}" + (
            f"?{urlencode(shown, quote_via=quote, safe='/')}" if shown else ""
        )


def place_of(url: str) -> Place:
    """Raises ConfigError, never repeating the URL's secret."""
    scheme, _, _ = url.partition(":")
    vendor: Literal["mysql", "mariadb"] = "mariadb" if scheme.lower().partition("+")[0] == "mariadb" else "mysql"
    try:
        parts = urlsplit(url)
        port = parts.port or 0
        host = parts.hostname or ""
    except ValueError as fault:
        why = (
            "the port is not a number"
            if "port" in str(fault).lower()
            else "host or user name is malformed (is '@', '/' or '[' percent-encoded?)"
        )
        raise ConfigError(
            "DF-E112", "the database URL cannot be read", why=why, hint=f"{vendor}://user@host:3306/database"
        ) from None
    place = Place(
        scheme=vendor,
        host=unquote(host),
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")),
    )
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        place = _with_option(place, name.lower().replace("-", "_"), value)
    return place


def _with_option(place: Place, name: str, value: str) -> Place:
    on = value.lower() in TRUE
    match name:
        case "unix_socket" | "socket":
            return replace(place, socket=value)
        case "ssl_mode" | "sslmode" | "tls" | "tls_mode":
            mode = MODES.get(value.lower().replace("-", "_"))
            if mode is None:
                raise _unknown(name, f"it knows {', '.join(dict.fromkeys(MODES.values()))}")
            return replace(place, tls=mode)
        case "ssl_ca":
            return replace(place, ca=value, tls="VERIFY_CA" if place.tls == "PREFERRED" else place.tls)
        case "ssl_cert":
            return replace(place, certificate=value, tls="REQUIRED" if place.tls == "PREFERRED" else place.tls)
        case "ssl_key":
            return replace(place, key=value)
        case "ssl_disabled":
            return replace(place, tls="DISABLED") if on else place
        case "ssl" | "use_ssl" | "usessl":
            return replace(place, tls="REQUIRED" if on else "DISABLED") if place.tls == "PREFERRED" else place
        case "ssl_verify_cert":
            return replace(place, tls="VERIFY_CA") if on and place.tls != "VERIFY_IDENTITY" else place
        case "ssl_verify_identity" | "ssl_check_hostname":
            return replace(place, tls="VERIFY_IDENTITY") if on else place
        case "read_default_file" | "option_file":
            return replace(place, option_file=value)
        case "user":
            return replace(place, user=place.user or value)
        case "password":
            return replace(place, password=place.password or value)
        case _ if name in UNHEEDED or name.startswith("pool"):
            return place
        case _:
            raise _unknown(name, "it is none that driftflow understands")


def _unknown(name: str, why: str) -> ConfigError:
    return ConfigError(
        "DF-E118", f"the URL's option {name!r} cannot be used", why=why,
        hint="ssl_mode, ssl_ca, ssl_cert, ssl_key, unix_socket and read_default_file are",
    )  # fmt: skip


def completed(place: Place, *, secret: str, environment: Mapping[str, str], home: Path) -> Place:
    """What the URL leaves open, from a password that was asked for, the environment, and the option files."""
    said = _options(
        Path(place.option_file).expanduser() if place.option_file else home / ".my.cnf", wanted=bool(place.option_file)
    )
    socket = place.socket or ("" if place.host else environment.get("MYSQL_UNIX_PORT", "") or said.get("socket", ""))
    port = place.port or _number(environment.get("MYSQL_TCP_PORT", "")) or _number(said.get("port", "")) or 3306
    place = replace(
        place,
        user=place.user or said.get("user", "") or environment.get("USER", ""),
        password=place.password or secret or environment.get("MYSQL_PWD", "") or said.get("password", ""),
        host=place.host or environment.get("MYSQL_HOST", "") or said.get("host", "") or "localhost",
        socket=socket,
        port=port,
    )
    for option in ("ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"):
        if option in said and place.tls == "PREFERRED":
            place = _with_option(place, option.replace("-", "_"), said[option])
    return place


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _options(file: Path, *, wanted: bool) -> Mapping[str, str]:
    """What the client groups of an option file say. One that is not there is no fault, unless it was named."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError as fault:
        if wanted:
            raise ConfigError(
                "DF-E119", "the option file cannot be read", where=str(file), why=str(fault), hint=f"ls -l {file}"
            ) from None
        return {}
    parser = configparser.RawConfigParser(allow_no_value=True, strict=False, comment_prefixes=("#", ";"))
    try:
        parser.read_string("\n".join(line for line in lines if not line.lstrip().startswith("!")))
    except configparser.Error:
        raise ConfigError(
            "DF-E119", "the option file cannot be read", where=str(file), why="it has a line that is neither a group nor an option",
            hint=f"my_print_defaults --defaults-file={file} client",
        ) from None  # fmt: skip
    return dict(_of_groups(parser))


def _of_groups(parser: configparser.RawConfigParser) -> Iterator[tuple[str, str]]:
    for group in GROUPS:
        if parser.has_section(group):
            for name, value in parser.items(group):
                text = (value or "").strip()
                if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
                    text = text[1:-1]
                yield name.replace("_", "-"), text
