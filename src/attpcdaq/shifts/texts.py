"""What forms send: one line or many, of characters that can be printed; numbers of rows and runs."""

from attpcdaq.runcontrol.asking.refusals import BadCommand

LONG = 20_000


def one_line(field: str, text: str, most: int, *, needed: bool = True) -> str:
    """Without blanks around it; BadCommand names the field and says what is allowed."""
    text = text.strip()
    if len(text) > most or not text.isprintable() or (needed and not text):
        raise BadCommand(field, f"write {1 if needed else 0} to {most} printable characters on one line.")
    return text


def lines(field: str, text: str, *, needed: bool = True) -> str:
    """The same for several lines, of at most 20,000 characters together."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    fits = len(text) <= LONG and all(letter.isprintable() or letter in "\n\t" for letter in text)
    if not fits or (needed and not text):
        raise BadCommand(field, f"write {1 if needed else 0} to {LONG} printable characters.")
    return text


def number(field: str, text: str) -> int:
    """Of a run, or of a shift's row. BadCommand names the field."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadCommand(field, f"{text[:20]!r} is no number: give one of 1 to 9 digits.")
    return int(text)
