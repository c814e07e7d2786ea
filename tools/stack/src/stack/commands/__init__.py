"""One module per command; each has `register(parser)` and `run(arguments) -> exit code`."""
