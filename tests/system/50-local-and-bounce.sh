#!/bin/bash
# Mail for users of this host: mailboxes, aliases, commands, and the notices of what fails. The
# recipients are users that every system has; mail_spool_directory is the instance's own.
. "$(dirname "$0")/service.bash"
mail=$scratch/i/mail
logged() { grep -Eq -- "$1" "$log"; }
await_log() { await 15 logged "$1" || fail "not logged: $1"; }
send() { # send SENDER RECIPIENT...: a small message
	from=$1
	shift
	printf 'Subject: test %s\n\nhello\nFrom here\n.\n' "$*" |
		"$build/bin/sendmail" -C "$etc" -i -f "$from" "$@" || fail "sendmail: $?"
}
notice_about() { grep -ls "^Final-Recipient: rfc822; $1" "$mail"/daemon/new/* | head -n 1; }

init_instance "$scratch/i"
sed -i '/^alias_maps/d' "$etc/main.cf"
cat >>"$etc/main.cf" <<END
local_recipient_maps =
recipient_delimiter = +
bounce_size_limit = 2000
forward_path = $scratch/forward/\$user
alias_maps = inline:{ {one = bin}, {list = daemon, bin}, {owner-list = daemon}, {gone = "|exit 67"},
	{later = "|echo 4.2.1 not now; exit 1"}, {hole = /dev/null}, {loop1 = loop2}, {loop2 = loop1},
	{missing = :include:$scratch/nowhere}, {big = :include:$scratch/members} }
transport_maps = inline:{ {err.example = error:5.1.2 no mail here} }
END
mkdir -p "$scratch/forward"
for i in $(seq 1 300); do echo "hole+$i"; done >"$scratch/members"
"$postern" -c "$etc" start >"$scratch/out" 2>&1 || fail "start: $(cat "$scratch/out")"

# mailboxes, extensions, one alias followed at once
send daemon@localhost bin@localhost
await_log 'local\[.*to=<bin@localhost>, relay=local, delay=[^ ]*, delays=[^ ]*, dsn=2.0.0, status=sent \(delivered to maildir\)'
send daemon@localhost bin+ext@localhost
await_log 'to=<bin\+ext@localhost>.*status=sent \(delivered to maildir\)'
send daemon@localhost one@localhost
await_log 'to=<bin@[^>]*>, orig_to=<one@localhost>, relay=local.*status=sent \(delivered to maildir\)'
[ "$(ls "$mail/bin/new" | wc -l)" = 3 ] || fail "bin has not three messages"
[ -z "$(ls "$mail/bin/tmp")" ] || fail "something is left in tmp/"
grep -q '^Delivered-To: one@localhost$' "$mail"/bin/new/* || fail "no Delivered-To:"
grep -lq '^From here$' "$mail"/bin/new/* || fail "content"
if [ "$(id -u)" = 0 ]; then
	[ "$(stat -c %U "$mail/bin/new")" = bin ] || fail "the Maildir is not the user's"
fi

# a list: a new message from its owner
send bin@localhost list@localhost
await_log 'to=<list@localhost>, relay=local.*status=sent \(forwarded as [0-9A-Za-z]+\)'
await_log 'from=<owner-list@[^>]*>, size=[0-9]*, nrcpt=2'
await_log 'to=<daemon@[^>]*>, orig_to=<list@localhost>.*status=sent \(delivered to maildir\)'
send bin@localhost big@localhost
await_log 'nrcpt=300 '
await 20 eval '[ "$(grep -c "orig_to=<big@localhost>.*delivered to file: /dev/null" "$log")" = 300 ]' || fail "big list"

# what fails for good comes back
send daemon@localhost nosuch@localhost gone@localhost loop1@localhost
await_log 'to=<nosuch@localhost>.*dsn=5.1.1, status=bounced \(unknown user: "nosuch"\)'
await_log 'to=<gone@localhost>.*dsn=5.1.1, status=bounced \(user unknown\)'
await_log 'to=<loop1@localhost>.*dsn=5.4.6, status=bounced \(possible alias database loop'
await_log 'bounce\[.*: sender non-delivery notification: '
await 15 notice_about nosuch@localhost || fail "no notice"
await 5 eval '[ -n "$(notice_about nosuch@localhost)" ]' || fail "no notice"
notice=$(notice_about nosuch@localhost)
for part in '^Return-Path: <>$' '^Auto-Submitted: auto-replied$' '^Final-Recipient: rfc822; gone@localhost$' \
	'^Diagnostic-Code: x-unix; user unknown$' '^Status: 5.4.6$' '^Content-Type: message/rfc822$' '^From here$'; do
	grep -q "$part" "$notice" || fail "the notice lacks $part: $(cat "$notice")"
done
if command -v python3 >/dev/null; then
	python3 - "$notice" <<'END' || fail "python reads the notice otherwise"
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
assert m.get_content_type() == "multipart/report" and not m.defects
text, report, original = m.iter_parts()
fields, *recipients = report.get_payload()
assert fields["Reporting-MTA"].startswith("dns;") and fields["X-Postfix-Sender"] == "rfc822; daemon@localhost"
assert sorted(r["Final-Recipient"] for r in recipients) == ["rfc822; %s@localhost" % n for n in ("gone", "loop1", "nosuch")]
assert all(r["Action"] == "failed" and r["Status"] and r["Diagnostic-Code"] for r in recipients)
assert original.get_content_type() == "message/rfc822"
END
fi

# of a large message the headers come back, 8-bit bytes as they are
{ printf 'Subject: large\nX-Word: \303\266\n\n'; head -c 5000 /dev/zero | tr '\0' 'x' | fold -w 70; } |
	"$build/bin/sendmail" -C "$etc" -i -f daemon@localhost toobig@localhost
await 15 eval '[ -n "$(notice_about toobig@localhost)" ]' || fail "no notice of the large message"
notice=$(notice_about toobig@localhost)
grep -q '^Content-Type: message/global-headers' "$notice" || fail "headers only: $(cat "$notice")"
grep -q xxxxxxxxxx "$notice" && fail "the body was returned"
grep -q '^Content-Transfer-Encoding: 8bit' "$notice" || fail "no 8bit"

# the null sender gets nothing
send '<>' nosuch2@localhost
await_log 'to=<nosuch2@localhost>.*status=bounced'
await 10 eval '! grep -q . <<<"$(find "$scratch/i/spool/bounce" -type f)"' || fail "a bounce log is left"

# error(8) and discard(8) by sendmail
send daemon@localhost x@err.example
await_log 'error\[.*to=<x@err.example>, relay=none.*dsn=5.1.2, status=bounced \(no mail here\)'

# what may pass waits, with its reason
send daemon@localhost later@localhost missing@localhost
await_log 'to=<later@localhost>.*dsn=4.2.1, status=deferred \(not now\)'
await_log 'to=<missing@localhost>.*dsn=4.2.4, status=deferred \(cannot read :include: file'
await 10 eval '[ "$(find "$scratch/i/spool/defer" -type f | wc -l)" = 2 ] || [ "$(find "$scratch/i/spool/defer" -type f | wc -l)" = 1 ]' || fail "no defer log"
await 5 eval '"$build/bin/mailq" -C "$etc" 2>/dev/null | grep -q "(not now)"' || fail "mailq does not tell the reason: $("$build/bin/mailq" -C "$etc" 2>&1)"

"$postern" -c "$etc" stop >"$scratch/out" 2>&1 || fail "stop: $(cat "$scratch/out")"
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
