-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN 1;
END;
$$;
-- +goose StatementEnd
-- +goose ENVSUB ON
GRANT EXECUTE ON FUNCTION f() TO ${OWNER};
COMMENT ON FUNCTION f() IS '${NOTE:-none}';
-- +goose ENVSUB OFF
-- +goose Down
DROP FUNCTION f();
