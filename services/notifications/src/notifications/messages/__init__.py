"""What is said to whom: one message per event, template, channel and recipient."""
