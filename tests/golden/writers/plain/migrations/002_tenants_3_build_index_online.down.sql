DROP INDEX CONCURRENTLY public.orders_tenant_id;
