-- scene postgresql 16.4
-- given
CREATE TABLE bookings (id bigint PRIMARY KEY, room int, during tsrange);
-- speaks DF210 blocks
ALTER TABLE bookings ADD CONSTRAINT bookings_excl EXCLUDE USING gist (during WITH &&);
-- silent
CREATE TABLE stays (id bigint PRIMARY KEY, during tsrange);
ALTER TABLE stays ADD CONSTRAINT stays_excl EXCLUDE USING gist (during WITH &&);
