"""The GET electronics' wire formats: bytes and tables only, no I/O, no clock, no threads."""
