-- Tables: ordinary, partitioned, foreign. Sizes are not asked of a relation that is locked ACCESS EXCLUSIVE now: the question would wait.
with locked as materialized (
    select relation
    from pg_locks
    where granted and mode = 'AccessExclusiveLock' and pid <> pg_backend_pid()
        and database = (select oid from pg_database where datname = current_database())
)
select
    n.nspname as schema,
    c.relname as name,
    c.relkind::text as kind,
    c.relpersistence::text as persistence,
    pg_get_userbyid(c.relowner) as owner,
    c.reloptions as options,
    toast.reloptions as toast_options,
    coalesce(space.spcname, '') as tablespace,
    coalesce(method.amname, '') as access_method,
    c.relreplident::text as replica_identity,
    case when c.reloftype <> 0 then format_type(c.reloftype, null) else '' end as of_type,
    c.relrowsecurity as row_security,
    c.relforcerowsecurity as row_security_forced,
    c.relacl::text[] as acl,
    case c.relkind when 'p' then pg_get_partkeydef(c.oid) end as partition_key,
    case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end as partition_bound,
    (
        select jsonb_agg(jsonb_build_array(pn.nspname, p.relname) order by i.inhseqno)
        from pg_inherits i
        join pg_class p on p.oid = i.inhparent
        join pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid
    ) as parents,
    c.reltuples as row_estimate,
    c.relpages as pages,
    case when c.relkind = 'r' and locked.relation is null then pg_relation_size(c.oid) end as heap_bytes,
    case when c.relkind = 'r' and locked.relation is null then pg_table_size(c.oid) end as table_bytes,
    case when c.relkind = 'r' and locked.relation is null then pg_total_relation_size(c.oid) end as bytes,
    pg_stat_get_live_tuples(c.oid) as live_rows,
    to_char(
        greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) at time zone 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS"Z"'
    ) as last_analyze,
    has_table_privilege(c.oid, 'SELECT') or has_any_column_privilege(c.oid, 'SELECT') as readable,
    note.description as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_class toast on toast.oid = c.reltoastrelid
left join pg_tablespace space on space.oid = c.reltablespace
left join pg_am method on method.oid = c.relam
left join locked on locked.relation = c.oid
left join pg_description note on note.classoid = 'pg_class'::regclass and note.objoid = c.oid and note.objsubid = 0
where c.relkind in ('r', 'p', 'f')
    and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
order by n.nspname, c.relname
