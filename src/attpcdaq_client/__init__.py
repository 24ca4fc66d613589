"""The HTTP API of the AT-TPC DAQ as typed Python, and the `attpcdaq` command. It knows nothing else of the product."""
