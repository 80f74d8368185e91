#!/usr/bin/python3
"""Address mapping: the cases, and what a next hop gets to see of them.

  mapping.py settings         lines of main.cf, the same for both systems
  mapping.py run PORT SINK    sends the cases to an smtpd on PORT that relays all mail to SINK, where
                              this program listens; prints envelopes and headers as they came there
"""
import smtplib
import socket
import sys
import threading
import time

MAPS = {
    "canonical_maps": [
        ("chain1@a.test", "chain2@a.test"), ("chain2@a.test", "chain3@a.test"),
        ("both@a.test", "canon@a.test"), ("ext@a.test", "extc@a.test"),
        ("extk+one@a.test", "keyed@a.test"), ("extk@a.test", "plain@a.test"),
        ("bare", "Bare.Name@a.test"), ("@dom.test", "@newdom.test"),
        ("@fixed.test", "fixed@a.test"), ("self@a.test", "self@a.test"),
        ("short@a.test", "shortname"), ("quoted@a.test", '"a b"@a.test'),
        ("UPPER@a.test", "lower@a.test"), ("two@a.test", "first@a.test, second@a.test"),
    ],
    "sender_canonical_maps": [("send@a.test", "sent@a.test"), ("both@a.test", "sboth@a.test")],
    "recipient_canonical_maps": [("rec@a.test", "received@a.test"), ("both@a.test", "rboth@a.test")],
    "virtual_alias_maps": [
        ("multi@v.test", "one@r.test two@r.test, three@r.test"), ("deep@v.test", "multi@v.test x@r.test"),
        ("self@r.test", "self@r.test, other@r.test"), ("dup@v.test", "one@r.test ONE@r.test one@r.test"),
        ("ext@v.test", "target@r.test"), ("extm@v.test", "t1@r.test, t2@r.test"),
        ("@all.test", "@r.test"), ("@one.test", "catch@r.test"), ("known@one.test", "person@r.test"),
        ("localpart", "lp@r.test"), ("domkey@v.test", "nodomain"), ("Case@V.test", "cased@r.test"),
        ("canon2@a.test", "aftercanon@r.test"), ("extk+one@v.test", "keyed@r.test"),
        ("quoted@v.test", '"x y"@r.test'), ("chain@v.test", "sub+more@v.test"), ("sub@v.test", "end@r.test"),
        ("ping@v.test", "pong@v.test"), ("pong@v.test", "ping@v.test"),
        ("big@v.test", " ".join(f"n{i}@r.test" for i in range(60))),
    ],
    "sender_bcc_maps": [("watched@a.test", "watcher@w.test"), ("@wdom.test", "domwatch@w.test")],
    "recipient_bcc_maps": [("one@w.test", "copy-one@w.test"), ("loc", "copyloc")],
}

# name, sender, recipients, header lines
CASES = [
    ("plain", "a@x.test", ["b@y.test"], ["From: A <a@x.test>", "To: b@y.test"]),
    ("canonical-chain", "chain1@a.test", ["chain1@a.test"], ["From: chain1@a.test", "To: C <chain1@a.test>"]),
    ("canonical-order", "both@a.test", ["both@a.test"], ["From: both@a.test", "To: both@a.test", "Reply-To: both@a.test", "Cc: both@a.test"]),
    ("canonical-sender-only", "send@a.test", ["send@a.test"], ["From: send@a.test", "To: send@a.test", "Sender: send@a.test", "Errors-To: send@a.test"]),
    ("canonical-recipient-only", "rec@a.test", ["rec@a.test"], ["From: rec@a.test", "To: rec@a.test", "Resent-To: rec@a.test", "Resent-From: rec@a.test"]),
    ("canonical-extension", "ext+e@a.test", ["ext+f@a.test", "extk+one@a.test", "extk+two@a.test"], ["From: ext+e@a.test", "To: ext+f@a.test"]),
    ("canonical-bare", "bare", ["bare@origin.test", "bare@example.org", "bare@a.test"], ["From: bare", "To: bare@example.org"]),
    ("canonical-domain", "u+x@dom.test", ["u@sub.dom.test", "u+y@dom.test"], ["From: u@dom.test"]),
    ("canonical-domain-fixed", "u+x@fixed.test", ["v@fixed.test"], ["From: u@fixed.test"]),
    ("canonical-self", "self@a.test", ["self@a.test"], ["From: self@a.test"]),
    ("canonical-short", "short@a.test", ["short@a.test"], ["From: short@a.test"]),
    ("canonical-quoted", "quoted@a.test", ["quoted@a.test"], ["From: X <quoted@a.test>"]),
    ("canonical-case", "upper@A.test", ["UPPER@a.test"], ["From: Upper@a.test"]),
    ("canonical-two", "two@a.test", ["two@a.test"], ["From: two@a.test"]),
    ("masquerade", "u@h.foo.m.test", ["u@h.foo.m.test"], ["From: u@h.foo.m.test", "To: u@h.m.test, w@h.x.m.test, z@m.test, q@xm.test"]),
    ("masquerade-root", "root@h.m.test", ["u@h.m.test"], ["From: root@h.m.test", "To: Root@h.m.test"]),
    ("masquerade-not", "u@h.x.m.test", ["u@h.m.test"], ["From: u@x.m.test"]),
    ("virtual-multi", "a@x.test", ["multi@v.test"], ["To: multi@v.test"]),
    ("virtual-deep", "a@x.test", ["deep@v.test", "one@r.test"], []),
    ("virtual-self", "a@x.test", ["self@r.test"], []),
    ("virtual-dup", "a@x.test", ["dup@v.test"], []),
    ("virtual-ext", "a@x.test", ["ext+e@v.test", "extm+f@v.test", "extk+one@v.test"], []),
    ("virtual-domain", "a@x.test", ["u+e@all.test"], []),
    ("virtual-catch", "a@x.test", ["u+e@one.test", "known+e@one.test"], []),
    ("virtual-bare", "a@x.test", ["localpart@example.org", "localpart+e@example.org", "localpart@r.test"], []),
    ("virtual-domkey", "a@x.test", ["domkey@v.test"], []),
    ("virtual-case", "a@x.test", ["CASE@v.TEST"], []),
    ("virtual-quoted", "a@x.test", ["quoted@v.test"], []),
    ("virtual-chain-ext", "a@x.test", ["chain@v.test", "chain+q@v.test"], []),
    ("virtual-big", "a@x.test", ["big@v.test"], []),
    ("duplicates", "a@x.test", ["b@y.test", "b@y.test", "B@y.test"], []),
    ("bcc-sender", "watched@a.test", ["b@y.test"], []),
    ("bcc-sender-ext", "watched+e@a.test", ["b@y.test"], []),
    ("bcc-domain", "u@wdom.test", ["b@y.test"], []),
    ("bcc-recipient", "a@x.test", ["one@w.test", "loc@example.org"], []),
    ("bcc-twice", "watched@a.test", ["always@w.test", "watcher@w.test"], []),
    ("null-sender", "", ["b@y.test"], ["From: <>"]),
    ("header-folded", "a@x.test", ["b@y.test"], ["To: one <send@a.test>, two <rec@a.test>", "Cc: group: rec@a.test, self@a.test;"]),
    # these are refused
    ("loop", "a@x.test", ["ping@v.test"], []),
]
SHOWN = ("from", "to", "cc", "reply-to", "sender", "errors-to", "resent-to", "resent-from")


def settings():
    for name, entries in MAPS.items():
        print(f"{name} = inline:{{")
        for key, value in entries:
            print(f"\t{{ {key} = {value} }}")
        print("\t}")
    print("""virtual_alias_domains = v.test all.test one.test
masquerade_domains = foo.m.test !x.m.test m.test
masquerade_exceptions = root
always_bcc = always@w.test
recipient_delimiter = +
myorigin = origin.test
mydestination = example.org
smtpd_recipient_limit = 200
append_dot_mydomain = no
local_recipient_maps =""")


class Sink(threading.Thread):
    """Takes mail; what it got is in self.got: name of case -> list of (sender, recipients, headers)"""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.got, self.lock = {}, threading.Lock()
        self.server = socket.create_server(("127.0.0.1", port), backlog=50)

    def run(self):
        while True:
            conn, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        lines = conn.makefile("rb")
        conn.sendall(b"220 sink\r\n")
        sender, rcpts = "", []
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            verb = line[:4].upper()
            if verb == "MAIL":
                sender, rcpts = line[10:], []
            elif verb == "RCPT":
                rcpts.append(line[8:])
            elif verb == "DATA":
                conn.sendall(b"354 go\r\n")
                self.note(sender, rcpts, self.content(lines))
            elif verb == "QUIT":
                conn.sendall(b"221 bye\r\n")
                break
            conn.sendall(b"250 ok\r\n")
        conn.close()

    @staticmethod
    def content(lines):
        fields = []
        body = False
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line == ".":
                break
            body = body or line == ""
            if not body and line[:1] in " \t" and fields:
                fields[-1] += "\n" + line
            elif not body:
                fields.append(line)
        return fields

    def note(self, sender, rcpts, fields):
        name = "".join(f[8:] for f in fields if f.startswith("X-Case: "))
        shown = [f for f in fields if f.split(":")[0].lower() in SHOWN]
        with self.lock:
            self.got.setdefault(name, []).append((sender, rcpts, shown))


def run(port, sink_port):
    sink = Sink(sink_port)
    sink.start()
    answers = {}
    for name, sender, rcpts, fields in CASES:
        client = smtplib.SMTP("127.0.0.1", port, local_hostname="client.test")
        client.ehlo()
        said = []
        said.append(client.docmd(f"MAIL FROM:<{sender}>")[0])
        for rcpt in rcpts:
            said.append(client.docmd(f"RCPT TO:<{rcpt}>")[0])
        client.docmd("DATA")
        text = "\n".join(fields + [f"X-Case: {name}", "", "text", "."]).replace("\n", "\r\n")
        client.send(text + "\r\n")
        code, reply = client.getreply()
        said.append(reply.decode().split(" ")[0] if code != 250 else 250)
        if code != 250:
            said[-1] = f"{code} {reply.decode()}"
        client.quit()
        answers[name] = said
    deadline = time.time() + 100
    while time.time() < deadline:
        missing = [n for n, s in answers.items() if s[-1] == 250 and n not in sink.got]
        if not missing:
            break
        time.sleep(0.05)
    time.sleep(0.3)
    for name, *_ in CASES:
        print(f"== {name}: {' '.join(str(a) for a in answers[name])}")
        got = sink.got.get(name, [])
        for sender in sorted({s for s, _, _ in got}):
            print(f"from {sender}")
        for rcpt in sorted(r for _, rcpts, _ in got for r in rcpts):
            print(f"to {rcpt}")
        for field in got[0][2] if got else []:
            print(field)


if __name__ == "__main__":
    if sys.argv[1] == "settings":
        settings()
    else:
        run(int(sys.argv[2]), int(sys.argv[3]))
