"""Speed and size of the product against their goals: `make bench`."""
