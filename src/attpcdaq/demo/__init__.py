"""`make demo`: the whole system against a simulated detector, started, watched over and ended by one command."""
