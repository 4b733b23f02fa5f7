"""What a trigger of ours says when it refuses a row: the error that the server's own constraint would give.

Source: MySQL 8.4 reference manual, "Server Error Message Reference" (3819); MariaDB documentation, "MariaDB Error Code Reference" (4025).
"""

from __future__ import annotations

from collections.abc import Mapping

CHECK_FAILED: Mapping[str, tuple[str, int, str]] = {
    "mysql": ("HY000", 3819, "Check constraint '{constraint}' is violated."),
    "mariadb": ("23000", 4025, "CONSTRAINT `{constraint}` failed for `{table}`"),
}
"""(SQLSTATE, number, message) of a broken CHECK, by dialect."""
MESSAGE_MOST = 128
"""Characters that MESSAGE_TEXT holds."""
