-- One payment by its key, out of the ten thousand seeded ones.
\set n random(1, 10000)
SELECT * FROM payments WHERE id = (lpad(to_hex(CAST(:n AS int)), 32, '0'))::uuid;
