"""Once imported, sockets reach this machine and no other, unless COURSE_TEST_NETWORK=1 is set.

`tests/conftest.py` imports it, and puts its folder on PYTHONPATH for every kernel and subprocess of the tests.
"""

import errno
import ipaddress
import os
import socket

ALLOW_VARIABLE = "COURSE_TEST_NETWORK"

real_connect = socket.socket.connect
real_connect_ex = socket.socket.connect_ex
real_sendto = socket.socket.sendto
real_getaddrinfo = socket.getaddrinfo


def allowed(host):
    """Whether the tests may talk to `host`: this machine, or any at all if the switch is set."""
    if os.environ.get(ALLOW_VARIABLE) == "1":
        return True
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def check(sock, address):
    """Raise OSError if `address` lies outside this machine."""
    if sock.family in {socket.AF_INET, socket.AF_INET6} and not allowed(address[0]):
        raise OSError(errno.ENETUNREACH, f"the tests run offline, but something connects to {address[0]}:{address[1]}")


def connect(self, address):
    check(self, address)
    return real_connect(self, address)


def connect_ex(self, address):
    check(self, address)
    return real_connect_ex(self, address)


def sendto(self, data, *arguments):
    check(self, arguments[-1])
    return real_sendto(self, data, *arguments)


def getaddrinfo(host, *arguments, **options):
    if not allowed(host):
        raise socket.gaierror(socket.EAI_NONAME, f"the tests run offline, but something looks up {host}")
    return real_getaddrinfo(host, *arguments, **options)


socket.socket.connect = connect
socket.socket.connect_ex = connect_ex
socket.socket.sendto = sendto
socket.getaddrinfo = getaddrinfo
