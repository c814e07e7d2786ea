-- The rows that a sale for cash writes in sales, in one transaction.
BEGIN;
INSERT INTO idempotency_keys (principal_id, route, key, fingerprint, status, body)
    VALUES (gen_random_uuid(), 'POST /api/v1/sales', 'bench', '\x00', 201, repeat('x', 1500));
WITH sale AS (
    INSERT INTO sales (id, business_id, branch_id, created_by, status, version, created_at, updated_at, basket, currency,
            time_zone, subtotal, discount, tax, total, payment_method, cash_amount, tendered, change, payment_status,
            payment_version, refunded_amount, completed_at, step, resume_attempts)
        VALUES (gen_random_uuid(), CAST(:business AS uuid), CAST(:branch AS uuid), gen_random_uuid(), 'COMPLETED', 3, now(),
            now(), '{"items": [], "discount": "0"}', 'MXN', 'America/Mexico_City', 129.74, 0, 20.76, 150.50, 'CASH', 150.50,
            150.50, 0, 'CONFIRMED', 0, 0, now(), 'SETTLED', 0)
        RETURNING id
)
INSERT INTO sale_items (id, sale_id, business_id, position, product_id, name, quantity, unit_price, discount, tax_rate, tax,
        total)
    SELECT gen_random_uuid(), id, CAST(:business AS uuid), 0, CAST(:product AS uuid), 'Café', 1, 150.50, 0, 0.16, 20.76, 150.50
    FROM sale;
INSERT INTO outbox (event_id, business_id, aggregate_type, aggregate_id, aggregate_version, type, body, headers,
        occurred_at, sent_at)
    VALUES (gen_random_uuid(), CAST(:business AS uuid), 'sale', gen_random_uuid(), 1, 'sale.completed',
        '{"total": {"amount": "150.50", "currency": "MXN"}, "status": "COMPLETED", "payment_method": "CASH"}', '{}', now(),
        now());
COMMIT;
