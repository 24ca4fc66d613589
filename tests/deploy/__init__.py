"""The containers, built and run for real: `make test-deploy`."""
