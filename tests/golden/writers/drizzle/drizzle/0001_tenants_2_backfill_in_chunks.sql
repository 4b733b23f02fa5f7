-- Fill orders.tenant_id
-- Wait for the application:
-- Do not run this before: does every running version write tenant_id?
-- [ ] web 2.4 is everywhere
-- [ ] the worker is restarted
-- Not done by this file: the pace follows the load, and the change can be paused and goes on where it
-- was after a crash
-- Not done by this file: Drizzle runs this in a transaction, so other sessions wait until it is done
UPDATE public.orders SET tenant_id = u.tenant_id FROM users AS u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL);