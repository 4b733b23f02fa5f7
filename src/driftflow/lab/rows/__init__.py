"""Rows that nobody wrote: made in the server, for a schema that has none, as its types, constraints and statistics allow."""
