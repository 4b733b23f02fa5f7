"""How a throw-away PostgreSQL is configured: small, bounded, and able to do what the tests ask for."""

from __future__ import annotations

from collections.abc import Mapping

DISPOSABLE = "driftflow.disposable"
"""The mark in the server's own settings that says it may be thrown away: `SHOW driftflow.disposable` is `on`."""

DEFAULTS: Mapping[str, str] = {
    "wal_level": "logical",
    "max_prepared_transactions": "20",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "max_locks_per_transaction": "256",
    "max_wal_size": "512MB",
    # bounds: no statement runs for ever and none fills the disk
    "statement_timeout": "120s",
    "idle_in_transaction_session_timeout": "300s",
    "temp_file_limit": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%a ",
    "logging_collector": "off",
    "jit": "off",
    "dynamic_shared_memory_type": "posix",
    DISPOSABLE: "on",
}
FAST: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}
"""Safe against a crash of the server, not of the machine. Without synchronous_commit even an immediate stop would lose commits."""
DURABLE: Mapping[str, str] = {"fsync": "on", "full_page_writes": "on"}


def render(settings: Mapping[str, str]) -> str:
    """Lines for postgresql.conf."""
    return "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())
