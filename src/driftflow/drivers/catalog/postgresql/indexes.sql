-- Indexes of tables and materialized views, their keys in order.
with locked as materialized (
    select relation
    from pg_locks
    where granted and mode = 'AccessExclusiveLock' and pid <> pg_backend_pid()
        and database = (select oid from pg_database where datname = current_database())
)
select
    n.nspname as schema,
    c.relname as relation,
    c.relkind::text as relation_kind,
    ic.relname as name,
    i.indisunique as is_unique,
    i.indisvalid and i.indisready and i.indislive as valid,
    i.indnullsnotdistinct as nulls_not_distinct, -- since 15
    false as nulls_not_distinct, -- before 15
    method.amname as method,
    pg_get_expr(i.indpred, i.indrelid) as predicate,
    ic.reloptions as options,
    i.indisclustered as clustered,
    i.indisreplident as identifies,
    coalesce(space.spcname, '') as tablespace,
    con.conname as constraint_name,
    pn.nspname as parent_schema,
    pc.relname as parent_name,
    case when ic.relkind = 'i' and locked.relation is null then pg_relation_size(ic.oid) end as bytes,
    (
        select jsonb_agg(
            jsonb_build_array(
                a.attname,
                case when k.number = 0 then pg_get_indexdef(i.indexrelid, k.position::int, false) end,
                i.indoption[k.position - 1],
                case
                    when i.indcollation[k.position - 1] in (0, coalesce(a.attcollation, 100)) then null
                    when cn.nspname = 'pg_catalog' then coll.collname::text
                    else cn.nspname || '.' || coll.collname
                end,
                case
                    when op.opcdefault then null
                    when opn.nspname = 'pg_catalog' then op.opcname::text
                    else opn.nspname || '.' || op.opcname
                end,
                key_column.attoptions -- since 13
                null -- before 13
            )
            order by k.position
        )
        from unnest(i.indkey) with ordinality as k (number, position)
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and k.number <> 0
        left join pg_attribute key_column on key_column.attrelid = i.indexrelid and key_column.attnum = k.position
        left join pg_collation coll on coll.oid = i.indcollation[k.position - 1]
        left join pg_namespace cn on cn.oid = coll.collnamespace
        left join pg_opclass op on op.oid = i.indclass[k.position - 1]
        left join pg_namespace opn on opn.oid = op.opcnamespace
        where k.position <= i.indnkeyatts
    ) as keys,
    (
        select array_agg(a.attname::text order by k.position)
        from unnest(i.indkey) with ordinality as k (number, position)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
        where k.position > i.indnkeyatts
    ) as include,
    note.description as comment
from pg_index i
join pg_class ic on ic.oid = i.indexrelid
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_am method on method.oid = ic.relam
left join pg_tablespace space on space.oid = ic.reltablespace
left join pg_constraint con on con.conindid = i.indexrelid and con.conrelid = i.indrelid and con.contype in ('p', 'u', 'x')
left join pg_inherits inh on inh.inhrelid = i.indexrelid
left join pg_class pc on pc.oid = inh.inhparent
left join pg_namespace pn on pn.oid = pc.relnamespace
left join locked on locked.relation = i.indexrelid
left join pg_description note on note.classoid = 'pg_class'::regclass and note.objoid = i.indexrelid and note.objsubid = 0
where c.relkind in ('r', 'p', 'm')
    and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
order by n.nspname, c.relname, ic.relname
