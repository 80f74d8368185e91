#!/bin/bash
# sendmail takes mail with the system down and up, in all the ways that programs use, and refuses
# what it must with the right exit status; nothing half-made stays.
. "$(dirname "$0")/submit.bash"
make_instance "retry:4.3.2 waiting"
sendmail=$bin/sendmail

# the system is down
printf 'From x y\nTo: a@x.example,\n "b c"@x.example\nBcc: secret@x.example\nSubject: one\n\nbody\n.\nno\n' |
	"$sendmail" -t -f me@here.example extra@x.example || fail "sendmail -t: $?"
expect 0 'extra@x.example' "$bin/mailq"
expect 0 '"b c"@x.example' "$bin/mailq"
expect 0 'Kbytes in 1 Request\.' "$bin/mailq"
[ "$(find "$spool/maildrop" -type f | wc -l)" = 1 ] || fail "maildrop: $(ls "$spool/maildrop")"

# refusals
expect 64 'Recipient addresses must be specified' "$sendmail"
expect 64 'No recipient addresses found' "$sendmail" -t
expect 64 'usage' "$sendmail" -Z
expect 64 'unsupported' "$sendmail" -bz
expect 64 '8BITMIME or 7BIT' "$sendmail" -B x root
head -c 11000000 /dev/zero | expect 69 'message file too big' "$sendmail" root
[ "$(find "$spool/maildrop" -type f | wc -l)" = 1 ] || fail "leftovers: $(ls "$spool/maildrop")"

# a postdrop that is ended in the middle leaves nothing
mkfifo "$scratch/fifo"
"$bin/postdrop" -r <"$scratch/fifo" >/dev/null 2>&1 &
drop=$!
exec 7>"$scratch/fifo"
made() { [ "$(find "$spool/maildrop" -type f | wc -l)" = 2 ]; }
await 10 made || fail "postdrop makes no file"
kill -TERM $drop
wait $drop
[ $? = 75 ] || fail "postdrop after SIGTERM: status $?"
exec 7>&-
[ "$(find "$spool/maildrop" -type f | wc -l)" = 1 ] || fail "leftovers: $(ls "$spool/maildrop")"
# garbage instead of records
head -c 3000 /dev/urandom | "$bin/postdrop" -r >/dev/null 2>&1 && fail "postdrop takes garbage"
[ "$(find "$spool/maildrop" -type f | wc -l)" = 1 ] || fail "leftovers: $(ls "$spool/maildrop")"

start
await_log 'postfix/pickup\[[0-9]*\]: [0-9A-Z]*: uid=[0-9]* from=<me@here.example>'
await_log 'postfix/cleanup\[[0-9]*\]: [0-9A-Z]*: message-id=<'
await 15 count_is 1 || fail "queue: $("$bin/mailq")"
id=$(queue_ids)
await 15 state_is "$id" deferred || fail "not deferred: $("$bin/mailq")"
expect 0 '^Subject: one' "$bin/postcat" -q "$id"
expect 0 '^recipient: secret@x.example' "$bin/postcat" -q "$id"
"$bin/postcat" -bhq "$id" >"$scratch/text"
grep -q 'secret' "$scratch/text" && fail "Bcc is told: $(cat "$scratch/text")"
grep -q '^no$' "$scratch/text" && fail "goes on behind the dot"
grep -q '^From x y' "$scratch/text" && fail "a mailbox separator came along"

# all kinds of content
"$bin/postsuper" -d ALL >/dev/null 2>&1
"$sendmail" empty@x.example </dev/null || fail "empty input"
printf 'Subject: dots\n\n.\n..\nend' | "$sendmail" -i dots@x.example || fail "-i"
printf 'Subject: bytes\n\n\303\244\377\001\n' | "$sendmail" -B 8BITMIME bytes@x.example || fail "8 bit"
{ printf 'Subject: line\n\n'; head -c 1000000 /dev/zero | tr '\0' x; } | "$sendmail" -oi line@x.example || fail "long line"
printf 'EHLO me\nMAIL FROM:<a@b.example>\nRCPT TO:<smtp@x.example>\nDATA\nSubject: smtp\n\n..x\n.\nQUIT\n' |
	"$sendmail" -bs >"$scratch/smtp" || fail "-bs"
grep -q '^250 2.0.0 Ok: queued as' "$scratch/smtp" || fail "-bs: $(cat "$scratch/smtp")"
printf 'EHLO me\r\nFOO\r\nMAIL FROM:<\303\274@b.example> SMTPUTF8\r\nRCPT TO:<\303\274@x.example>\r\nRSET\r\nQUIT\r\n' |
	"$sendmail" -bs | tr -d '\r' >"$scratch/utf8" || fail "-bs with SMTPUTF8"
[ "$(grep -v '^250-[a-z]' "$scratch/utf8" | tail -n 7 | cut -c1-12 | tr '\n' '|')" = \
	"250-SMTPUTF8|250 DSN|500 5.5.2 Er|250 2.1.0 Ok|250 2.1.5 Ok|250 2.0.0 Ok|221 2.0.0 By|" ] || fail "-bs: $(cat "$scratch/utf8")"
await 15 count_is 5 || fail "queue: $("$bin/mailq")"
content_of() { "$bin/postcat" -bq "$("$bin/postqueue" -j | grep "\"$1@x.example\"" | sed 's/.*"queue_id": "\([^"]*\)".*/\1/')"; }
await 15 test -n "$(content_of dots)" || fail "no content"
[ "$(content_of dots)" = "$(printf '\n.\n..\nend')" ] || fail "dots: $(content_of dots)"
[ "$(content_of bytes | od -An -tx1 | tr -d ' \n')" = 0ac3a4ff010a ] || fail "bytes: $(content_of bytes | od -c)"
[ "$(content_of line | tr -d '\n' | wc -c)" = 1000000 ] || fail "long line: $(content_of line | wc -c)"
[ "$(content_of smtp)" = "$(printf '\n.x')" ] || fail "-bs: $(content_of smtp)"
[ -z "$(find "$spool/maildrop" "$spool/corrupt" -type f)" ] || fail "left: $(ls "$spool/maildrop" "$spool/corrupt")"
expect 0 '' "$sendmail" -q
expect 0 '^Mail Delivery Status Report will be mailed to <[^>]*>.$' "$sendmail" -bv root
empty() { # the report may come in behind the first deletion
	"$bin/postsuper" -d ALL >/dev/null 2>&1
	"$bin/mailq" | grep -q 'Mail queue is empty'
}
await 15 empty || fail "mailq: $("$bin/mailq")"
stop
exit 0
