#!/usr/bin/python3
"""header_checks and body_checks of mail that comes in: the cases, and what a next hop gets of them.

  content.py settings DIR     lines of main.cf, the same for both systems; tables are made in DIR
  content.py run PORT SINK    sends the cases to an smtpd on PORT that relays all mail to SINK, where
                              this program listens; prints replies and what came
  content.py log FILE         the log lines about them
"""
import re
import smtplib
import sys
import threading
import time

from mapping import Sink

TABLES = {
    "header_checks": r"""
/^Subject: reject$/ REJECT
/^Subject: reject-text$/ REJECT no such subject
/^Subject: reject-dsn$/ REJECT 5.7.9 not this one
/^Subject: reject-later$/ REJECT 4.7.9 not now
/^Subject: discard/ DISCARD nobody wants it
/^Subject: hold/ HOLD look at it
/^Subject: redirect/ REDIRECT other@r.test
/^Subject: badredirect/ REDIRECT nobody
/^Subject: bcc/ BCC copy@r.test
/^Subject: filter/ FILTER smtp:[127.0.0.1]:1
/^Subject: badfilter/ FILTER smtp
/^Subject: warn/ WARN is it?
/^Subject: info/ INFO it is
/^Subject: pass/ PASS
/^Subject: prepend/ PREPEND X-New: field
/^Subject: badprepend/ PREPEND no field
/^Subject: (.*)replace/ REPLACE Subject: instead $1
/^Subject: badreplace/ REPLACE nothing
/^Subject: dunno/ DUNNO
/^Subject: unknown/ FROBNICATE it
/^Subject: nothing/ REPLACE
/^X-Gone:/ IGNORE
/^X-Strip:/ STRIP taken out
/^X-Fold: .*\n.*folded/ WARN it is folded
/^Received: .*from client.test/ REPLACE Received: from somewhere
/^To: (.*)rewrite/ REPLACE To: chain1@a.test
""",
    "mime_header_checks": r"""
/^Content-Type: .*\.exe/ REJECT no programs
/^Content-Type: .*\.txt/ WARN text
/^X-Part:/ IGNORE
""",
    "nested_header_checks": r"""
/^Subject: inner/ INFO nested
/^X-Inner:/ REPLACE X-Other: inner
""",
    "body_checks": r"""
/^bad line/ REJECT bad words
/^drop this/ IGNORE
/^strip this/ STRIP
/^change (.*)/ REPLACE changed $1
/^before/ PREPEND inserted
/^warn/ WARN of a line
/^discard the/ DISCARD
/^hold the/ HOLD
/^late words/ WARN late
""",
}

MULTI = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"', "", "preamble warn", "--b",
         "Content-Type: text/plain; name=a.txt", "X-Part: gone", "", "warn in a part", "drop this", "--b",
         "Content-Type: message/rfc822", "", "Subject: inner", "X-Inner: x", "X-Gone: here it stays", "",
         "change me", "--b--", "epilogue"]
LONG = ["x" * 70] * 900

CASES = [(s.replace(" ", "-") + str(i), [f"Subject: {s}", "", "text"]) for i, s in enumerate(
    ["plain", "reject", "reject-text", "reject-dsn", "reject-later", "discard", "hold", "redirect", "badredirect", "bcc",
     "badfilter", "warn", "info", "pass", "prepend", "badprepend", "me replace", "badreplace", "dunno", "unknown",
     "nothing"])]
CASES += [
    ("gone", ["X-Gone: a", "X-Strip: b", "X-Fold: one", "\tfolded two", "Subject: s", "", "text"]),
    ("to", ["To: rewrite", "", "text"]),
    ("lines", ["Subject: s", "", "one", "drop this", "strip this", "change it", "before it", "warn", "", "end"]),
    ("badline", ["Subject: s", "", "one", "bad line here", "two"]),
    ("discardline", ["Subject: s", "", "discard the rest"]),
    ("holdline", ["Subject: s", "", "hold the line"]),
    ("passbody", ["Subject: pass", "", "bad line here"]),
    ("multi", MULTI),
    ("exe", ["MIME-Version: 1.0", "Content-Type: application/x; name=a.exe", "", "text"]),
    ("late", ["Subject: s", ""] + LONG + ["late words"]),
    ("early", ["Subject: s", ""] + LONG[:100] + ["late words"]),
    ("nobody", ["Subject: s", "X-Gone: a"]),
    ("nul", ["Subject: s", "", "a", "warn\tof it"]),
]


class ContentSink(Sink):
    def note(self, sender, rcpts, fields):
        name = "".join(f[8:] for f in fields if f.startswith("X-Case: "))
        with self.lock:
            self.got.setdefault(name, []).append((sender, rcpts, fields))

    @staticmethod
    def content(lines):
        fields = []
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line == ".":
                return fields
            fields.append(line)


def settings(folder):
    for name, text in TABLES.items():
        with open(f"{folder}/{name}", "w") as out:
            out.write(text.lstrip())
        print(f"{name} = regexp:{folder}/{name}")
    print("""canonical_maps = inline:{ { chain1@a.test = chain2@a.test } }
mydestination =
local_recipient_maps =
notify_classes =
smtpd_peername_lookup = no""")


def squeeze(lines):
    """The content without what differs from run to run."""
    out, skip = [], False
    for line in lines:
        if skip and line[:1] in " \t":
            continue
        skip = bool(re.match(r"(Received|Date|Message-I[dD]):", line)) and "somewhere" not in line
        if skip or line == "x" * 70:
            continue
        out.append(line.rstrip())
    return out


def run(port, sink_port):
    sink = ContentSink(sink_port)
    sink.start()
    answers = {}
    for name, lines in CASES:
        client = smtplib.SMTP("127.0.0.1", port, local_hostname="client.test")
        client.ehlo()
        client.docmd("MAIL FROM:<s@x.test>")
        client.docmd(f"RCPT TO:<{name}@r.test>")
        client.docmd("DATA")
        client.send("\r\n".join([f"X-Case: {name}"] + lines + [".", ""]))
        code, reply = client.getreply()
        answers[name] = f"{code} {reply.decode()}" if code != 250 else "250"
        client.quit()
    silent = ("discard", "hold")
    deadline = time.time() + 100
    while time.time() < deadline and any(
            a == "250" and n not in sink.got and not n.startswith(silent) for n, a in answers.items()):
        time.sleep(0.05)
    for name, _ in CASES:
        print(f"== {name}: {answers[name]}")
        for sender, rcpts, lines in sink.got.get(name, []):
            print(f"from {sender} to {' '.join(sorted(rcpts))}")
            print("\n".join(squeeze(lines)))


def log(path):
    for line in open(path, errors="replace"):
        found = re.search(r"cleanup\[\d+\]: (warning: )?\w+: (\w+: (header|body) .*)", line)
        if found and "Received:" not in line:
            print(found.group(2).rstrip())


if sys.argv[1] == "settings":
    settings(sys.argv[2])
elif sys.argv[1] == "log":
    log(sys.argv[2])
else:
    run(int(sys.argv[2]), int(sys.argv[3]))
