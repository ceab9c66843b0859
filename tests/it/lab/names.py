"""A name server with one fault, on 127.0.0.1:53: names.py FAULT.

nxdomain, servfail, silent: every question; nodata: names without addresses; alias: an alias of a
name that is missing; aaaa-servfail, aaaa-silent: only A is answered, with 10.213.7.2.
"""

import socket
import sys

NO_ERROR, SERVER_FAILURE, NO_NAME = 0, 2, 3
A, CNAME, AAAA = 1, 5, 28

# The name of the question.
OWNER = b"\xc0\x0c"


def record(kind, data):
    return OWNER + kind.to_bytes(2) + b"\0\1\0\0\0\x3c" + len(data).to_bytes(2) + data


def answer(fault, kind):
    """The code and the records of an answer; None for no answer."""
    if fault == "silent" or (fault == "aaaa-silent" and kind == AAAA):
        return None
    if fault == "servfail" or (fault == "aaaa-servfail" and kind == AAAA):
        return SERVER_FAILURE, []
    if fault == "nxdomain":
        return NO_NAME, []
    if fault == "alias":
        return NO_NAME, [record(CNAME, b"\4gone\7example\3net\0")]
    if fault == "nodata" or kind != A:
        return NO_ERROR, []
    return NO_ERROR, [record(A, bytes([10, 213, 7, 2]))]


place = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
place.bind(("127.0.0.1", 53))
while True:
    question, peer = place.recvfrom(512)
    # The first question alone comes back: not the extension that resolvers append.
    end = question.index(b"\0", 12) + 5
    found = answer(sys.argv[1], int.from_bytes(question[end - 4 : end - 2]))
    if found is None:
        continue
    code, records = found
    counts = b"\0\1" + len(records).to_bytes(2) + b"\0\0\0\0"
    header = question[:2] + bytes([0x81, 0x80 | code]) + counts
    place.sendto(header + question[12:end] + b"".join(records), peer)
