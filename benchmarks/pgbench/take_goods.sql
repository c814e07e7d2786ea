-- The rows that reserving and selling one unit of a product writes in catalog, in one transaction.
BEGIN;
WITH taken AS (
    INSERT INTO reservations (sale_id, business_id, branch_id, status, expires_at, created_at, updated_at)
        VALUES (gen_random_uuid(), CAST(:business AS uuid), CAST(:branch AS uuid), 'COMMITTED', now() + interval '10 minutes',
            now(), now())
        RETURNING sale_id
)
INSERT INTO reservation_lines (id, sale_id, business_id, product_id, quantity, name, unit_price, currency, tax_rate)
    SELECT gen_random_uuid(), sale_id, CAST(:business AS uuid), CAST(:product AS uuid), 1, 'Café', 150.50, 'MXN', 0.16
    FROM taken;
INSERT INTO outbox (event_id, business_id, aggregate_type, aggregate_id, aggregate_version, type, body, headers,
        occurred_at, sent_at)
    VALUES (gen_random_uuid(), CAST(:business AS uuid), 'product', gen_random_uuid(), 1, 'stock.changed',
        '{"on_hand": 1, "reserved": 0, "change": -1}', '{}', now(), now());
WITH level AS (
    UPDATE stock_levels SET on_hand = on_hand - 1
        WHERE product_id = CAST(:product AS uuid) AND branch_id = CAST(:branch AS uuid)
        RETURNING on_hand
)
INSERT INTO stock_movements (id, business_id, product_id, branch_id, type, change, on_hand, sale_id,
        created_at)
    SELECT gen_random_uuid(), CAST(:business AS uuid), CAST(:product AS uuid), CAST(:branch AS uuid), 'SALE', -1, on_hand,
        gen_random_uuid(), now()
    FROM level;
COMMIT;
