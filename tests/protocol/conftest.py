"""Property tests are not timed: a busy machine must not fail them."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None, max_examples=30)
settings.load_profile("untimed")
