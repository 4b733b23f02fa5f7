-- Rules of tables and views, but for those that views are made of, with the columns that each names.
select
    n.nspname as schema,
    c.relname as relation,
    w.rulename as name,
    format('%I ON %I.%I', w.rulename, n.nspname, c.relname) as target,
    pg_get_ruledef(w.oid) as definition,
    w.ev_enabled::text as enabled,
    (
        select jsonb_agg(jsonb_build_array(rn.nspname, r.relname, a.attname) order by rn.nspname, r.relname, a.attname)
        from (
            select distinct d.refobjid, d.refobjsubid
            from pg_depend d
            where d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
        ) as named
        join pg_class r on r.oid = named.refobjid
        join pg_namespace rn on rn.oid = r.relnamespace
        join pg_attribute a on a.attrelid = r.oid and a.attnum = named.refobjsubid
    ) as columns,
    note.description as comment
from pg_rewrite w
join pg_class c on c.oid = w.ev_class
join pg_namespace n on n.oid = c.relnamespace
left join pg_description note on note.classoid = 'pg_rewrite'::regclass and note.objoid = w.oid
where w.rulename <> '_RETURN'
    and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
order by n.nspname, c.relname, w.rulename
