-- postgresql
-- migration
SET search_path = audit;
