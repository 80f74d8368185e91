#!/bin/bash
# Notices, the same scenarios on Debian's Postfix where that is installed: failed, relayed, expanded,
# delivered, verified, reported; RET, the size limit, ENVID and ORCPT; VERP; templates; the postmaster's
# copies and double bounces. What is compared is structure: parts, fields, actions, who gets what.
. "$(dirname "$0")/service.bash"
. tests/system/postfix.bash
bin=$build/bin
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

# The far end: an SMTP server that speaks no DSN, refuses what begins with "bad" for good and "later" for now,
# and one in front of it that speaks DSN. It keeps what it hears.
cat >"$scratch/server.py" <<'END'
import socketserver, sys, threading
log = open(sys.argv[1], "a", buffering=1)
class Session(socketserver.StreamRequestHandler):
    def handle(self):
        def say(text): self.wfile.write(text.encode() + b"\r\n")
        say("220 far ESMTP")
        for line in self.rfile:
            line = line.decode("utf-8", "replace").rstrip("\r\n")
            log.write(self.server.tag + " " + line + "\n")
            word = line.upper()
            if word.startswith("EHLO"): say("250-far\r\n250 DSN" if self.server.tag == "dsn" else "250 far")
            elif word.startswith("RCPT TO:<BAD"): say("550 5.1.1 <%s>: no such user" % line[9:].split(">")[0])
            elif word.startswith("RCPT TO:<LATER"): say("450 4.2.0 come back")
            elif word == "DATA":
                say("354 go")
                while self.rfile.readline() not in (b".\r\n", b""): pass
                say("250 2.0.0 taken")
            elif word == "QUIT": say("221 bye"); return
            else: say("250 2.1.0 ok")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
servers = []
for tag in ("plain", "dsn"):
    server = Server(("127.0.0.1", 0), Session)
    server.tag = tag
    servers.append(server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(*[s.server_address[1] for s in servers], flush=True)
threading.Event().wait()
END
python3 "$scratch/server.py" "$scratch/heard" >"$scratch/ports" 2>"$scratch/server.err" &
server_pid=$!
pf_before="kill $server_pid; $pf_before"
await 10 test -s "$scratch/ports" || fail "no server: $(cat "$scratch/server.err")"
read -r plain_port dsn_port <"$scratch/ports"

settings() { # settings FOLDER MAIL: what both instances get
	cat <<END
alias_maps = inline:{ {two = bin, daemon}, {one = bin}, {list = bin, daemon}, {owner-list = sys},
	{fwd = x@plain.example} }
alias_database =
local_recipient_maps =
mydestination = localhost
local_transport = local
default_transport = smtp
transport_maps = inline:{ {plain.example = smtp:[127.0.0.1]:$plain_port}, {dsn.example = smtp:[127.0.0.1]:$dsn_port},
	{err.example = error:5.1.2 no mail here} }
home_mailbox =
mail_spool_directory = $2/
mailbox_command =
append_dot_mydomain = no
bounce_size_limit = 3000
notify_classes = bounce, 2bounce, delay
bounce_notice_recipient = news
2bounce_notice_recipient = lp
double_bounce_sender = double-bounce
smtp_host_lookup = native
bounce_template_file = $scratch/templates
delay_warning_time = 3h
mail_name = Postfix
myhostname = mail.example.org
myorigin = localhost
END
}
cat >"$scratch/templates" <<'END'
success_template = <<EOF
Charset: us-ascii
From: Robot <robot>
Subject: It arrived ($myhostname)

$mail_name on $myhostname $$5 $delay_warning_time_minutes
EOF
END

init_instance "$scratch/i"
sed -i -E '/^(alias_maps|alias_database|local_transport|mydestination|mail_spool_directory|myhostname|myorigin)/d' "$etc/main.cf"
mkdir -m 1777 "$scratch/mail" "$scratch/pfmail"
settings i "$scratch/mail" >>"$etc/main.cf"
start
systems=ours
if have_postfix; then
	make_postfix smtp
	settings p "$scratch/pfmail" >>"$pf_etc/main.cf"
	start_postfix
	systems="ours postfix"
fi

# submit SYSTEM ARGUMENT...: sendmail of the system; the message on standard input
submit() {
	local system=$1
	shift
	if [ "$system" = ours ]; then
		MAIL_CONFIG=$etc "$bin/sendmail" "$@"
	else
		MAIL_CONFIG=$pf_etc /usr/sbin/sendmail -C "$pf_etc" "$@"
	fi
}
message() { printf 'From: me@localhost\nTo: you@example.com\nSubject: %s\n\n%s\n' "$1" "the body of $1"; }

send_all() { # send_all SYSTEM
	local s=$1
	message failed | submit "$s" -f daemon@localhost nosuch@localhost bad1@plain.example x@err.example
	message relayed | submit "$s" -f daemon@localhost -N success -V ID+2B1 ok@plain.example
	message passed | submit "$s" -f daemon@localhost -N success,delay -R hdrs -V ID2 "$s@dsn.example"
	message delivered | submit "$s" -f daemon@localhost -N success bin@localhost
	message expanded | submit "$s" -f daemon@localhost -N success two@localhost
	message list | submit "$s" -f daemon@localhost -N success list@localhost
	message never | submit "$s" -f daemon@localhost -N never bad2@plain.example
	message hdrs | submit "$s" -f daemon@localhost -R hdrs nosuch4@localhost
	{ message large && head -c 4000 /dev/zero | tr '\0' 'x' | fold -w 70; } |
		submit "$s" -f daemon@localhost nosuch5@localhost
	submit "$s" -f daemon@localhost -bv bin@localhost nosuch6@localhost ok@plain.example bad3@plain.example \
		later1@plain.example </dev/null
	message traced | submit "$s" -f daemon@localhost -v bin@localhost bad4@plain.example later2@plain.example
	message null | submit "$s" -f '<>' nosuch7@localhost
	message verp | submit "$s" -f games@localhost -XV nosuch8@localhost bad5@plain.example
	message once | submit "$s" -f daemon@localhost -N success,failure double-bounce@localhost
}

# Each notice as a line: who has it, subject, parts, then each recipient's fields. Texts of our own are
# left out, and what names a host or a queue file.
cat >"$scratch/shape.py" <<'END'
import email, email.policy, glob, re, sys
def recipient(r):
    assert all(r[f] for f in ("Final-Recipient", "Action", "Status", "Diagnostic-Code")), r
    assert re.fullmatch(r"[245]\.\d+\.\d+", r["Status"]), r["Status"]
    kind, text = r["Diagnostic-Code"].split(";", 1)
    return "%s (%s) %s %s %s %s" % (r["Final-Recipient"].split("; ")[1], r["Original-Recipient"], r["Action"],
        r["Status"], r["Remote-MTA"], "smtp;" + " ".join(text.split()) if kind == "smtp" else kind)
def shape(path):
    raw = open(path, "rb").read()
    m = email.message_from_bytes(raw, policy=email.policy.default)
    if m.get_content_type() != "multipart/report": return None
    assert not m.defects and m["Date"] and m["Message-ID"] and m["MIME-Version"] == "1.0", path
    assert m.get_param("report-type") == "delivery-status", path
    text, report, *original = m.iter_parts()
    fields, *rcpts = report.get_payload()
    assert fields["Reporting-MTA"] == "dns; mail.example.org" and fields["Arrival-Date"] and fields["X-Postfix-Queue-ID"]
    body = original[0].get_payload() if original else ""
    body = body if isinstance(body, str) else body[0].as_string()
    parts = ["%s=%s" % (p.get_content_type(), p["Content-Description"]) for p in (text, report, *original)]
    return " | ".join([path.split("/")[-3], m["Subject"], m["To"], m["Auto-Submitted"], " ".join(parts),
        "about " + re.search(r"^Subject: (.*)", body, re.M).group(1), "body" if "the body of" in body else "no body",
        "%s %s" % (fields["Original-Envelope-Id"], fields["X-Postfix-Sender"]), *sorted(recipient(r) for r in rcpts)])
def shapes(folder):
    return sorted(filter(None, (shape(p) for p in glob.glob(folder + "/*/new/*"))))
if __name__ == "__main__":
    print("\n".join(shapes(sys.argv[1])))
END
shapes() { python3 "$scratch/shape.py" "$1" >"$2" 2>"$scratch/shape.err"; }

enough() { [ "$(grep -ls '^Content-Type: multipart/report' "$1"/*/new/* | wc -l)" -ge 21 ]; } # all have come

for system in $systems; do
	send_all "$system" >"$scratch/said.$system" 2>&1 || fail "sendmail of $system: $(cat "$scratch/said.$system")"
	[ "$(grep -c '^Mail Delivery Status Report will be mailed to <daemon@localhost>.$' "$scratch/said.$system")" = 2 ] ||
		fail "$system says: $(cat "$scratch/said.$system")"
done
wanted=tests/system/51-notices.wanted # as Postfix makes them
await 20 enough "$scratch/mail" || fail "notices are missing: $(grep -hs '^Subject' "$scratch"/mail/*/new/*)"
shapes "$scratch/mail" "$scratch/ours" || fail "a notice cannot be read: $(cat "$scratch/shape.err")"
diff "$wanted" "$scratch/ours" || fail "the notices differ"
if [ "$systems" != ours ]; then
	await 20 enough "$scratch/pfmail" || fail "Postfix's notices are missing"
	shapes "$scratch/pfmail" "$scratch/postfix" || fail "Postfix's notices: $(cat "$scratch/shape.err")"
	diff "$scratch/postfix" "$scratch/ours" || fail "Postfix makes other notices"
	stop_postfix
fi

# the next hop that speaks DSN got the wishes, and nobody was told "relayed"
grep -q '^dsn MAIL FROM:<daemon@localhost> .*RET=HDRS.*ENVID=ID2\|^dsn MAIL FROM:<daemon@localhost> .*ENVID=ID2.*RET=HDRS' "$scratch/heard" || fail "no RET and ENVID"
grep -q '^dsn RCPT TO:<ours@dsn.example>.* NOTIFY=SUCCESS,DELAY' "$scratch/heard" || fail "no NOTIFY"
# what is only verified is not delivered; what is delivered comes once
[ "$(grep -c '^plain DATA' "$scratch/heard")" -le 2 ] || fail "verified mail was sent: $(cat "$scratch/heard")"
[ "$(grep -ls '^Subject: probe' "$scratch"/mail/bin/new/*)" = '' ] || fail "verified mail was delivered"
logged 'to=<bin@localhost>, relay=local.*status=deliverable (delivers to maildir)' || fail "no deliverable"
logged 'to=<nosuch6@localhost>.*status=undeliverable' || fail "no undeliverable"
# a template of our own, expanded; VERP; a text says where a delivery ended
grep -qs '^Postfix on mail.example.org $5 180' "$scratch"/mail/daemon/new/* || fail "the template's text"
grep -lsq 'delivery via local: delivered to maildir' "$scratch"/mail/daemon/new/* || fail "the agent's name"
logged 'from=<games+nosuch8=localhost@localhost>\|to=<games+nosuch8=localhost@localhost>' || fail "no VERP bounce"
grep -q '^plain MAIL FROM:<games+bad5=plain.example@localhost>' "$scratch/heard" || fail "no VERP sender"
for text in 'sender non-delivery notification' 'postmaster non-delivery notification' \
	'sender delivery status notification' 'status=sent (undeliverable postmaster notification discarded)'; do
	logged "$text" || fail "not logged: $text"
done
# nothing is left of the logs but of what waits
waits=$("$bin/postqueue" -c "$etc" -j | sed 's/.*"queue_id": "\([^"]*\)".*/\1/' | sort -u)
for folder in bounce trace; do
	[ -z "$(find "$scratch/i/spool/$folder" -type f)" ] || fail "left in $folder: $(find "$scratch/i/spool/$folder" -type f)"
done
[ "$(echo "$waits" | wc -l)" = 1 ] || fail "more waits than the one: $waits"

# a bad template file: said with file and line, and the built-in text serves
printf 'success_template = <<EOF\nSubject: x\nReply-To: y\n\nz\nEOF\nfailure_template = <<END\n\ntext\n' >"$scratch/templates"
"$bin/postconf" -c "$etc" -b >"$scratch/out" 2>"$scratch/err" && fail "postconf -b is content"
grep -q "$scratch/templates, line 3: Reply-To: expected Charset" "$scratch/err" || fail "no line: $(cat "$scratch/err")"
grep -q "$scratch/templates, line 7: there is no line \"END\"" "$scratch/err" || fail "no line: $(cat "$scratch/err")"
grep -q '^expanded_success_text = <<EOF' "$scratch/out" || fail "postconf -b: $(cat "$scratch/out")"
"$bin/postconf" -c "$etc" -t /dev/null >"$scratch/whole" || fail "postconf -t"
"$bin/postconf" -c "$etc" -t "$scratch/whole" | cmp - "$scratch/whole" || fail "what -t prints is read otherwise"
reload || fail "reload"
message again | submit ours -f daemon@localhost nosuch9@localhost
await 15 logged 'bounce_template_file: .*, line 3: Reply-To: expected.*using the built-in text' || fail "no warning"
has_notice() { grep -qs "^Final-Recipient: rfc822; $1@" "$scratch"/mail/daemon/new/*; }
await 15 has_notice nosuch9 || fail "no notice with a bad file"

# bounce dies at random: every sender is told of every recipient

for i in $(seq 1 40); do
	message "kill $i" | submit ours -f daemon@localhost -N success,failure "dead$i@localhost" "ok$i@plain.example"
	[ $((i % 4)) = 0 ] && for pid in $(children); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = bounce ] && kill -9 "$pid" 2>/dev/null
	done
done
told() {
	for i in $(seq 1 40); do
		has_notice "dead$i" && has_notice "ok$i" || return 1
	done
}
await 30 told || fail "a notice got lost"

# soft_bounce: nothing comes back
echo "soft_bounce = yes" >>"$etc/main.cf"
reload || fail "reload"
message soft | submit ours -f daemon@localhost nosuch10@localhost bad6@plain.example
await_log 'to=<nosuch10@localhost>.*dsn=4.1.1, status=SOFTBOUNCE'
await_log 'to=<bad6@plain.example>.*dsn=4.1.1, status=SOFTBOUNCE'
stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
