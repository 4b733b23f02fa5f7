-- +goose Up
CREATE TABLE log (id integer);
-- +goose StatementBegin
CREATE TRIGGER users_log AFTER INSERT ON users
BEGIN
    INSERT INTO log VALUES (new.id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER users_log;
DROP TABLE log;
