#!/bin/bash
# The programs that people send mail with: each must get its message through, whole, and be refused
# in the way that it understands. A client that is not installed is left out, with a note.
. "$(dirname "$0")/submit.bash"
# Clients that know sendmail only by its name find ours first.
mkdir "$scratch/bin"
for name in sendmail mailq newaliases; do ln -s "$bin/sendmail" "$scratch/bin/$name"; done
PATH=$scratch/bin:$PATH

"$bin/smtp-sink" -O "$scratch/sink.port" -d "$scratch/sink.%M." 127.0.0.1:0 100 &
sink=$!
trap 'kill $sink; cleanup' EXIT
await 10 test -s "$scratch/sink.port" || fail "no sink"
init_instance "$scratch/i" --set "relayhost=[127.0.0.1]:$(cat "$scratch/sink.port")" \
	--set smtpd_peername_lookup=no --set message_size_limit=3000000 --set maximal_queue_lifetime=1h \
	--set smtpd_error_sleep_time=0
port=$PORT1
start
have() { command -v "$1" >/dev/null || { echo "$1 is not installed: left out"; return 1; }; }
at_sink() { cat "$scratch"/sink.* 2>/dev/null | grep -aq -- "$1"; } # text of a message that arrived
arrives() { await 15 at_sink "$1" || fail "$2: has not arrived: $1"; }
count_of() { cat "$scratch"/sink.* | grep -ac -- "$1"; }

if have swaks; then
	sw() { timeout 120 swaks --server 127.0.0.1 --port "$port" --from s@client.example "$@" >"$scratch/out" 2>&1; }
	sw --to a@out.example --body swaks-plain || fail "swaks: $(cat "$scratch/out")"
	arrives swaks-plain swaks
	sw --to a@out.example --pipeline --body swaks-pipelined || fail "swaks --pipeline: $(cat "$scratch/out")"
	arrives swaks-pipelined "swaks --pipeline"
	sw --protocol SMTP --helo h --to a@out.example --body swaks-helo || fail "swaks HELO: $(cat "$scratch/out")"
	arrives swaks-helo "swaks HELO"
	sw --to "$(printf 'r%d@out.example,' $(seq 60))r0@out.example" --pipeline --body swaks-many || fail "swaks, many: $(cat "$scratch/out")"
	arrives swaks-many "swaks, many recipients"
	sw --to a@out.example --body "swaks-acht: $(printf 'gr\303\274n')" || fail "swaks, 8 bit: $(cat "$scratch/out")"
	arrives "swaks-acht: $(printf 'gr\303\274n')" "swaks, 8 bit"
	{ head -c 2000000 /dev/zero | tr '\0' y | fold -w 72; echo; echo swaks-big-end; } >"$scratch/big"
	sw --to a@out.example --body "@$scratch/big" || fail "swaks, 2 MB: $(tail -n 5 "$scratch/out")"
	arrives swaks-big-end "swaks, 2 MB"
	printf 'from here\n.\n..\n.x\nFrom there\nswaks-dots-end\n' >"$scratch/dots"
	sw --to a@out.example --body "@$scratch/dots" || fail "swaks, dots: $(cat "$scratch/out")"
	arrives swaks-dots-end "swaks, dots"
	# refusals: swaks tells them by its exit status (24: no recipient taken, 23: sender, 26: content)
	sw --to nosuch@localhost
	[ $? = 24 ] && grep -q '550 5.1.1 .*User unknown' "$scratch/out" || fail "swaks, unknown user: $(cat "$scratch/out")"
	sw --from 'bad address@' --to a@out.example
	[ $? = 23 ] && grep -q '501 5.1.7' "$scratch/out" || fail "swaks, bad sender: $(cat "$scratch/out")"
	sw --to a@out.example,nosuch@localhost,b@out.example --body swaks-some-taken || fail "swaks, some refused: $(cat "$scratch/out")"
	arrives swaks-some-taken "swaks, some refused"
	sw --to a@out.example --protocol LMTP
	[ $? != 0 ] && grep -Eq '50[02] 5\.5\.[12]' "$scratch/out" || fail "LMTP is not refused: $(cat "$scratch/out")"
	sw --to a@out.example --tls
	[ $? = 29 ] || fail "swaks --tls: $(cat "$scratch/out")"
	sw --to a@out.example --tls-optional --body swaks-opportunist || fail "swaks --tls-optional: $(cat "$scratch/out")"
	arrives swaks-opportunist "swaks --tls-optional"
	{ cat "$scratch/big" "$scratch/big"; } >"$scratch/bigger"
	sw --to a@out.example --body "@$scratch/bigger"
	[ $? != 0 ] && grep -q '552 5.3.4' "$scratch/out" || fail "swaks, 4 MB: $(tail -n 5 "$scratch/out")"
	sw --to a@out.example --quit-after RCPT || fail "swaks --quit-after: $(cat "$scratch/out")"
fi

if have msmtp; then
	msmtp_() { timeout 120 msmtp -C /dev/null --host=127.0.0.1 --port="$port" --auth=off --tls=off "$@" >"$scratch/out" 2>&1; }
	printf 'To: a@out.example, b@out.example\nBcc: c@out.example\nSubject: x\n\nmsmtp-text\n' |
		msmtp_ -t -f m@client.example || fail "msmtp: $(cat "$scratch/out")"
	arrives msmtp-text msmtp
	echo msmtp-no-header | msmtp_ -f m@client.example a@out.example || fail "msmtp: $(cat "$scratch/out")"
	arrives msmtp-no-header msmtp
	echo x | msmtp_ -f m@client.example nosuch@localhost
	[ $? = 65 ] || fail "msmtp, unknown user: $(cat "$scratch/out")"
	msmtp_ --serverinfo || fail "msmtp --serverinfo: $(cat "$scratch/out")"
	grep -q PIPELINING "$scratch/out" || fail "msmtp sees no PIPELINING: $(cat "$scratch/out")"
fi

if have curl; then
	printf 'From: c@client.example\r\nSubject: x\r\n\r\ncurl-text\r\n' >"$scratch/mail"
	timeout 120 curl -sS --url "smtp://127.0.0.1:$port/client.example" --mail-from c@client.example \
		--mail-rcpt a@out.example --mail-rcpt b@out.example --upload-file "$scratch/mail" || fail "curl: $?"
	arrives curl-text curl
	timeout 120 curl -sS --url "smtp://127.0.0.1:$port" --mail-from c@client.example \
		--mail-rcpt nosuch@localhost --upload-file "$scratch/mail" 2>"$scratch/out"
	[ $? = 55 ] || fail "curl, unknown user: $(cat "$scratch/out")"
	timeout 120 curl -sS --url "smtp://127.0.0.1:$port" -X NOOP >"$scratch/out" 2>&1 || fail "curl NOOP: $(cat "$scratch/out")"
	timeout 120 curl -sS --url "smtp://127.0.0.1:$port" --mail-rcpt root >"$scratch/out" 2>&1 || fail "curl VRFY: $(cat "$scratch/out")"
fi

if have python3; then
	timeout 120 python3 - "$port" <<'END' || fail "python: $?"
import smtplib, sys
from email.message import EmailMessage
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=120) as s:
    assert s.ehlo()[0] == 250
    for word in ("pipelining", "size", "8bitmime", "enhancedstatuscodes", "dsn"):
        assert s.has_extn(word), word
    assert s.esmtp_features["size"] == "3000000"
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = "p@client.example", "a@out.example, b@out.example", "gr\u00fcn"
    m.set_content("python-text \u00e4\n.\n")
    m.add_attachment(bytes(range(256)) * 40, maintype="application", subtype="octet-stream", filename="x")
    assert s.send_message(m) == {}
    refused = s.sendmail("p@client.example", ["nosuch@localhost", "a@out.example"], "Subject: y\n\npython-some\n")
    assert list(refused) == ["nosuch@localhost"] and refused["nosuch@localhost"][0] == 550, refused
    try:
        s.sendmail("p@client.example", ["nosuch@localhost"], "x")
        raise SystemExit("an unknown user is taken")
    except smtplib.SMTPRecipientsRefused:
        pass
    try:
        s.sendmail("p@client.example", ["a@out.example"], "x" * 3100000)
        raise SystemExit("too large a message is taken")
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as e:
        assert e.smtp_code == 552, e
    s.rset()
    # one connection, many messages; options as a library gives them
    for i in range(20):
        s.sendmail("p@client.example", ["a@out.example"], "Subject: %d\n\npython-row-%d\n" % (i, i), mail_options=["BODY=8BITMIME"])
    s.sendmail("p@client.example", ["a@out.example"], "Subject: n\n\npython-dsn\n",
               mail_options=["RET=HDRS", "ENVID=abc"], rcpt_options=["NOTIFY=NEVER"])
    s.sendmail("", ["a@out.example"], "Subject: n\n\npython-null-sender\n")
    assert s.verify("root")[0] == 252 and s.noop()[0] == 250
    assert s.docmd("ETRN", "x.example")[0] >= 450 and s.docmd("HELP")[0] in (214, 500, 502)
END
	for text in python-some python-row-0 python-row-19 python-dsn python-null-sender; do arrives "$text" python; done
fi

# sendmail(1), in the ways of other programs
printf 'Subject: x\n\nmutt-like\n.\nafter the dot\n' | sendmail -oem -oi -f x@client.example -- a@out.example || fail "mutt's way: $?"
arrives 'after the dot' "mutt's way"
printf 'To: a@out.example\r\nSubject: x\r\nX-PHP: 1\r\n\r\nphp-like\r\nlines\r\n' | sendmail -t -i || fail "PHP's way: $?"
arrives php-like "PHP's way"
printf 'To: a@out.example\nSubject: x\n\nphp-like-f\n' | sendmail -t -i -fweb@client.example || fail "PHP's way, -f: $?"
arrives php-like-f "PHP's way, -f"
printf 'From: root (Cron Daemon)\nTo: root\nSubject: Cron\nContent-Type: text/plain; charset=UTF-8\nAuto-Submitted: auto-generated\n\ncron-like\n' |
	sendmail -FCronDaemon -i -B8BITMIME -oem root@out.example || fail "cron's way: $?"
arrives cron-like "cron's way"
printf 'Subject: x\n\ncron-local\n' | sendmail -FCronDaemon -i -odi -oem postmaster || fail "cron's way, postmaster: $?"
await_log 'orig_to=<postmaster>, relay=local.*status=sent'
printf 'Subject: x\n\ngit-like\n' | sendmail -i a@out.example b@out.example || fail "git's way: $?"
arrives git-like "git's way"
printf 'EHLO x\r\nMAIL FROM:<bs@client.example>\r\nRCPT TO:<a@out.example>\r\nDATA\r\nSubject: x\r\n\r\nbs-like\r\n.\r\nQUIT\r\n' |
	sendmail -bs >"$scratch/out" 2>&1 || fail "sendmail -bs: $(cat "$scratch/out")"
arrives bs-like "sendmail -bs"
expect 64 '' sendmail </dev/null
if have mail; then
	printf 'set sendmail=%s\n' "$bin/sendmail" >"$scratch/mailrc"
	echo mailx-text | MAILRC=$scratch/mailrc timeout 120 mail -s subject a@out.example >"$scratch/out" 2>&1 || fail "mail: $(cat "$scratch/out")"
	arrives mailx-text mail
fi
# a slow one keeps what it writes while others come and go: as root, the file is not mail_owner's
mkfifo "$scratch/slow"
sendmail -i a@out.example <"$scratch/slow" &
slow=$!
exec 7>"$scratch/slow"
printf 'Subject: slow\n\nslow-begin\n' >&7
await 10 eval '[ -n "$(ls "$spool/maildrop")" ]' || fail "a slow sendmail: no file"
printf 'Subject: x\n\nquick-one\n' | sendmail -i a@out.example || fail "sendmail: $?"
arrives quick-one "sendmail beside a slow one"
echo slow-end >&7
exec 7>&-
wait "$slow" || fail "a slow sendmail: $?"
arrives slow-end "a slow sendmail"
[ -z "$(ls "$spool/corrupt")" ] || fail "set aside: $(ls "$spool/corrupt")"
if have mutt; then
	echo mutt-text | HOME=$scratch timeout 120 mutt -n -e "set sendmail='$bin/sendmail -oem -oi'" -e 'set copy=no' -s subject -- a@out.example \
		>"$scratch/out" 2>&1 || fail "mutt: $(cat "$scratch/out")"
	arrives mutt-text mutt
fi

# each of them once, and no one is left
await 15 count_is 0 || fail "left in the queue: $("$bin/mailq")"
if command -v swaks >/dev/null; then
	[ "$(count_of swaks-plain)" = 1 ] || fail "a message arrived $(count_of swaks-plain) times"
	sed -n '/^from here/,/swaks-dots-end/p' $(grep -l swaks-dots-end "$scratch"/sink.*) | tr -d '\r' | head -n 6 | cmp - "$scratch/dots" ||
		fail "dots are not what they were"
fi
grep -E 'fatal|panic|error:' "$log" && fail "unexpected lines"
stop
exit 0
