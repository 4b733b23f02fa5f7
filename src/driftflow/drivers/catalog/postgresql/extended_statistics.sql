-- Extended statistics, with the columns that each depends on.
select
    n.nspname as schema,
    c.relname as relation,
    sn.nspname as statistics_schema,
    s.stxname as name,
    pg_get_statisticsobjdef(s.oid) as definition,
    format('%I.%I', sn.nspname, s.stxname) as spelled,
    nullif(coalesce(s.stxstattarget, -1), -1)::int as target, -- since 13
    null::int as target, -- before 13
    pg_get_userbyid(s.stxowner) as owner,
    note.description as comment,
    (
        select array_agg(a.attname::text order by a.attnum)
        from pg_attribute a
        where a.attrelid = s.stxrelid
            and a.attnum in (
                select d.refobjsubid
                from pg_depend d
                where d.classid = 'pg_statistic_ext'::regclass
                    and d.objid = s.oid
                    and d.refclassid = 'pg_class'::regclass
                    and d.refobjid = s.stxrelid
                    and d.refobjsubid > 0
            )
    ) as columns
from pg_statistic_ext s
join pg_namespace sn on sn.oid = s.stxnamespace
join pg_class c on c.oid = s.stxrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_description note on note.classoid = 'pg_statistic_ext'::regclass and note.objoid = s.oid
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
order by n.nspname, c.relname, s.stxname
