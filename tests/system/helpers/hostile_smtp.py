# SPDX-License-Identifier: ISC
"""
SMTP servers that break the protocol, one for each row of a table, each on a port of its own.

usage: hostile_smtp.py TABLE TAKEN
TABLE gets one line per server: port, name, and the extended regular expression that the log line
of a message to it must match behind its recipient. TAKEN gets the port of each message whose end
was answered by 250, when it is. A server ends each connection after 20 s. Waits to be killed.
"""
import os
import socket
import struct
import sys
import threading
import time

DOING = {
    "greeting": "receiving the initial server greeting",
    "ehlo": "performing the EHLO handshake",
    "mail": "sending MAIL FROM",
    "rcpt": "sending RCPT TO",
    "data": "sending DATA command",
    "dot": "sending end of data -- message may be sent more than once",
}
GOOD = {
    "greeting": b"220 hostile ESMTP\r\n",
    "ehlo": b"250-hostile\r\n250 SIZE 1000000\r\n",
    "mail": b"250 2.1.0 ok\r\n",
    "rcpt": b"250 2.1.5 ok\r\n",
    "data": b"354 go\r\n",
    "dot": b"250 2.0.0 taken\r\n",
}
PIPELINING = b"250-hostile\r\n250-SIZE 1000000\r\n250 PIPELINING\r\n"
SENT = r"dsn=2\.[0-9.]*, status=sent \(250 "


class Over(Exception):
    """The connection is to end, perhaps with a reset."""

    def __init__(self, reset=False):
        super().__init__()
        self.reset = reset


def wait_for_end(c):
    """Says nothing more, until the client gives up."""
    while c.recv(65536):
        pass
    raise Over()


def close(_c, _stage):
    raise Over()


def reset(_c, _stage):
    raise Over(reset=True)


def silent(c, _stage):
    wait_for_end(c)


def flood(piece, times):
    def act(c, _stage):
        for _ in range(times):
            c.sendall(piece)
        wait_for_end(c)
    return act


def dribble(c, stage):
    for byte in GOOD[stage].rstrip() * 20:
        c.sendall(bytes([byte]))
        time.sleep(0.3)


def good(act):
    """Marks what the client must take for the right answer."""
    act.good = True
    return act


def says(text, then=None):
    def act(c, stage):
        c.sendall(text)
        if then:
            then(c, stage)
    return act


@good
def slowly(c, stage):
    for byte in GOOD[stage]:
        c.sendall(bytes([byte]))
        time.sleep(0.02)


def early(c, _stage):
    """Everything that will ever be asked for, at once."""
    c.sendall(b"".join(GOOD.values()))
    wait_for_end(c)


def deferred(dsn, text):
    return r"dsn=%s, status=deferred \(.*%s" % (dsn, text)


def scenarios():
    """(name, stage, what happens there, PIPELINING offered, what the log says)"""
    for stage, doing in DOING.items():
        lost = deferred(r"4\.4\.2", "lost connection with .* while " + doing)
        late = deferred(r"4\.4\.2", "conversation with .* timed out while " + doing)
        nonsense = deferred(r"4\.5\.0", "protocol error: .* does not speak SMTP while " + doing)
        for piped in (False, True):
            if piped and stage in ("greeting", "ehlo"):
                continue
            tag = "-piped" if piped else ""
            yield "close" + tag, stage, close, piped, lost
            # what was sent before a reset may be lost with it
            yield "reset" + tag, stage, reset, piped, \
                deferred(r"4\.4\.[12]", "(lost connection with|Connection reset)")
            yield "silent" + tag, stage, silent, piped, late
            yield "dribble" + tag, stage, dribble, piped, late
            yield "garbage" + tag, stage, says(b"\x00\x01\xff<html>\r\n", silent), piped, nonsense
        code = GOOD[stage][:3]
        yield "endless", stage, flood((code + b"-and so on\r\n") * 500, 10000), False, nonsense
        yield "longline", stage, flood(code + b" " + b"x" * 65536, 160), False, nonsense
        yield "nolineend", stage, flood(b"x" * 65536, 160), False, nonsense
        yield "cr", stage, says(code + b" ok\r", silent), False, late
        for bad in (b"000", b"199", b"600", b"99", b"2500", b"2a0", b"-250"):
            yield "code" + bad.decode().replace("-", "minus"), stage, \
                says(bad + b" hm\r\n", silent), False, nonsense
        yield "code421", stage, says(b"421 4.3.2 bye\r\n", close), False, \
            deferred(r"4\.3\.2", r"421 4\.3\.2 bye")
        if stage not in ("greeting", "ehlo"):
            yield "code550", stage, says(b"550 5.7.1 no\r\n"), False, \
                r"dsn=5\.7\.1, status=bounced \(host .* said: 550 5\.7\.1 no \(in reply to "
            yield "code450", stage, says(b"450 4.7.1 later\r\n"), False, \
                deferred(r"4\.7\.1", r"said: 450 4\.7\.1 later")
            wrong = b"250 ok\r\n" if stage == "data" else b"354 what\r\n"
            yield "wrongcode", stage, says(wrong), False, \
                deferred(r"4\.5\.0", "said: " + wrong.decode().strip())
        yield "slowly", stage, slowly, False, SENT
        yield "lf", stage, good(says(GOOD[stage].replace(b"\r", b""))), False, SENT
        yield "controls", stage, \
            good(says(GOOD[stage].replace(b"\r\n", b" \x07\x1b[2J\xff\r\n"))), False, SENT
    yield "code550", "greeting", says(b"550 5.7.1 no\r\n"), False, \
        deferred(r"4\.7\.1", r"refused to talk to me: 550 5\.7\.1 no")
    yield "code550", "ehlo", says(b"550 5.7.1 no\r\n"), False, SENT
    yield "early", "greeting", early, False, \
        deferred(r"4\.5\.0", "does not speak SMTP")
    yield "bomb", "ehlo", says(b"250-x\r\n" + b"250-AUTH " + b"X " * 400 + b"\r\n" +
                               b"250-LIMITS RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=99999999999\r\n" +
                               b"250-SIZE 999999999999999999999999\r\n" +
                               b"250-PIPELINING " * 100 + b"\r\n" + b"250-SIZE\r\n" * 150 +
                               b"250 XFORWARD " + b"A " * 500 + b"\r\n"), False, SENT
    yield "bigbomb", "ehlo", says(b"250-x\r\n" + b"250-AUTH PLAIN\r\n" * 1000 + b"250 x\r\n", silent), \
        False, deferred(r"4\.5\.0", "does not speak SMTP while performing the EHLO handshake")
    yield "size1", "ehlo", says(b"250-x\r\n250 SIZE 1\r\n"), False, \
        r"dsn=5\.3\.4, status=bounced \(message size [0-9]+ exceeds size limit 1 of server"
    yield "reset-after", "dot", good(says(GOOD["dot"], reset)), False, SENT
    yield "two-answers", "dot", good(says(GOOD["dot"] * 2)), False, SENT
    yield "refused-twice", "dot", says(b"550 5.7.1 no\r\n250 ok\r\n"), False, \
        r"dsn=5\.7\.1, status=bounced"


class Server:
    def __init__(self, stage, act, piped, taken):
        self.stage, self.act, self.piped, self.taken = stage, act, piped, taken
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(5)
        self.port = self.listener.getsockname()[1]

    def is_good(self, stage):
        return stage != self.stage or getattr(self.act, "good", False)

    def answer(self, c, stage):
        if stage == self.stage:
            self.act(c, stage)
        elif stage == "ehlo" and self.piped:
            c.sendall(PIPELINING)
        else:
            c.sendall(GOOD[stage])

    def take_content(self, c, lines):
        line = b""
        while line != b".\r\n":
            line = lines.readline(100000)
            if not line:
                raise Over()
        if self.is_good("dot"):
            self.taken(self.port)
        self.answer(c, "dot")

    def converse(self, c):
        stages = {b"EHLO": "ehlo", b"MAIL": "mail", b"RCPT": "rcpt", b"DATA": "data"}
        lines = c.makefile("rb")
        self.answer(c, "greeting")
        while True:
            line = lines.readline(100000)
            if not line:
                raise Over()
            stage = stages.get(line[:4].upper())
            if not stage:
                c.sendall(b"250 ok\r\n")
                continue
            self.answer(c, stage)
            if stage == "data" and self.is_good("data"):
                self.take_content(c, lines)

    def run(self):
        while True:
            c, _ = self.listener.accept()
            c.settimeout(120)
            try:
                self.converse(c)
            except Over as over:
                if over.reset:
                    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            c.close()


def main():
    table_path, taken_path = sys.argv[1:3]
    lock = threading.Lock()
    rows = []

    def taken(port):
        with lock, open(taken_path, "a", encoding="ascii") as f:
            f.write("%d\n" % port)

    for name, stage, act, piped, log in scenarios():
        server = Server(stage, act, piped, taken)
        rows.append("%d\t%s-%s\t%s\n" % (server.port, stage, name, log))
        threading.Thread(target=server.run, daemon=True).start()
    with open(table_path + ".new", "w", encoding="ascii") as f:
        f.writelines(rows)
    os.rename(table_path + ".new", table_path)
    threading.Event().wait()


if __name__ == "__main__":
    main()
