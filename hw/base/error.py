"""The one exception a user's mistake raises."""


class InputError(ValueError):
    """Input that cannot be used.

    The message is one sentence: what must hold, what was given, what to do. Command lines print it
    after ``error:`` and leave with exit code 2; no traceback is shown for it.
    """
