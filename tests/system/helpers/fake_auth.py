# usage: fake_auth.py SOCKET HOW: an authentication server as Dovecot's is none
import os, socket, sys, threading, time
path, how = sys.argv[1:]
hello = b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tabc\nDONE\n"
if path.isdigit(): # a port
    listener = socket.create_server(("127.0.0.1", int(path)))
else:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
listener.listen(50)
if not path.isdigit():
    os.rename(path + ".new", path) # there when it listens

def serve(c):
    try:
        if how == "version":
            c.sendall(hello.replace(b"1\t2", b"9\t0"))
        elif how == "garbage":
            c.sendall(b"HTTP/1.0 200 Ok\r\n\r\n")
        elif how == "longline":
            c.sendall(b"VERSION\t1\t2\n" + b"x" * 100000 + b"\n")
        elif how == "flood":
            while True:
                c.sendall(b"MECH\tPLAIN\n" * 1000)
        else:
            c.sendall(hello)
        text = b""
        while b"AUTH\t" not in text:
            data = c.recv(1000)
            if not data:
                return
            text += data
        ident = text.split(b"AUTH\t")[1].split(b"\t")[0]
        if how == "badid":
            c.sendall(b"OK\t99999\tuser=joe\nOK\tx\tuser=joe\n")
        elif how == "baduser":
            c.sendall(b"OK\t" + ident + b"\tuser=\x01njoe\n")
        elif how == "midline":
            c.sendall(b"OK\t" + ident + b"\tuser=jo")
            return
        elif how == "close":
            return
        elif how in ("contdie", "conthang", "contbad"):
            c.sendall(b"CONT\t" + ident + b"\tVXNlcm5hbWU6\n")
            c.recv(1000)
            if how == "contbad":
                c.sendall(b"CONT\t" + ident + b"\t!!!\n")
            if how == "contdie":
                return
        time.sleep(20)
    except OSError:
        pass
    finally:
        c.close()

while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
