-- postgresql transaction=none
-- given
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, status varchar(20), total numeric(10,2));
-- migration
CREATE INDEX CONCURRENTLY index_of_the_orders_of_all_customers_by_their_status_and_their_total_amount ON orders (status, total);
