"""The ports that nginx takes on this computer."""

import socket
from ipaddress import ip_address

import docker
import place
from trouble import Trouble

# Setting and default.
HTTP, HTTPS, BIND = ("ATTPCDAQ_HTTP_PORT", "8080"), ("ATTPCDAQ_HTTPS_PORT", "8443"), ("ATTPCDAQ_BIND", "127.0.0.1")


def check() -> None:
    """Trouble with the name of the setting when one cannot be had; what our own nginx holds is fine."""
    wanted = [("127.0.0.1", *_port(HTTP)), (_address(), *_port(HTTPS))]
    if any(one["Service"] == "nginx" and one["State"] == "running" for one in docker.containers()):
        return
    for address, name, port in wanted:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise Trouble(
                    f"port {port} on {address} cannot be had ({error.strerror}): end what uses it, "
                    f"or set {name} in {place.ENV} to another"
                ) from None


def _port(setting: tuple[str, str]) -> tuple[str, int]:
    name, text = setting[0], place.setting(*setting)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Trouble(f"{name}={text} in {place.ENV} is not a port: give a whole number from 1 to 65535")
    return name, int(text)


def _address() -> str:
    text = place.setting(*BIND)
    try:
        return str(ip_address(text))
    except ValueError:
        raise Trouble(
            f"{BIND[0]}={text} in {place.ENV} is not an address: give 127.0.0.1, or 0.0.0.0 for all"
        ) from None
