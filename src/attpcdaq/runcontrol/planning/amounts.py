"""Amounts in words, the same on pages, in reasons and in the API; pure."""

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
GB = 10**9


def in_bytes(value: float) -> str:
    """Bytes with three figures and a decimal unit: 1234567 -> "1.23 MB"."""
    size, index = float(value), 0
    while size >= 999.5 and index < len(UNITS) - 1:
        size, index = size / 1000, index + 1
    figures = 0 if index == 0 or size >= 99.95 else 1 if size >= 9.995 else 2
    return f"{size:.{figures}f} {UNITS[index]}"


def in_time(seconds: float) -> str:
    """A time to go, as exact as is of use: 40 s, 12 min, 3 h 20 min, 5 d."""
    if seconds < 100:
        return f"{max(int(seconds), 0)} s"
    minutes = int(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h" if minutes < 4 * 1440 else f"{minutes // 1440} d"
