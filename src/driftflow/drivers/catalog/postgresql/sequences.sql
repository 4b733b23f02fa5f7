-- Sequences, those of serial and identity columns too.
select
    n.nspname as schema,
    c.relname as name,
    s.seqtypid::regtype::text as type,
    s.seqstart as start,
    s.seqincrement as increment,
    s.seqmin as minimum,
    s.seqmax as maximum,
    s.seqcache as cache,
    s.seqcycle as cycle,
    tn.nspname as table_schema,
    t.relname as table_name,
    a.attname as column_name,
    own.deptype = 'i' as identity,
    pg_get_userbyid(c.relowner) as owner,
    c.relacl::text[] as acl,
    note.description as comment
from pg_sequence s
join pg_class c on c.oid = s.seqrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_depend own on own.classid = 'pg_class'::regclass and own.objid = c.oid
    and own.refclassid = 'pg_class'::regclass and own.deptype in ('a', 'i')
left join pg_class t on t.oid = own.refobjid
left join pg_namespace tn on tn.oid = t.relnamespace
left join pg_attribute a on a.attrelid = own.refobjid and a.attnum = own.refobjsubid
left join pg_description note on note.classoid = 'pg_class'::regclass and note.objoid = c.oid and note.objsubid = 0
where c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
order by n.nspname, c.relname
