"""The manual's pictures, taken of a running demo: they show the pages as they are now."""
