# SPDX-License-Identifier: ISC
"""usage: tls_talk.py PORT CERT LINE...

STARTTLS (or, LINE "WRAP", TLS at once), then the lines. Prints the protocol, or the refusal; then the last
line of each reply. CERT.pem and CERT.key are shown as the client's, "": none.
"""
import socket
import ssl
import sys

s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=120)


def reply():
    text = b""
    while not (text.endswith(b"\r\n") and text.split(b"\r\n")[-2][3:4] == b" "):
        more = s.recv(4096)
        if not more:
            raise EOFError
        text += more
    return text.decode().split("\r\n")[-2]


def tls():
    global s
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.set_ciphers("ALL:aNULL:@SECLEVEL=0")
    if sys.argv[2]:
        c.load_cert_chain(sys.argv[2] + ".pem", sys.argv[2] + ".key")
    s = c.wrap_socket(s)
    print(s.version())


lines = sys.argv[3:]
try:
    if lines[:1] == ["WRAP"]:
        lines = lines[1:]
        tls()
        print(reply())
    else:
        reply()
        for word in (b"EHLO x\r\n", b"STARTTLS\r\n"):
            s.sendall(word)
            answer = reply()
        if not answer.startswith("220"):
            print(answer)
            sys.exit()
        tls()
    for line in lines:
        s.sendall(line.encode().decode("unicode_escape").encode() + b"\r\n")
        print(reply())
except (OSError, EOFError):
    print("closed")
