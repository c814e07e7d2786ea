"""Domain events over RabbitMQ: outbox and relay on one side, consumers with an inbox on the other."""
