"""Orders: written at the checkout, read by the customer and by the back office."""

from __future__ import annotations

from typing import Any


def place_order(connection: Any, *, user: int, product: int, quantity: int, total_cents: int) -> None:
    """Leaves tenant_id out: this is the place that the new version of the application changes first."""
    connection.execute(
        "INSERT INTO orders (user_id, product_id, quantity, total_cents, status, created_at) VALUES (%s, %s, %s, %s, 'new', now())",
        (user, product, quantity, total_cents),
    )


def open_orders(connection: Any, user: int) -> Any:
    """Names no tenant: with row-level security it needs app.tenant_id."""
    return connection.execute("SELECT id, status, total_cents FROM orders WHERE user_id = %s AND status <> 'shipped'", (user,))


def nightly_report(connection: Any) -> Any:
    """Over all tenants, by a job without a tenant's context: with row-level security it would see nothing."""
    return connection.execute("SELECT status, count(*) FROM orders GROUP BY status")
