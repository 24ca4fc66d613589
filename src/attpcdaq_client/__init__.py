"""The HTTP API of the AT-TPC DAQ as typed Python, and the `attpcdaq` command. It knows nothing else of the product."""

from attpcdaq_client.client import Client
from attpcdaq_client.errors import DaqError, OutOfTouch, Refused, WrongInput

__all__ = ["Client", "DaqError", "OutOfTouch", "Refused", "WrongInput"]
