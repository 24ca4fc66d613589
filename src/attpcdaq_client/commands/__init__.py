"""The `attpcdaq` command: aligned text for people, `--json` for programs; nothing but the client's methods."""
