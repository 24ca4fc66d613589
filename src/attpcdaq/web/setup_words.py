"""What the keys of the setup file are called on the pages."""

from collections.abc import Mapping

LABELS: Mapping[str, str] = {
    "name": "Name",
    "host": "Address",
    "access": "Reached by",
    "ssh_port": "SSH port",
    "ssh_user": "SSH user",
    "agent_port": "Port of the HTTP agent",
    "restart_ecc": "Restart command of an ECC server",
    "restart_router": "Restart command of a data router",
    "node": "Node",
    "port": "Port",
    "describe_name": "Describe name",
    "config": "Chosen configuration",
    "config_dir": "Directory of the .xcfg files",
    "backup_dir": "Backup directory",
    "log_file": "Log file",
    "deadlines": "Deadlines",
    "staging_dir": "Staging directory",
    "link_type": "Data link type",
    "process_name": "Program",
    "sender_id": "Sends as",
    "role": "Kind of board",
    "ecc_server": "ECC server",
    "data_router": "Data router",
}
FILE_WORDS: Mapping[str, str] = {
    "data source with its role": "board",
    "in a data source": "in a board",
    "data_source": "board",
    "ecc_server": "ECC server",
    "data_router": "data router",
}


def in_words(text: str) -> str:
    """What the setup's rules say in the words of its file, in those of the pages, as a sentence."""
    for written, said in FILE_WORDS.items():
        text = text.replace(written, said)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


TITLES: Mapping[str, str] = {
    "node": "node",
    "ecc_server": "ECC server",
    "data_router": "data router",
    "data_source": "board",
}
"""Kinds of rows as the crew calls them: a data source is a board."""
