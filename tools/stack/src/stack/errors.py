"""The one error of this tool: something the person at the keyboard can act on."""


class StackError(Exception):
    """Its message is shown as it is, without a traceback, and says what to do about it."""
