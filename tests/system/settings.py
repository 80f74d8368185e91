#!/usr/bin/python3
# Helper of 36-settings.sh: settings of an smtpd, what a client says to it, and what comes of that: the
# replies, the log lines, the mail.
#   settings.py master NETWORK PORT         master.cf entries: a service for each case
#   settings.py sink PORT FILE              takes the mail, until it is killed
#   settings.py run NETWORK PORT            replies to standard output, case by case
#   settings.py log FILE                    smtpd's log lines, case by case
#   settings.py mail FILE                   what the sink has, case by case
#   settings.py bad PORT                    master.cf entries that must be refused
# A dialogue is steps with "|" between them: a command, to which the reply is read, or
#   H          EHLO, of which only the code of the reply counts (E: all of it)
#   M, R       MAIL FROM and RCPT TO of the usual sender and recipient; D: DATA and a message
#   !text      text as it stands, with \r, \n and \0 (no CRLF, no reply)
#   ?          a reply       ~1.5   a pause      x      hang up
#   t          the time that passed since the last t, in smtpd_error_sleep_time (6 s)
#   7*command  the command seven times
import re, socket, socketserver, sys, threading, time
from restrictions import address_of, Tcp
from settings_cases import BAD, CASES

SHORT = {"M": "MAIL FROM:<s@sender.test>", "R": "RCPT TO:<user@example.org>"}




# ---- the client -----------------------------------------------------------------------------------
def reply(f):
    lines = []
    while True:
        line = f.readline().decode("utf-8", "replace").rstrip("\r\n")
        lines.append(line or "(closed)")
        if line[3:4] != "-":
            return " / ".join(lines)


def clean(text):
    for what, with_what in (
            (r"queued as \w+", "queued as ID"),
            (r"warning: \w+: queue", "warning: ID: queue"),
            (r"mail queue: \d+ bytes < .*", "mail queue: ..."),
            (r"\w{3} [ \d]\d \d\d:\d\d:\d\d", "TIME"),
            (r"(/| Out:) 250-CHUNKING (/| Out:) 250 LIMITS RCPTMAX=\d+", r"\1 250 CHUNKING"),
            (r" / 250-(\w+) / 250 LIMITS RCPTMAX=\d+", r" / 250 \1")):
        text = re.sub(what, with_what, text)
    text = re.sub(r"127\.[12]\.\d+\.\d+(:\d+)?", "SERVER", text)
    return re.sub(r"(127\.0\.0\.1\]?):\d+", r"\1:PORT", text)


def converse(name, host, port, steps):
    source = steps.pop(0)[5:] if steps[0].startswith("from ") else "127.0.0.1"
    greeted = steps[0] != "-"
    s = socket.create_connection((host, port), 120, source_address=(source, 0))
    f = s.makefile("rb")
    if greeted:
        yield reply(f)
    last = time.time()  # a process that starts first takes what it takes
    for step in steps if greeted else steps[1:]:
        many = re.match(r"(\d+)\*(.*)", step)
        if step == "t":
            yield "%d sleeps" % ((time.time() - last) / 5.9)
            last = time.time()
        elif step[0] == "~":
            time.sleep(float(step[1:]))
        elif step == "?":
            yield reply(f)
        elif step == "x":
            s.shutdown(socket.SHUT_RDWR)
            return
        elif step[0] == "!":
            s.sendall(step[1:].encode().decode("unicode_escape").encode("latin-1"))
        elif step in "HE":
            s.sendall(b"EHLO %s.client.example\r\n" % name.encode())
            said = reply(f)
            yield said if step == "E" or said[:3] != "250" else "250"
        elif step == "D":
            s.sendall(b"DATA\r\n")
            said = reply(f)
            yield said
            if said[:3] == "354":
                s.sendall(b"Subject: %s\r\n\r\ntext\r\n.\r\n" % name.encode())
                yield reply(f)
        else:
            line = many[2] if many else step
            for _ in range(int(many[1]) if many else 1):
                s.sendall(SHORT.get(line, line).encode() + b"\r\n")
                yield reply(f)
    s.sendall(b"QUIT\r\n")
    yield reply(f)


def run_case(name, host, port, dialogue):
    out = []
    for session in dialogue.split("||"):
        try:
            for said in converse(name, host, port, session.split("|")):
                out.append(clean(said))
                if "(closed)" in said:
                    break
        except OSError as e:
            out.append("(closed)" if isinstance(e, ConnectionError) else str(e))
    return out


def run(network, port, only=""):
    results, names = {}, [n for n in CASES if n.startswith(only)]
    gate = threading.Semaphore(40)

    def work(i, name):
        with gate:
            results[name] = run_case(name, address_of(network, i), int(port), CASES[name][1])

    threads = [threading.Thread(target=work, args=(i, n)) for i, n in enumerate(CASES) if n in names]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for name in names:
        print("%s < %s" % (name, " | ".join(results[name])))


# ---- the servers ----------------------------------------------------------------------------------
def master(network, port):
    for i, (name, (settings, _)) in enumerate(CASES.items()):
        print("%s:%s inet n - n - - smtpd" % (address_of(network, i), port))
        print("    -o syslog_name=case-%s" % name)
        cleanup = {k[2:]: v for k, v in settings.items() if k.startswith("c:")}
        for key, value in settings.items():
            if not key.startswith("c:"):
                print("    -o { %s = %s }" % (key, value) if key[0] != "-" else "    -o %s=%s" % (key[1:], value))
        if cleanup:
            print("    -o cleanup_service_name=cleanup-%s" % name)
            print("cleanup-%s unix n - n - 0 cleanup" % name)
            for key, value in cleanup.items():
                print("    -o { %s = %s }" % (key, value))


class Sink(socketserver.StreamRequestHandler):
    def handle(self):
        envelope, say = [], lambda text: self.wfile.write(text + b"\r\n")
        say(b"220 sink ESMTP")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                say(b"250-sink\r\n250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN")
            elif verb == b"DATA":
                say(b"354 go")
                text = b""
                for line in self.rfile:
                    if line == b".\r\n":
                        break
                    text += line
                with self.server.lock:
                    self.server.out.write(b"".join(envelope[:1] + sorted(envelope[1:])) + b"\n" + text + b"\f\n")
                    self.server.out.flush()
                envelope = []
                say(b"250 ok")
            elif verb == b"QUIT":
                say(b"221 bye")
                return
            else:
                if verb in (b"MAIL", b"RCPT"):
                    envelope.append(line)
                say(b"250 ok")


def sink(port, path):
    server = Tcp(("127.0.0.1", int(port)), Sink)
    server.out, server.lock = open(path, "wb"), threading.Lock()
    print("ready", flush=True)
    server.serve_forever()


# ---- what they left -------------------------------------------------------------------------------
def log(path):
    found = {name: [] for name in CASES}
    for line in open(path, errors="replace"):
        m = re.search(r" case-([\w-]+)/smtpd\[\d+\]: (.*)", line)
        if m and not m[2].startswith("connect from"):
            text = re.sub(r"^(?!NOQUEUE|warning|connect|disconnect|lost|timeout|too|improper)[0-9A-Za-z]{6,20}: ", "ID: ", m[2])
            found[m[1]].append(clean(text))
    for name in CASES:
        for text in found[name]:
            print("%s # %s" % (name, text))


# what each system says in words of its own
WORDS = re.compile(r"^(Auto-Submitted|MIME-Version|Content-T[\w-]+): .*\n|^(What was said|Transcript of) .*\n|"
                   r"^(The mail log of|For other details, see) .*\n|^ Out: 250 LIMITS.*\n|\n(?=     in )", re.M)


def mail(path):
    found = {name: [] for name in CASES}
    for message in open(path, errors="replace", newline="").read().replace("\r\n", "\n").split("\f\n"):
        m = re.search(r"([\w-]+)\.client\.example|^Subject: ([\w-]+)$", message, re.M)
        if not m:
            if message:
                print("? " + message)
            continue
        message = clean(WORDS.sub("", message)).replace(" Out: 250-CHUNKING", " Out: 250 CHUNKING")
        for what, with_what in (
                (r" SIZE=\d+", ""),
                (r"\w{3}, +\d+ \w{3} \d{4} [\d:]{8} [+-]\d{4} \(\w+\)", "DATE"),
                (r"([ \t])id \w{6,20}", r"\1id ID"), (r"<\d{14}\.\w+@", "<STAMP@"), (r"\n+", " / ")):
            message = re.sub(what, with_what, message)
        found[m[1] or m[2]].append(message.strip(" /"))
    for name in CASES:
        for message in sorted(found[name]):
            print("%s @ %s" % (name, message))


def bad(port):
    for i, (name, value) in enumerate(BAD):
        print("127.3.0.%d:%s inet n - n - - smtpd\n    -o { %s = %s }" % (i + 1, port, name, value))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
