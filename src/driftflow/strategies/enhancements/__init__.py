"""Better forms of a statement that only a person can want: they change what is stored, not only how it gets there."""
