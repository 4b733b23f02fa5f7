-- +goose NO TRANSACTION
-- +goose Up
-- Build orders_tenant_id without blocking writers
-- Not done by this file: an index that a failed build leaves behind invalid is dropped and built again
CREATE INDEX CONCURRENTLY orders_tenant_id ON public.orders USING btree (tenant_id);

-- +goose Down
DROP INDEX CONCURRENTLY public.orders_tenant_id;
