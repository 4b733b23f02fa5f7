"""What `driftflow prove` shows: a plan carried out on throw-away copies of one start, each held against what it must equal."""
