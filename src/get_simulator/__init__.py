"""A simulated GET detector: ECC servers, boards, data routers and nodes that behave as the real ones do on the wire."""
