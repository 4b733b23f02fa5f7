-- Build orders_tenant_id without blocking writers
-- Set flyway.postgresql.transactional.lock=false: otherwise this waits forever for the transaction
-- that holds Flyway's own lock
-- Not done by this file: an index that a failed build leaves behind invalid is dropped and built again
CREATE INDEX CONCURRENTLY orders_tenant_id ON public.orders USING btree (tenant_id);
