"""`python -m attpcdaq_client`, the same as `attpcdaq`."""

from attpcdaq_client.commands.program import main

if __name__ == "__main__":
    main()
