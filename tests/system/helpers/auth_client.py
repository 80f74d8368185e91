# usage: auth_client.py PORT lines LINE...   one session; each line of the answers
#        auth_client.py PORT login MECHANISM USER PASSWORD    the last answer
#        auth_client.py PORT logins    the same for each line "MECHANISM USER PASSWORD" of the input
#        auth_client.py PORT sessions  for each line of the input a session: its lines, with | between
#        auth_client.py PORT load N USER PASSWORD   logs in N times; 1 when an answer is neither 235 nor 454
import base64, hashlib, hmac, re, socket, sys

class Session:
    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port), 120)
        self.f = self.s.makefile("rb")
        self.answer()

    def answer(self):
        lines = []
        while not lines or lines[-1][3:4] == "-":
            line = self.f.readline()
            if not line:
                raise EOFError("the server is gone")
            lines.append(line.decode("latin1").rstrip("\r\n"))
        return lines

    def say(self, line):
        self.s.sendall(line.encode("utf-8") + b"\r\n")
        return self.answer()

def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()

def challenge(answer):
    if not answer.startswith("334 "):
        return None
    return base64.b64decode(answer[4:])

def scram(s, name, digest, user, password):
    first = "n=%s,r=abcdefgh" % user
    a = s.say("AUTH %s %s" % (name, b64("n,," + first)))[-1]
    c = challenge(a)
    if c is None:
        return a
    values = dict(x.split("=", 1) for x in c.decode().split(","))
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(values["s"]), int(values["i"]))
    mac = lambda key, text: hmac.new(key, text, digest).digest()
    key = mac(salted, b"Client Key")
    bare = "c=biws,r=" + values["r"]
    message = (first + "," + c.decode() + "," + bare).encode()
    proof = bytes(x ^ y for x, y in zip(key, mac(hashlib.new(digest, key).digest(), message)))
    a = s.say(b64(bare + ",p=" + b64(proof)))[-1]
    c = challenge(a)
    if c is None:
        return a
    if c.decode() != "v=" + b64(mac(mac(salted, b"Server Key"), message)):
        return "the server does not know the password: " + c.decode()
    return s.say("")[-1]

def digest_md5(s, user, password):
    a = s.say("AUTH DIGEST-MD5")[-1]
    c = challenge(a)
    if c is None:
        return a
    given = dict(re.findall(r'([a-z-]+)="?([^",]*)', c.decode()))
    md5 = lambda x: hashlib.md5(x.encode() if isinstance(x, str) else x)
    head = md5("%s:%s:%s" % (user, given["realm"], password)).digest()
    a1 = md5(head + (":%s:cnonce123" % given["nonce"]).encode()).hexdigest()
    hashed = lambda a2: md5("%s:%s:00000001:cnonce123:auth:%s" % (a1, given["nonce"], md5(a2).hexdigest())).hexdigest()
    a = s.say(b64('username="%s",realm="%s",nonce="%s",cnonce="cnonce123",nc=00000001,qop=auth,digest-uri="smtp/c",'
                  'response=%s,charset=utf-8' % (user, given["realm"], given["nonce"], hashed("AUTHENTICATE:smtp/c"))))[-1]
    c = challenge(a)
    if c is None:
        return a
    if c.decode() != "rspauth=" + hashed(":smtp/c"):
        return "the server does not know the password: " + c.decode()
    return s.say("")[-1]

def login(s, mechanism, user, password):
    plain = b64("\0%s\0%s" % (user, password))
    if mechanism == "PLAIN":
        return s.say("AUTH PLAIN " + plain)[-1]
    if mechanism == "PLAIN-LATE":
        a = s.say("AUTH PLAIN")[-1]
        return s.say(plain)[-1] if a == "334 " else a
    if mechanism in ("LOGIN", "LOGIN-FIRST"):
        a = s.say("AUTH LOGIN" if mechanism == "LOGIN" else "AUTH LOGIN " + b64(user))[-1]
        if mechanism == "LOGIN" and challenge(a) == b"Username:":
            a = s.say(b64(user))[-1]
        return s.say(b64(password))[-1] if challenge(a) == b"Password:" else a
    if mechanism == "CRAM-MD5":
        a = s.say("AUTH CRAM-MD5")[-1]
        c = challenge(a)
        if c is None:
            return a
        return s.say(b64(user + " " + hmac.new(password.encode(), c, "md5").hexdigest()))[-1]
    if mechanism == "DIGEST-MD5":
        return digest_md5(s, user, password)
    if mechanism.startswith("SCRAM-"):
        return scram(s, mechanism, mechanism[6:].replace("-", "").lower(), user, password)
    if mechanism == "XOAUTH2":
        a = s.say("AUTH XOAUTH2 " + b64("user=%s\1auth=Bearer %s\1\1" % (user, password)))[-1]
    elif mechanism == "OAUTHBEARER":
        a = s.say("AUTH OAUTHBEARER " + b64("n,a=%s,\1auth=Bearer %s\1\1" % (user, password)))[-1]
    else:
        raise ValueError(mechanism)
    return s.say("AQ==")[-1] if a.startswith("334") else a

port, what, rest = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
if what == "lines":
    s = Session(port)
    for line in rest:
        print("\n".join(s.say(line)))
elif what == "login":
    s = Session(port)
    s.say("EHLO client.test")
    print(login(s, *rest))
elif what == "logins":
    for line in sys.stdin:
        s = Session(port)
        s.say("EHLO client.test")
        print(line.rstrip("\n"), login(s, *line.split()), sep=": ")
        s.s.close()
elif what == "sessions":
    for line in sys.stdin:
        s = Session(port)
        s.say("EHLO client.test")
        for l in line.rstrip("\n").split("|"):
            answer = s.say(l)[-1]
        print(answer)
        s.s.close()
else:
    for i in range(int(rest[0])):
        s = Session(port)
        s.say("EHLO client.test")
        answer = login(s, "LOGIN" if i % 2 else "PLAIN", rest[1], rest[2])
        if answer[:4] not in ("235 ", "454 "):
            sys.exit("login %d: %s" % (i, answer))
        s.s.close()
