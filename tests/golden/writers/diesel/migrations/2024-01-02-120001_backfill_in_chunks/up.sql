-- Fill orders.tenant_id
-- Wait for the application:
-- Do not run this before: does every running version write tenant_id?
-- [ ] web 2.4 is everywhere
-- [ ] the worker is restarted
-- Not done by this file: the pace follows the load, and the change can be paused and goes on where it
-- was after a crash
DO $driftflow$
DECLARE
    driftflow_low public.orders.id%TYPE;
    driftflow_high public.orders.id%TYPE;
BEGIN
    SELECT id INTO driftflow_low FROM public.orders ORDER BY id LIMIT 1;
    WHILE driftflow_low IS NOT NULL LOOP
        SELECT id INTO driftflow_high FROM public.orders WHERE id >= driftflow_low ORDER BY id OFFSET 5000 LIMIT 1;
        IF driftflow_high IS NULL THEN
            UPDATE public.orders SET tenant_id = u.tenant_id FROM users AS u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL) AND (orders.id >= driftflow_low);
        ELSE
            UPDATE public.orders SET tenant_id = u.tenant_id FROM users AS u WHERE (u.id = orders.user_id) AND (orders.tenant_id IS NULL) AND (orders.id >= driftflow_low AND orders.id < driftflow_high);
        END IF;
        COMMIT;
        driftflow_low := driftflow_high;
    END LOOP;
END
$driftflow$;
