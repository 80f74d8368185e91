# usage: fake_imap.py PORTFILE USER PASSWORD: an IMAP server that knows one login; and, with PORTFILE ending in
# .sock, an saslauthd that takes questions and never answers
import os, socket, sys, threading
where, user, password = sys.argv[1:]

def serve(c):
    try:
        talk(c)
    except OSError:
        pass

def talk(c):
    f = c.makefile("rwb")
    f.write(b"* OK here\r\n")
    f.flush()
    while True:
        words = f.readline().decode().split()
        if not words:
            return
        if words[1] == "LOGIN":
            good = [w.strip('"') for w in words[2:]] == [user, password]
            f.write(("%s %s\r\n" % (words[0], "OK yes" if good else "NO no")).encode())
        else:
            f.write(("%s OK\r\n" % words[0]).encode())
        f.flush()

if where.endswith(".sock"):
    s = socket.socket(socket.AF_UNIX)
    s.bind(where)
else:
    s = socket.create_server(("127.0.0.1", 0))
s.listen(50)
if not where.endswith(".sock"):
    with open(where + ".new", "w") as f:
        f.write(str(s.getsockname()[1]))
    os.rename(where + ".new", where)
kept = []
while True:
    c, _ = s.accept()
    kept.append(c)
    if not where.endswith(".sock"):
        threading.Thread(target=serve, args=(c,), daemon=True).start()
