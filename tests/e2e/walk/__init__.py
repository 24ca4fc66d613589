"""A walk through the page while things go wrong: what the shifter reads, and the way out."""
