-- Counters since the server's statistics were reset; two samples give a rate.
select
    schemaname as schema,
    relname as name,
    n_tup_ins + n_tup_upd + n_tup_del as writes,
    seq_scan + coalesce(idx_scan, 0) as reads,
    extract(epoch from clock_timestamp())::float8 as at
from pg_stat_user_tables
