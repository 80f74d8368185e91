#!/bin/bash
# Servers that go wrong in or about TLS: mail waits and says why, or goes on in plain text where that
# is allowed; nothing that came in plain text is taken for what was said under TLS.
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
helper=$build/tests/system/helpers/badtls
[ -x "$helper" ] || { echo "$helper is not built"; exit 1; }
declare -A port
pids=()

end() {
	[ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null
	cleanup
}
trap end EXIT

new_cert mx "" localhost
modes="good close hang text alert piece huge injected demand cut-ehlo cut-mail bye-mail cut-data cut-dot bye-dot"
for mode in $modes; do
	port[$mode]=$(free_port)
	"$helper" "$mode" "$certs/mx.chain" "${port[$mode]}" >/dev/null 2>&1 &
	pids+=($!)
done
init_instance "$scratch/i"
for mode in $modes; do
	echo "/@encrypt\\.$mode\\.test\$/ smtp:[127.0.0.1]:${port[$mode]}"
	echo "/@may\\.$mode\\.test\$/ may:[127.0.0.1]:${port[$mode]}"
done >"$etc/transport"
cat >>"$etc/main.cf" <<END
transport_maps = regexp:$etc/transport
inet_protocols = ipv4
disable_dns_lookups = yes
smtp_tls_security_level = encrypt
smtp_tls_loglevel = 1
smtp_starttls_timeout = 2s
END
# the level may, and so late that plain text will do
echo "may unix - - n - - smtp -o smtp_tls_security_level=may -o minimal_backoff_time=1s" >>"$etc/master.cf"
start

shake='4.7.5, status=deferred (Cannot start TLS: handshake failure)'
lost='4.4.2, status=deferred (lost connection with 127.0.0.1'
cases="
good     dsn=2.0.0, status=sent (250 2.0.0 taken)|sent
close    $shake|sent
hang     $shake|
text     $shake|sent
alert    $shake|sent
piece    $shake|sent
huge     $shake|sent
injected 4.7.5, status=deferred (host 127.0.0.1.* sent plain text behind its answer to STARTTLS)|sent
demand   $lost.* while performing the EHLO handshake)|sent
cut-ehlo $lost.* while performing the EHLO handshake)|sent
cut-mail $lost.* while sending MAIL FROM)|
bye-mail $lost.* while sending MAIL FROM)|
cut-data $lost.* while sending DATA command)|
cut-dot  $lost.* while sending end of data -- message may be sent more than once)|
bye-dot  $lost.* while sending end of data -- message may be sent more than once)|
"
send() {
	"$build/bin/smtp-source" -m 1 -l 200 -f '' -t "$1" "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
		fail "smtp-source: $(cat "$scratch/source.out")"
}
printf '%s' "$cases" | while read -r mode rest; do
	[ -n "$mode" ] || continue
	send "user@encrypt.$mode.test"
	[ -z "${rest##*|}" ] || send "user@may.$mode.test"
done || exit 1
printf '%s' "$cases" | while read -r mode rest; do
	[ -n "$mode" ] || continue
	await 20 logged "to=<user@encrypt.$mode.test>.*dsn=" || fail "$mode: nothing in the log"
	grep -q "to=<user@encrypt.$mode.test>, relay=127.0.0.1\[127.0.0.1\]:${port[$mode]}, .*${rest%|*}" "$log" ||
		fail "$mode: expected ${rest%|*}: $(grep "to=<user@encrypt.$mode.test>" "$log")"
done || exit 1
grep -q "SSL_connect error to 127.0.0.1\[127.0.0.1\]:${port[hang]}: Connection timed out" "$log" || fail "the hanging handshake was not told"

# In plain text at last; the message is there once.
tries=0
until [ "$(grep -c 'to=<user@may\..*status=sent' "$log")" -ge "$(printf '%s' "$cases" | grep -c '|sent$')" ]; do
	tries=$((tries + 1))
	[ $tries -lt 60 ] || fail "not all went on in plain text: $(grep 'to=<user@may' "$log")"
	sleep 1
	"$postern" -c "$etc" flush >/dev/null 2>&1
done
printf '%s' "$cases" | sed -n 's/^\([a-z-]*\) .*|sent$/\1/p' | while read -r mode; do
	[ "$(grep -c "to=<user@may.$mode.test>.*status=sent" "$log")" = 1 ] || fail "$mode: sent twice"
done || exit 1
exit 0
