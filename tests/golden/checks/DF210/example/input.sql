-- postgresql
-- given
CREATE TABLE bookings (id bigint PRIMARY KEY, during tsrange);
-- migration
ALTER TABLE bookings ADD CONSTRAINT bookings_no_overlap EXCLUDE USING gist (during WITH &&);
