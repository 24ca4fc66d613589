"""The AT-TPC DAQ: web-based run control of the Active-Target Time Projection Chamber."""
