"""No secret leaves in a log line: passwords, tokens, cookies and keys become ***."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote, urlsplit

MASK = "***"
# A shorter one would blot out words that have nothing to do with it.
SHORTEST_KNOWN = 6
_NAMES = ("password", "passwd", "passphrase", "secret", "token", "session", "csrf", "authorization", "cookie")
_WORDS = (*_NAMES, "api-key", "api_key", "apikey")
_ANY_WORD = "|".join(_WORDS)
SECRET_NAME = re.compile(_ANY_WORD, re.IGNORECASE)
# What a text has in it (in small letters) before the pattern is tried: nearly all have none of it.
_RULES = (
    (("private key",), re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|\Z)", re.DOTALL), rf"\1{MASK}"),
    # scheme://user:password@host, whatever unquoted @ the password has
    (("://",), re.compile(r"(?<=://)([^\s:/@]*):[^\s/]*@"), rf"\1:{MASK}@"),
    (("bearer", "basic"), re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {MASK}"),
    # our API tokens, wherever they stand (web/tokens)
    (("attpcdaq_",), re.compile(r"\battpcdaq_[\w-]{43}\b"), MASK),
    # name=value, "name": "value", Name: value; with backslashes where one text was quoted in another
    (
        _WORDS,
        re.compile(
            rf"((?:{_ANY_WORD})[\w-]*\\*[\"']?\s*[=:]\s*)(?!Bearer|Basic)(\"[^\"]*\"|'[^']*'|[^\s,;&)}}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)


def masker(known: Iterable[str] = ()) -> Callable[[str], str]:
    """Takes what looks like a secret out of a text, and every one of these `known` secrets, also as URLs write them."""
    spelt = {text for secret in known if len(secret) >= SHORTEST_KNOWN for text in (secret, quote(secret, safe=""))}
    exact = re.compile("|".join(re.escape(text) for text in sorted(spelt, key=len, reverse=True))) if spelt else None

    def mask(text: str) -> str:
        if exact is not None:
            text = exact.sub(MASK, text)
        small = text.lower()
        for clues, pattern, replacement in _RULES:
            if any(clue in small for clue in clues):
                text = pattern.sub(replacement, text)
        return text

    return mask


def password_in(url: str) -> str:
    """The password of scheme://user:password@host, decoded; empty when there is none."""
    return unquote(urlsplit(url).password or "")
