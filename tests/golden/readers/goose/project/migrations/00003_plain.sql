-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE users ADD COLUMN note text; -- the last word before the comment counts
