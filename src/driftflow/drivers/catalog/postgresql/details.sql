-- What the server keeps of objects beside what the catalog holds of them; read by the lab alone, to compare two databases.
-- `part` is a column or a rule of the relation. Rights that nobody has touched are spelled as what they mean.
select 'schema' as kind, '' as schema, n.nspname::text as name, '' as part, 'owner' as fact, pg_get_userbyid(n.nspowner)::text as value
from pg_namespace n where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select 'schema', '', n.nspname, '', 'rights', (select string_agg(a::text, ', ' order by a::text) from unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) a)
from pg_namespace n where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select case c.relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence' else 'table' end, n.nspname, c.relname, '', fact.name, fact.value
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (values
    ('owner', pg_get_userbyid(c.relowner)::text),
    ('rights', case when c.relkind = 'S' then
        (select string_agg(a::text, ', ' order by a::text) from unnest(coalesce(c.relacl, acldefault('s', c.relowner))) a) end),
    ('position', case when c.relkind = 'S' then (
        select (sign(s.seqincrement) * coalesce(pg_sequence_last_value(c.oid), s.seqstart - s.seqincrement))::text
        from pg_sequence s where s.seqrelid = c.oid
    ) end),
    ('populated', case when c.relkind = 'm' then c.relispopulated::text end),
    ('clustered on', (select one.relname::text from pg_index i join pg_class one on one.oid = i.indexrelid where i.indrelid = c.oid and i.indisclustered)),
    ('replica identity index', (select one.relname::text from pg_index i join pg_class one on one.oid = i.indexrelid where i.indrelid = c.oid and i.indisreplident))
) as fact (name, value)
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select 'column', n.nspname, c.relname, a.attname, fact.name, fact.value
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (values
    ('rights', (select string_agg(one::text, ', ' order by one::text) from unnest(a.attacl) one)),
    ('statistics target', nullif(coalesce(a.attstattarget, -1), -1)::text),
    ('options', array_to_string(a.attoptions, ', ')),
    ('default in the view', case when c.relkind = 'v' then
        (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum) end)
) as fact (name, value)
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window' else 'function' end,
    n.nspname, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', '', fact.name, fact.value
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
cross join lateral (values
    ('owner', pg_get_userbyid(p.proowner)::text),
    ('rights', (select string_agg(a::text, ', ' order by a::text) from unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a))
) as fact (name, value)
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select 'type', n.nspname, t.typname, '', fact.name, fact.value
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
cross join lateral (values
    ('owner', pg_get_userbyid(t.typowner)::text),
    ('rights', (select string_agg(a::text, ', ' order by a::text) from unnest(coalesce(t.typacl, acldefault('T', t.typowner))) a))
) as fact (name, value)
where t.typtype in ('e', 'd', 'r') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select 'rule', n.nspname, c.relname, w.rulename, 'definition', pg_get_ruledef(w.oid) || ' ' || w.ev_enabled::text
from pg_rewrite w
join pg_class c on c.oid = w.ev_class
join pg_namespace n on n.oid = c.relnamespace
where w.rulename <> '_RETURN' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select 'statistics', n.nspname, s.stxname, '', fact.name, fact.value
from pg_statistic_ext s
join pg_namespace n on n.oid = s.stxnamespace
cross join lateral (values
    ('definition', pg_get_statisticsobjdef(s.oid)), ('owner', pg_get_userbyid(s.stxowner)::text)
) as fact (name, value)
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'driftflow')
union all
select 'publication', '', p.pubname, '', fact.name, fact.value
from pg_publication p
cross join lateral (values
    ('owner', pg_get_userbyid(p.pubowner)::text),
    ('operations', concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot)),
    ('tables', (
        select string_agg(concat_ws(' ', format('%I.%I', n.nspname, c.relname)
            , (select string_agg(a.attname, ', ' order by a.attname) from pg_attribute a -- since 15
                where a.attrelid = c.oid and a.attnum = any (pr.prattrs::smallint[])) -- since 15
            , pg_get_expr(pr.prqual, pr.prrelid) -- since 15
        ), '; ' order by n.nspname, c.relname)
        from pg_publication_rel pr
        join pg_class c on c.oid = pr.prrelid
        join pg_namespace n on n.oid = c.relnamespace
        where pr.prpubid = p.oid
    )),
    ('schemas', ( -- since 15
        select string_agg(pn.pnnspid::regnamespace::text, ', ' order by 1) from pg_publication_namespace pn where pn.pnpubid = p.oid -- since 15
    )), -- since 15
    ('', null)
) as fact (name, value)
union all
select 'event trigger', '', e.evtname, '', 'definition', concat_ws(' ', e.evtevent, e.evtfoid::regproc, e.evtenabled, e.evttags::text)
from pg_event_trigger e
union all
select 'extension', '', e.extname, '', 'version', e.extversion from pg_extension e
union all
select 'default rights', '', concat_ws(' ', pg_get_userbyid(d.defaclrole), d.defaclnamespace::regnamespace, d.defaclobjtype), '', 'rights',
    (select string_agg(a::text, ', ' order by a::text) from unnest(d.defaclacl) a)
from pg_default_acl d
union all
-- What belongs to a database and to none of the kinds above, and was not there from the beginning, nor by an extension. Numbers of rows differ from one
-- database to the next; what is left says what the object is.
select o.type, '', o.identity, '', 'definition', made.definition
from (
    select 'pg_collation'::regclass as class, oid, (to_jsonb(c) - '{oid,collnamespace,collowner,collversion}'::text[])::text as definition from pg_collation c
    union all
    select 'pg_cast'::regclass, oid, concat_ws(' ', castfunc::regprocedure, castcontext, castmethod) from pg_cast
    union all
    select 'pg_operator'::regclass, oid, concat_ws(' ', oprcode, oprrest, oprjoin, oprcanmerge, oprcanhash) from pg_operator
    union all
    select 'pg_conversion'::regclass, oid, concat_ws(' ', conproc, condefault) from pg_conversion
    union all
    select 'pg_opclass'::regclass, oid, concat_ws(' ', opcintype::regtype, opcdefault) from pg_opclass
    union all
    select 'pg_opfamily'::regclass, oid, 'there' from pg_opfamily
    union all
    select 'pg_language'::regclass, oid, lanpltrusted::text from pg_language
    union all
    select 'pg_ts_config'::regclass, c.oid, (
        select string_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', ' order by m.maptokentype, m.mapseqno)
        from pg_ts_config_map m where m.mapcfg = c.oid)
    from pg_ts_config c
    union all
    select 'pg_ts_dict'::regclass, oid, coalesce(dictinitoption, 'there') from pg_ts_dict
    union all
    select 'pg_foreign_data_wrapper'::regclass, oid, coalesce(fdwoptions::text, 'there') from pg_foreign_data_wrapper
    union all
    select 'pg_foreign_server'::regclass, oid, concat_ws(' ', srvtype, srvversion, srvoptions, srvacl, pg_get_userbyid(srvowner)) from pg_foreign_server
    union all
    select 'pg_class'::regclass, ftrelid, concat_ws(' ', (select srvname from pg_foreign_server where oid = ftserver), ftoptions) from pg_foreign_table
) as made (class, oid, definition)
cross join lateral pg_identify_object(made.class, made.oid, 0) as o
where made.oid >= 16384 and not exists (select 1 from pg_depend d where d.classid = made.class and d.objid = made.oid and d.deptype = 'e')
union all
select o.type, '', o.identity, '', 'comment', d.description
from pg_description d
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as o
where d.classoid in ('pg_namespace'::regclass, 'pg_extension'::regclass, 'pg_collation'::regclass, 'pg_cast'::regclass, 'pg_operator'::regclass,
    'pg_ts_config'::regclass, 'pg_foreign_data_wrapper'::regclass, 'pg_foreign_server'::regclass, 'pg_event_trigger'::regclass, 'pg_publication'::regclass)
    and (d.objoid >= 16384 or d.classoid = 'pg_namespace'::regclass)
