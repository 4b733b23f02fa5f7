SELECT schemaname AS schema, tablename AS table, attname AS column, null_frac::double precision AS null_fraction,
  n_distinct::double precision AS distinct, most_common_freqs::double precision[] AS frequencies
FROM pg_catalog.pg_stats
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_(toast|temp)'
-- A parent's own rows, and those of its children with it: the latter, where there are both, comes last and stays.
ORDER BY 1, 2, 3, inherited
