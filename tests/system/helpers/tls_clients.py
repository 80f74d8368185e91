# SPDX-License-Identifier: ISC
"""usage: tls_clients.py CA-FILE LABEL:PORT[:NAME]...

Delivers messages by STARTTLS without end, a thread for each label, and says a line for each:
"LABEL ok COMMON-NAME", where the certificate is one of CA-FILE, or "LABEL failed REASON".
"""
import socket
import ssl
import sys
import threading
import time

MAIL = (b"EHLO x\r\n", b"MAIL FROM:<a@example.com>\r\n", b"RCPT TO:<b@remote.example>\r\n",
        b"DATA\r\n", b"Subject: x\r\n\r\nx\r\n.\r\n", b"QUIT\r\n")


def reply(file):
    while True:
        line = file.readline()
        if not line:
            raise EOFError("closed")
        if line[3:4] == b" ":
            if line[:1] not in (b"2", b"3"):
                raise RuntimeError(line)
            return


def deliver(ca, port, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(ca)
    with socket.create_connection(("127.0.0.1", port), timeout=120) as plain:
        file = plain.makefile("rb")
        reply(file)
        for word in (b"EHLO x\r\n", b"STARTTLS\r\n"):
            plain.sendall(word)
            reply(file)
        with context.wrap_socket(plain, server_hostname=name) as tls:
            file = tls.makefile("rb")
            for word in MAIL:
                tls.sendall(word)
                reply(file)
            return dict(x[0] for x in tls.getpeercert()["subject"])["commonName"]


def run(ca, label, port, name):
    while True:
        try:
            line = "ok " + deliver(ca, port, name)
        except (OSError, EOFError, RuntimeError) as e:
            line = f"failed {e!r}"
        sys.stdout.write(f"{label} {line}\n")
        sys.stdout.flush()
        time.sleep(0.02)


for arg in sys.argv[2:]:
    parts = arg.split(":")
    threading.Thread(target=run, daemon=True, args=(
        sys.argv[1], parts[0], int(parts[1]), parts[2] if len(parts) > 2 else None)).start()
while True:
    time.sleep(60)
