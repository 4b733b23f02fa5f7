"""Throw-away servers: start one, load a schema, observe effects, and throw it away."""
