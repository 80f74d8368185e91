#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Helper of 39-dialogues.sh: plays the dialogues of a table and shows what came of them.

  dialogues.py master TABLE NETWORK PORT      master.cf entries: a service for each group of settings
  dialogues.py run TABLE NETWORK PORT SINK LOG [reference]  plays all; shows replies, log lines and what next hops got

A table has "@group" with lines "    parameter = value" behind it (a group holds until the next one),
"$macro = steps" and "name: steps". Steps are parted by " | ":
  TEXT    a command line, and the reply is awaited        &TEXT  the same, in one packet with the next
  ~TEXT   bytes for the packet of the next step           =TEXT  a packet of its own, no reply awaited
  ?N      N replies are awaited                           !wait  until the server ends the connection
  !half   no more will be said, then as !wait             !close, !reset  the client is gone
Escapes are Python's, {x*3} is xxx, $macro is what it stands for. A case with "%" in its steps is played
for each of the indented lines below it, from the step with the "%" on; the steps before it once.
QUIT comes by itself. Cases whose names begin with own- are not for Postfix, which does otherwise there. Cases are told apart in the log by the client's address.
"""
import itertools
import re
import socket
import sys
import threading
import time

WAIT = 120.0
EXPECTED = [("", ["220 mail.example.org ESMTP"]), ("RSET", ["250 2.0.0 Ok"]), ("QUIT", ["221 2.0.0 Bye", "(closed)"])]


def expand(text):
    data = text.encode().decode("unicode_escape").encode("latin-1")
    return re.sub(rb"\{([^{}]+)\*(\d+)\}", lambda m: m[1] * int(m[2]), data)


def load(path):
    groups, cases, macros = {}, [], {}
    group = case = None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("@"):
            group, case = line[1:], None
            groups[group] = []
        elif line[0] == " " and case is None:
            groups[group].append(line.strip())
        elif line[0] == " ":
            case["rows"].append(line.strip())
        else:
            name, steps = re.match(r"(\$?[\w.-]+)(?:: | = )(.*)", line).groups()
            steps = [s for step in steps.split(" | ") for s in macros.get(step, [step])]
            if name[0] == "$":
                macros[name] = steps
            else:
                case = {"name": name, "group": group, "steps": steps, "rows": []}
                cases.append(case)
    for case in cases:
        at = next((i for i, s in enumerate(case["steps"]) if case["rows"] and "%" in s), None)
        if at is not None:
            head, tail = case["steps"][:at], case["steps"][at:]
            case["steps"] = head + [s.replace("%", row) for row in case["rows"] for s in tail]
    return groups, cases


def shown(data):
    text = "".join(chr(c) if 32 <= c < 127 else "\\x%02x" % c for c in data)
    text = text.replace("\\x0d\\x0a", "\\r\\n").replace("\\x0a", "\\n").replace("\\x0d", "\\r").replace("\\x00", "\\0")
    return text if len(text) <= 150 else "%s...%d" % (text[:60], len(data))


class Client:
    def __init__(self, source, host, port):
        self.out, self.buffer, self.pending, self.said, self.over = [], b"", 0, [], False
        self.s = socket.socket()
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.settimeout(WAIT)
        self.s.bind((source, 0))
        self.s.connect((host, port))
        self.f = self.s.makefile("rb")

    def reply(self):
        lines = []
        while not self.over:
            try:
                line = self.f.readline()
            except socket.timeout:
                return "/".join(lines + ["(silence)"])
            except OSError:
                line = b""
            if not line:
                self.over = True
                return "/".join(lines + ["(closed)"])
            if not line.endswith(b"\r\n"):
                line += b"(no CRLF)\r\n"
            lines.append(shown(line[:-2]))
            if line[3:4] != b"-":
                return "/".join(lines)
        return "(closed)"

    def add(self, what, data, replies):
        self.buffer += data
        self.pending += replies
        self.said.append(what)

    def flush(self):
        try:
            self.s.sendall(self.buffer)
        except OSError:
            pass
        self.buffer = b""

    def listen(self, count=None):
        self.flush()
        replies = [self.reply() for _ in range(self.pending if count is None else count)]
        self.pending = 0
        self.tell(replies)

    def tell(self, replies):
        what, self.said = " + ".join(self.said), []
        if (what, replies) not in EXPECTED:
            self.out.append("%s => %s" % (what, " & ".join(replies)))

    def to_end(self):
        self.flush()
        replies = []
        while not self.over and len(replies) < 100:
            replies.append(self.reply())
            if replies[-1].endswith("(silence)"):
                break
        self.pending = 0
        self.tell(replies)

    def play(self, steps):
        self.s.settimeout(WAIT)
        self.pending = 1
        self.listen()
        for step in steps:
            kind, text = step[:1], step[1:]
            if kind == "=":
                self.add(shown(expand(text)), expand(text), 0)
                self.flush()
                time.sleep(0.15)
            elif kind == "~":
                self.add(shown(expand(text)), expand(text), 0)
            elif kind == "&":
                self.add(shown(expand(text)), expand(text) + b"\r\n", 1)
            elif kind == "?":
                self.listen(int(text))
            elif step == "!wait":
                self.to_end()
            elif step == "!half":
                self.flush()
                self.s.shutdown(socket.SHUT_WR)
                self.to_end()
            elif step in ("!close", "!reset"):
                self.flush()
                if step == "!reset":
                    self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.f.close()
                self.s.close()
                return
            else:
                self.add(shown(expand(step)), expand(step) + b"\r\n", 1)
                if step.upper() == "QUIT":
                    self.to_end()
                else:
                    self.listen()
        if not self.over:
            self.add("QUIT", b"QUIT\r\n", 1)
            self.to_end()
        self.f.close()
        self.s.close()


class Sink:
    """The next hop: what it gets is kept by the queue id in our own Received: line."""

    def __init__(self, port):
        self.got = []
        server = socket.create_server(("127.0.0.1", port), backlog=100)
        threading.Thread(target=self.accept, args=(server,), daemon=True).start()

    def accept(self, server):
        while True:
            conn, _ = server.accept()
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        f, envelope = conn.makefile("rb"), []

        def say(text):
            conn.sendall(text.encode() + b"\r\n")

        say("220 sink.test ESMTP")
        for line in f:
            verb = line[:4].upper()
            if verb == b"EHLO":
                say("250-sink.test\r\n250-SIZE\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8")
            elif verb == b"DATA":
                say("354 go on")
                content = []
                for text in f:
                    if text == b".\r\n":
                        break
                    content.append(text)
                self.got.append((envelope, content))
                envelope = []
                say("250 2.0.0 taken")
            elif verb == b"QUIT":
                break
            else:
                if verb == b"MAIL":
                    envelope = []
                if verb in (b"MAIL", b"RCPT"):
                    envelope.append(re.sub(rb" SIZE=\d+", b"", line))
                say("250 2.0.0 ok")
        conn.close()


def clean(text):
    for pattern, new in (
        (r"127\.77\.\d+\.\d+", "CLIENT"), (r"127\.\d+\.9\.\d+(:\d+)?", "SERVER"), (r"\]:\d{4,5}\b", "]:PORT"), (r"-CHUNKING.250 LIMITS RCPTMAX=\d+", " CHUNKING"),
        (r"\b[BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0-9]{10,}\b(?=:|;|$|>|,|\\)", "ID"), (r"queued as \w+", "queued as ID"), (r" id \w+", " id ID"),
        (r"[MTWFS][a-z]{2}, +\d+ [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4} \(\w+\)", "DATE"),
        (r"<\d{14}\.\w+@", "<ID@"), (r" pid=\d+", ""), (r"postern-\w+", "postern")):
        text = re.sub(pattern, new, text)
    return text


def read_log(path):
    """log lines of smtpd and cleanup by client address, and the clients of queue ids"""
    lines, ids, now = {}, {}, {}
    for line in open(path, "rb"):
        m = re.search(r"(smtpd|cleanup)\[(\d+)\]: (.*)", line.decode("utf-8", "backslashreplace").rstrip("\n"))
        if not m or m[3].startswith("debug:"):
            continue
        who = re.match(r"connect from \S*\[(127\.77\.[\d.]+)\]", m[3])
        if who:
            now[m[2]] = who[1]
        client = now.get(m[2])
        queued = re.match(r"(\w+): (client=)?", m[3])
        if queued and queued[2] and client:
            ids[queued[1]] = client
        elif queued and m[1] == "cleanup":
            client = ids.get(queued[1])
        if client and not re.match(r"(dis)?connect from|\w+: message-id=", m[3]) or m[3].startswith("disconnect"):
            lines.setdefault(client, []).append(clean(re.sub(r"^(warning: )?(?!NOQUEUE|warning)[A-Za-z0-9]{10,}: ", r"\1ID: ", m[3])))
        if m[3].startswith("disconnect"):
            now.pop(m[2], None)
    return lines, ids


def address(network, i):
    return "127.%s.9.%d" % (network, i + 1)


def source(i):
    return "127.77.%d.%d" % (i // 200, i % 200 + 1)


def master(path, network, port):
    groups, _ = load(path)
    for i, (name, settings) in enumerate(groups.items()):
        print("%s:%s inet n - n - 60 smtpd" % (address(network, i), port))
        print("    -o syslog_name=postfix/%s" % name)
        for setting in settings:
            print("    -o { %s }" % setting)


def run(path, network, port, sink_port, log, reference=""):
    groups, cases = load(path)
    if reference:
        cases = [c for c in cases if not c["name"].startswith("own-")]
    sink = Sink(int(sink_port))
    hosts = {name: address(network, i) for i, name in enumerate(groups)}
    gate = threading.Semaphore(40)

    def one(i, case):
        with gate:
            client = None
            try:
                client = Client(source(i), hosts[case["group"]], int(port))
                client.play(case["steps"])
                case["out"] = client.out
            except Exception as e:
                case["out"] = (client.out if client else []) + ["%s: %s" % (type(e).__name__, e)]

    threads = [threading.Thread(target=one, args=work) for work in enumerate(cases)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    end = time.time() + 100
    while time.time() < end:
        lines, ids = read_log(log)
        done = all(any(x.startswith("disconnect") for x in lines.get(source(i), [])) for i in range(len(cases)))
        taken = sum(reply.count("queued as") for case in cases for reply in case["out"])
        if done and len(sink.got) >= taken:
            break
        time.sleep(0.1)
    time.sleep(0.3)
    lines, ids = read_log(log)
    for i, case in enumerate(cases):
        print("== %s" % case["name"])
        for line in case["out"]:
            print(clean(line))
        for line in lines.get(source(i), ["(nothing logged)"]):
            print("# " + line)
        for envelope, content in sorted(sink.got, key=lambda m: (m[0], [x for x in m[1] if b" id " not in x and b"; " not in x])):
            m = next(filter(None, (re.search(rb"(?:by|\t).* id (\w+)", line) for line in content)), None)
            if m and ids.get(m[1].decode()) == source(i):
                for line in envelope:
                    print("> " + clean(shown(line.rstrip(b"\r\n"))))
                for line, same in itertools.groupby(content):
                    count = len(list(same))
                    print("  " + clean(shown(line[:-2])) + (" (%d times)" % count if count > 1 else ""))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
