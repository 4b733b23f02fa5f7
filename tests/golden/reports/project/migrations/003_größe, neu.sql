-- driftflow: ignore DF104 reason="not needed any more"
CREATE INDEX "users_größe" ON users ("größe");
TRUNCATE audit;
