"""Examples may take their time on a busy machine."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None, max_examples=30)
settings.load_profile("unhurried")
