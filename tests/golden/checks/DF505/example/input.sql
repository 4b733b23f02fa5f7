-- postgresql
-- given
CREATE SEQUENCE invoice_numbers;
-- migration
ALTER SEQUENCE invoice_numbers INCREMENT BY 10;
