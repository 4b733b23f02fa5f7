-- Rights that are given on what a role makes from now on (ALTER DEFAULT PRIVILEGES).
select
    pg_get_userbyid(d.defaclrole) as role,
    coalesce(n.nspname, '') as schema,
    d.defaclobjtype::text as kind,
    d.defaclacl::text[] as acl
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace
order by 1, 2, 3
