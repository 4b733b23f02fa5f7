-- Constraints of tables. What PostgreSQL makes for itself on the referencing side of a partitioned referenced table is left out.
select
    n.nspname as schema,
    c.relname as relation,
    con.conname as name,
    con.contype::text as kind,
    con.condeferrable as deferrable,
    con.condeferred as initially_deferred,
    con.convalidated as validated,
    con.conenforced as enforced, -- since 18
    true as enforced, -- before 18
    con.connoinherit as no_inherit,
    (
        select array_agg(a.attname::text order by k.position)
        from unnest(con.conkey) with ordinality as k (number, position)
        join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.number
    ) as columns,
    (
        select array_agg(a.attname::text order by k.position)
        from unnest(i.indkey) with ordinality as k (number, position)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
        where k.position > i.indnkeyatts
    ) as include,
    i.indnullsnotdistinct as nulls_not_distinct, -- since 15
    false as nulls_not_distinct, -- before 15
    con.conperiod as period, -- since 18
    false as period, -- before 18
    case con.contype when 'c' then pg_get_expr(con.conbin, con.conrelid) end as expression,
    case when con.contype = 'x' then pg_get_constraintdef(con.oid) end as definition,
    fn.nspname as referenced_schema,
    f.relname as referenced_name,
    (
        select array_agg(a.attname::text order by k.position)
        from unnest(con.confkey) with ordinality as k (number, position)
        join pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.number
    ) as referenced_columns,
    con.confupdtype::text as on_update,
    con.confdeltype::text as on_delete,
    con.confmatchtype::text as match,
    ( -- since 15
        select array_agg(a.attname::text order by k.position) -- since 15
        from unnest(con.confdelsetcols) with ordinality as k (number, position) -- since 15
        join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.number -- since 15
    ) as set_columns, -- since 15
    null::text[] as set_columns, -- before 15
    note.description as comment
from pg_constraint con
join pg_class c on c.oid = con.conrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_class f on f.oid = con.confrelid
left join pg_namespace fn on fn.oid = f.relnamespace
left join pg_index i on i.indexrelid = con.conindid and con.contype in ('p', 'u')
left join pg_constraint parent on parent.oid = con.conparentid
left join pg_description note on note.classoid = 'pg_constraint'::regclass and note.objoid = con.oid
where con.contype in ('p', 'u', 'c', 'f', 'x', 'n')
    and c.relkind in ('r', 'p', 'f')
    and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
    and (parent.conrelid is null or parent.conrelid <> con.conrelid)
order by n.nspname, c.relname, con.conname
