#!/usr/bin/python3
"""An SMTP server that writes down what it hears: dump_server.py PORT FOLDER [EHLO-LINE...]

Each connection is a file 1, 2, ... in FOLDER, closed when the connection is. It offers nothing but
PIPELINING and what the arguments say, and takes everything.
"""
import os
import socket
import sys
import threading

port, folder, offers = int(sys.argv[1]), sys.argv[2], ["dump.test", "PIPELINING"] + sys.argv[3:]


def serve(conn, name):
    lines = conn.makefile("rb")

    def say(text):
        conn.sendall(text.encode() + b"\r\n")

    with open(os.path.join(folder, name + ".part"), "wb") as out:
        say("220 dump.test ESMTP")
        for line in lines:
            out.write(line)
            verb = line[:4].upper()
            if verb == b"EHLO":
                for offer in offers[:-1]:
                    say("250-" + offer)
                say("250 " + offers[-1])
            elif verb == b"DATA":
                say("354 go on")
                for text in lines:
                    out.write(text)
                    if text == b".\r\n":
                        break
                say("250 2.0.0 taken")
            elif verb == b"BDAT":
                out.write(lines.read(int(line.split()[1])))
                say("250 2.0.0 taken")
            elif verb == b"QUIT":
                break
            else:
                say("250 2.0.0 ok")
    os.rename(os.path.join(folder, name + ".part"), os.path.join(folder, name))
    conn.close()


server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen(20)
count = 0
while True:
    accepted, _ = server.accept()
    count += 1
    threading.Thread(target=serve, args=(accepted, str(count)), daemon=True).start()
