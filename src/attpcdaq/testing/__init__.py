"""In-memory twins of the gateways and builders of rows: for tests, never imported by the running product."""
