-- One payment by its key, out of the ten thousand seeded ones.
\set n random(1, 10000)
SELECT * FROM payments WHERE id = (lpad(to_hex(:n), 32, '0'))::uuid;
