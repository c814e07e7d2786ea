-- The rows that creating one payment writes, in one transaction.
BEGIN;
INSERT INTO idempotency_keys (principal_id, route, key, fingerprint, status, body)
    VALUES (gen_random_uuid(), 'POST /api/v1/payments/intent', 'bench', '\x00', 201, repeat('x', 700));
INSERT INTO payments (id, business_id, amount, currency, country, time_zone, method, provider, provider_ref, status,
        payment_link, expires_at, created_at, updated_at, submitted_at, next_poll_at)
    VALUES (gen_random_uuid(), CAST(:business AS uuid), 150.50, 'MXN', 'MX', 'America/Mexico_City', 'PAYMENT_LINK', 'conekta',
        gen_random_uuid()::text, 'PENDING', 'https://pay.example/checkout', now() + interval '1 day', now(), now(), now(),
        now() + interval '1 day');
INSERT INTO payment_events (payment_id, id, at, kind, cause, to_status)
    VALUES (gen_random_uuid(), gen_random_uuid(), now(), 'transition', 'create', 'PENDING');
INSERT INTO outbox (event_id, business_id, aggregate_type, aggregate_id, aggregate_version, type, body, headers,
        occurred_at, sent_at)
    VALUES (gen_random_uuid(), CAST(:business AS uuid), 'payment', gen_random_uuid(), 1, 'payment.created',
        '{"amount": {"amount": "150.50", "currency": "MXN"}, "status": "PENDING", "method": "PAYMENT_LINK"}', '{}', now(),
        now());
COMMIT;
