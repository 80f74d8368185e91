#!/bin/bash
# flush(8): a record per destination, ETRN, postqueue -s and -i, sendmail -qR and -qI. Only the asked
# mail is tried, at once, though its destination rests; who may ask; what is no domain.
. "$(dirname "$0")/chaos.bash"
make_relay --set hash_queue_names=deferred,defer,flush
dead=$(free_port)
sed -i 's/\(_backoff_time\) = .*/\1 = 1000s/; s/^queue_run_delay.*/queue_run_delay = 1000s/' "$etc/main.cf"
cat >>"$etc/main.cf" <<END
relay_domains = etrn.test, other.test, sub-1.etrn.test
transport_maps = inline:{ {.etrn.test=smtp:[127.0.0.1]:$sink_port}, {etrn.test=smtp:[127.0.0.1]:$sink_port}, {other.test=smtp:[127.0.0.1]:$dead} }
mynetworks = 127.0.0.0/8
END
start # nobody listens at either port
mail() { printf 'X-Token: %s\nSubject: x\n\ntext\n' "$1" | "$bin/sendmail" -f s@example.net "${@:2}" || fail "sendmail"; }
deferred() { [ "$("$bin/postqueue" -j | grep -c '"queue_name": "deferred"')" = "$1" ]; }
arrived() { tokens_arrived | grep -qx "$1"; }
id_of() { "$bin/postqueue" -j | grep "\"address\": \"$1\"" | sed 's/.*"queue_id": "\([^"]*\)".*/\1/' | head -n 1; }
entries_are() { [ "$(entries "$1")" = "$2" ]; }
entries() { sort -u "$spool/flush/$1" 2>/dev/null | wc -l; }

mail one a@etrn.test
mail two A@ETRN.test
mail below c@sub-1.etrn.test
mail three x@other.test
mail nowhere x@elsewhere.test
await 15 deferred 5 || fail "not deferred: $("$bin/mailq")"
await 5 entries_are e/etrn_test 2 || fail "the record of etrn.test: $(cat "$spool/flush/e/etrn_test")"
[ "$(entries s/sub_1_etrn_test)" = 1 ] || fail "the subdomain has no record: $(find "$spool/flush")"
[ "$(entries o/other_test)" = 1 ] || fail "other.test has no record"
[ ! -e "$spool/flush/e/elsewhere_test" ] || fail "a record of what is not in fast_flush_domains"
[ "$(stat -c %a "$spool/flush/e/etrn_test")" = 600 ] || fail "mode of the record"

# refusals: what they say is what Postfix says
smtp_open 7 || fail "no greeting"
for row in 'ETRN=500 Syntax: ETRN domain' 'ETRN a b=500 Syntax: ETRN domain' \
	'ETRN bad..name=501 Error: invalid parameter syntax' 'ETRN @=501 Error: invalid parameter syntax' \
	'ETRN [127.0.0.1]=459 <[127.0.0.1]>: service unavailable' \
	'ETRN elsewhere.test=459 <elsewhere.test>: service unavailable' \
	"ETRN $(printf '%0300d' 7)=501 Error: invalid parameter syntax"; do
	smtp 7 "${row%%=*}"
	[ "$answer" = "${row#*=}" ] || fail "${row%%=*}: $answer"
done
printf 'EHLO x\r\n' >&7
announced=
while read -r -t 60 -u 7 line; do
	case $line in 250?ETRN*) announced=yes ;; esac
	case $line in 250' '*) break ;; esac
done
[ "$announced" ] || fail "not announced"
smtp 7 "MAIL FROM:<>"
smtp 7 "ETRN etrn.test"
[ "$answer" = "503 Error: MAIL transaction in progress" ] || fail "in a transaction: $answer"
smtp 7 "RSET"
grep -q 'warning: reject: ETRN elsewhere.test... from unknown\[127.0.0.1\]' "$log" || fail "no line"

# the site's mail, now, though its destination rests; nobody else's
start_sink
"$bin/postqueue" -s etrn.test || fail "postqueue -s"
await 15 arrived one || fail "not delivered: $("$bin/mailq")"
await 15 arrived two || fail "not delivered: $("$bin/mailq")"
sleep 0.3
arrived below && fail "the subdomain's mail was sent too"
deferred 3 || fail "other mail was touched: $("$bin/mailq")"
[ "$(grep -c 'to=<x@other.test>' "$log")" = 1 ] || fail "other.test was tried"
[ -e "$spool/flush/e/etrn_test" ] && [ "$(entries e/etrn_test)" = 0 ] || fail "the record is not empty"
# the same by ETRN, with what is below it
stop_sink
mail four a@etrn.test
await 15 deferred 4 || fail "not deferred"
await 5 test -s "$spool/flush/e/etrn_test"
start_sink
smtp 7 "ETRN @etrn.test"
[ "$answer" = "250 Queuing started" ] || fail "ETRN: $answer"
await 15 arrived four || fail "not delivered by ETRN"
await 15 arrived below || fail "the subdomain's mail is not delivered by ETRN @"
await 15 deferred 2 || fail "still there"
smtp 7 "ETRN #other.test"
[ "$answer" = "250 Queuing started" ] || fail "ETRN #: $answer"
tried() { [ "$(grep -c 'to=<x@other.test>' "$log")" = "$1" ]; }
await 10 tried 2 || fail "other.test was not tried by ETRN #"
# it fails again and is written down again
await 10 entries_are o/other_test 1 || fail "not written down again"
"$bin/sendmail" -qRother.test || fail "sendmail -qR"
await 10 tried 3 || fail "other.test was not tried by -qR"
await 10 deferred 2
"$bin/sendmail" -qI"$(id_of x@other.test)" || fail "sendmail -qI"
await 10 tried 4 || fail "other.test was not tried by -qI"
await 10 deferred 2
# not in fast_flush_domains, and in no record: by its id all the same
"$bin/postqueue" -i "$(id_of x@elsewhere.test)" || fail "postqueue -i"
await 10 arrived nowhere || fail "not tried by its id"
await 10 deferred 1
# by sender, and by what else can be asked
printf 'Subject: x\n\ntext\n' | "$bin/sendmail" -f special@example.net y@other.test
await 15 deferred 2 || fail "not deferred: $("$bin/mailq")"
"$bin/sendmail" -qSSpecial@example.net || fail "sendmail -qS"
tried_y() { [ "$(grep -c 'to=<y@other.test>' "$log")" = "$1" ]; }
before=$(grep -c 'to=<x@other.test>' "$log")
await 10 tried_y 2 || fail "the sender's mail was not tried"
await 10 deferred 2
"$bin/postqueue" -f --where 'recipient=y@other.test or recipient=z@other.test' || fail "postqueue -f --where"
await 10 tried_y 3 || fail "the selected mail was not tried"
await 10 deferred 2
[ "$(grep -c 'to=<x@other.test>' "$log")" = "$before" ] || fail "other mail was tried"
"$bin/postsuper" -d "$(id_of y@other.test)" 2>/dev/null
expect() { # expect STATUS TEXT COMMAND...
	"${@:3}" >"$scratch/out" 2>&1
	[ $? = "$1" ] && grep -qF -- "$2" "$scratch/out" || fail "${*:3}: $? $(cat "$scratch/out")"
}
expect 69 'Flush service is not configured for destination "elsewhere.test"' "$bin/postqueue" -s elsewhere.test
expect 69 'Cannot flush mail queue - invalid destination: "bad..name"' "$bin/postqueue" -s bad..name
expect 69 'Cannot flush queue ID - invalid name: "XY Z"' "$bin/postqueue" -i 'XY Z'
# restrictions
echo 'smtpd_etrn_restrictions = permit_inet_interfaces, reject' >>"$etc/main.cf"
"$postern" -c "$etc" reload >/dev/null
smtp 7 QUIT
await 5 smtp_open 7
smtp 7 "ETRN other.test"
[ "$answer" = "250 Queuing started" ] || fail "permitted: $answer"
await 10 tried 5 || fail "not tried"
sed -i '$d' "$etc/main.cf"
echo 'smtpd_etrn_restrictions = reject' >>"$etc/main.cf"
echo 'authorized_flush_users = !anyone' >>"$etc/main.cf"
"$postern" -c "$etc" reload >/dev/null
smtp 7 QUIT
refused() { smtp_open 7 && smtp 7 "ETRN other.test" && [ "$answer" = "554 5.7.1 <other.test>: Etrn command rejected: Access denied" ]; }
await 5 refused || fail "not refused: $answer"
grep -q 'NOQUEUE: reject: ETRN from unknown\[127.0.0.1\]: 554 5.7.1 <other.test>: Etrn command rejected: Access denied; ' "$log" || fail "not logged"
if [ "$(id -u)" = 0 ]; then
	chmod -R a+rX "$scratch/i/etc"
	setpriv --reuid 65534 --clear-groups "$bin/postqueue" -s other.test >"$scratch/out" 2>&1 && fail "not authorized, and done"
fi
# garbage at the socket, records that are none
sed -i '/^authorized_flush_users/d' "$etc/main.cf"
mkdir "$spool/flush/o/folder_test"
head -c 3000 /dev/urandom >>"$spool/flush/o/other_test"
printf '../../etc/passwd\n\n%s\n' "$(id_of x@other.test)" >>"$spool/flush/o/other_test"
"$bin/postqueue" -s other.test || fail "postqueue -s with garbage in the record"
await 10 tried 6 || fail "not tried in spite of the garbage"
stop
expect 69 'Cannot flush mail queue - mail system is down' "$bin/postqueue" -s other.test
expect 69 'Cannot flush mail queue - mail system is down' "$bin/postqueue" -i ABCDEF
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
