-- Build orders_tenant_id without blocking writers
-- Not done by this file: an index that a failed build leaves behind invalid is dropped and built again
-- Not done by this file: Drizzle runs this in a transaction, so other sessions wait until it is done
CREATE INDEX orders_tenant_id ON public.orders USING btree (tenant_id);