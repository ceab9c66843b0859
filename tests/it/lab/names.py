"""A name server that knows no name: names.py nxdomain|servfail|silent, on 127.0.0.1:53."""

import socket
import sys

CODES = {"nxdomain": 3, "servfail": 2}

code = CODES.get(sys.argv[1])
place = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
place.bind(("127.0.0.1", 53))
while True:
    question, peer = place.recvfrom(512)
    if code is None:
        continue
    # The first question alone comes back: not the extension that resolvers append.
    end = question.index(b"\0", 12) + 5
    header = question[:2] + bytes([0x81, 0x80 | code]) + b"\0\1\0\0\0\0\0\0"
    place.sendto(header + question[12:end], peer)
