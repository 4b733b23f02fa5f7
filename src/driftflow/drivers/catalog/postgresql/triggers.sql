-- Triggers that somebody made, and their copies on partitions; not those that implement a foreign key or a deferrable key.
select
    n.nspname as schema,
    c.relname as relation,
    c.relkind::text as relation_kind,
    t.tgname as name,
    t.tgtype::int as bits,
    t.tgenabled::text as enabled,
    t.tgconstraint <> 0 as is_constraint,
    pg_get_triggerdef(t.oid) as definition,
    fn.nspname as function_schema,
    f.proname as function_name,
    (
        select array_agg(a.attname::text order by k.position)
        from unnest(t.tgattr) with ordinality as k (number, position)
        join pg_attribute a on a.attrelid = t.tgrelid and a.attnum = k.number
    ) as update_columns,
    note.description as comment
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_proc f on f.oid = t.tgfoid
join pg_namespace fn on fn.oid = f.pronamespace
left join pg_description note on note.classoid = 'pg_trigger'::regclass and note.objoid = t.oid
where (
        not t.tgisinternal
        -- Before 15 the copies on partitions count as internal; those of foreign keys are as internal as their originals.
        or exists (select from pg_trigger p where p.oid = t.tgparentid and not p.tgisinternal) -- since 13
        or exists ( -- before 13
            select from pg_depend d join pg_trigger p on p.oid = d.refobjid and not p.tgisinternal -- before 13
            where d.classid = 'pg_trigger'::regclass and d.objid = t.oid and d.refclassid = 'pg_trigger'::regclass -- before 13
        ) -- before 13
    )
    and c.relkind in ('r', 'p', 'f', 'v', 'm')
    and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
order by n.nspname, c.relname, t.tgname
