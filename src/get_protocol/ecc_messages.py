"""The ECC server's SOAP interface: the client's half, the server's half and their words."""

from get_protocol.ecc_arguments import ServerConfigId, ServerLink, read_config_id, read_data_links
from get_protocol.ecc_client import (
    decode_exit_reply,
    decode_state_reply,
    decode_text_reply,
    encode_get_config_ids,
    encode_get_state,
    encode_server_exit,
    encode_special,
    encode_transition,
    http_request,
)
from get_protocol.ecc_server import (
    decode_request,
    encode_exit_reply,
    encode_fault,
    encode_state_reply,
    encode_text_reply,
    http_response,
)
from get_protocol.ecc_types import (
    NAMESPACE,
    OPERATION_OF,
    TRANSITION_OF,
    ExitReply,
    Operation,
    Request,
    StateReply,
    TextReply,
)

__all__ = [
    "NAMESPACE",
    "OPERATION_OF",
    "TRANSITION_OF",
    "ExitReply",
    "Operation",
    "Request",
    "ServerConfigId",
    "ServerLink",
    "StateReply",
    "TextReply",
    "decode_exit_reply",
    "decode_request",
    "decode_state_reply",
    "decode_text_reply",
    "encode_exit_reply",
    "encode_fault",
    "encode_get_config_ids",
    "encode_get_state",
    "encode_server_exit",
    "encode_special",
    "encode_state_reply",
    "encode_text_reply",
    "encode_transition",
    "http_request",
    "http_response",
    "read_config_id",
    "read_data_links",
]
