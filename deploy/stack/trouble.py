"""What stops a verb."""


class Trouble(Exception):
    """The text says what is wrong and what to do about it."""
