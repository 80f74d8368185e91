#!/bin/bash
# The TLS of the SMTP client: each level against each kind of certificate. A recipient is
# user@LEVEL.KIND.test: the transport of that level, to the server with that certificate.
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
declare -A port pid

end() {
	[ ${#pid[@]} -gt 0 ] && kill "${pid[@]}" 2>/dev/null
	cleanup
}
trap end EXIT

new_ca ca
new_ca other
new_cert good ca localhost
new_cert rsa ca localhost rsa
new_cert wrong ca mail.example.com
dates="-startdate 20200101000000Z -enddate 20210101000000Z" new_cert old ca localhost
new_cert self "" localhost
new_cert unknown other localhost

sink() { # sink KIND OPTION...
	local kind=$1
	shift
	port[$kind]=$(free_port)
	"$build/bin/smtp-sink" "$@" "127.0.0.1:${port[$kind]}" 50 >/dev/null 2>&1 &
	pid[$kind]=$!
	await_port "${port[$kind]}"
}
for kind in good rsa wrong old self unknown; do sink $kind -K "$certs/$kind.chain"; done
sink plain
sink wrapped -k "$certs/good.chain"
sink refusing -K "$certs/good.chain" -f STARTTLS
sink lost -K "$certs/good.chain" -q STARTTLS

init_instance "$scratch/i"
levels="none may encrypt verify secure fingerprint"
for kind in "${!port[@]}"; do
	for level in $levels policy wrap patient broken hurry; do
		echo "$level.$kind.test tls-$level:[localhost]:${port[$kind]}"
	done
done >"$etc/transport"
# a policy table: by next hop with its port, and for domains below one
cat >"$etc/policy" <<END
[localhost]:${port[good]} secure match=localhost
[localhost]:${port[wrong]} secure match=mail.example.com:nexthop ciphers=high protocols=>=TLSv1.2
[localhost]:${port[unknown]} verify tafile=$certs/other.pem
[localhost]:${port[self]} fingerprint match=$(fingerprint self)|AA:BB
[localhost]:${port[rsa]} sceure
[localhost]:${port[old]} { may } { exclude = aNULL }
END
cat >>"$etc/main.cf" <<END
transport_maps = texthash:$etc/transport
inet_protocols = ipv4
disable_dns_lookups = yes
smtp_tls_CAfile = $certs/ca.pem
smtp_tls_loglevel = 1
smtp_tls_session_cache_database = lmdb:\${data_directory}/smtp_scache
smtp_tls_fingerprint_digest = sha256
smtp_tls_fingerprint_cert_match = $(fingerprint self)
minimal_backoff_time = 1000s
END
{
	transport() { echo "tls-$1 unix - - n - - smtp -o syslog_name=$1 ${*:2}"; }
	for level in $levels; do
		transport "$level" -o smtp_tls_security_level="$level" -o smtp_tls_secure_cert_match=nexthop
	done
	transport policy -o "smtp_tls_policy_maps=texthash:$etc/policy" -o smtp_tls_security_level=none
	transport wrap -o smtp_tls_wrappermode=yes -o smtp_tls_security_level=encrypt
	transport patient -o smtp_tls_security_level=may -o minimal_backoff_time=1s
	transport broken -o smtp_tls_security_level=encrypt -o smtp_tls_CAfile=/no/such/file
	transport hurry -o smtp_tls_security_level=may -o smtp_tls_CAfile=/no/such/file
} >>"$etc/master.cf"
start

# What becomes of it, and how the session was called in the log.
sent=sent bad='4.7.5, status=deferred (Server certificate not verified)'
cases="
none     good     $sent|
none     plain    $sent|
may      plain    $sent|
may      good     $sent|Trusted
may      rsa      $sent|Trusted
may      wrong    $sent|Trusted
may      old      $sent|Untrusted
may      self     $sent|Untrusted
may      unknown  $sent|Untrusted
may      refusing $sent|
may      lost     4.4.2, status=deferred (lost connection with localhost.* while performing the STARTTLS handshake|
encrypt  good     $sent|Trusted
encrypt  self     $sent|Untrusted
encrypt  plain    4.7.4, status=deferred (TLS is required, but was not offered by host localhost|
encrypt  refusing 4.7.4, status=deferred (TLS is required, but host localhost.* refused to start TLS: 500 |
verify   good     $sent|Verified
verify   wrong    $bad|Untrusted
verify   old      $bad|Untrusted
verify   self     $bad|Untrusted
verify   unknown  $bad|Untrusted
verify   plain    4.7.4, status=deferred (TLS is required|
secure   good     $sent|Verified
secure   wrong    $bad|Untrusted
secure   unknown  $bad|Untrusted
fingerprint self  $sent|Verified
fingerprint good  $bad|Untrusted
policy   good     $sent|Verified
policy   wrong    $sent|Verified
policy   unknown  $sent|Verified
policy   self     $sent|Verified
policy   old      $sent|Untrusted
policy   plain    $sent|
policy   rsa      4.7.5, status=deferred (client TLS configuration problem)|
wrap     wrapped  $sent|Trusted
broken   good     4.7.5, status=deferred (TLS is required, but our TLS engine is unavailable)|
hurry    good     $sent|
"
printf '%s' "$cases" | while read -r level kind _; do
	[ -z "$level" ] || "$build/bin/smtp-source" -m 1 -l 200 -f '' -t "user@$level.$kind.test" \
		"127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 || fail "smtp-source: $(cat "$scratch/source.out")"
done || exit 1
printf '%s' "$cases" | while read -r level kind rest; do
	[ -n "$level" ] || continue
	result=${rest%|*} name=${rest##*|}
	case $result in sent) result='2.0.0, status=sent' ;; esac
	await 20 logged "to=<user@$level.$kind.test>.*dsn=" || fail "$level $kind: nothing in the log"
	grep -q "to=<user@$level.$kind.test>, relay=localhost\[127.0.0.1\]:${port[$kind]}, .*dsn=$result" "$log" ||
		fail "$level $kind: expected $result: $(grep "to=<user@$level.$kind.test>" "$log")"
	[ -z "$name" ] || grep -q " $level/smtp\[[0-9]*\]: $name TLS connection established to localhost\[127.0.0.1\]:${port[$kind]}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519" "$log" ||
		fail "$level $kind: expected a $name connection: $(grep ":${port[$kind]}: " "$log")"
done || exit 1
grep -q "server-signature ECDSA (prime256v1) server-digest SHA256" "$log" || fail "no ECDSA signature"
grep -q "server-signature RSA-PSS (2048 bits) server-digest SHA256" "$log" || fail "no RSA signature"
grep -q "server certificate verification failed for localhost.*:${port[wrong]}: num=62:hostname mismatch" "$log" ||
	fail "the wrong name was not told"
grep -q "certificate verification failed for localhost.*:${port[unknown]}: untrusted issuer /O=Test/CN=other" "$log" ||
	fail "the unknown issuer was not told"
grep -q "certificate verification failed for localhost.*:${port[old]}: certificate has expired" "$log" ||
	fail "the end of its time was not told"
grep -q "TLS policy for \[localhost\]:${port[rsa]}: invalid security level \"sceure\"" "$log" || fail "the bad policy was not told"

# A message may ask for less than the policy does (RFC 8689).
for header in "TLS-Required: no" "TLS-Required: yes"; do
	"$build/bin/smtp-source" -m 1 -l 200 -f '' -H "$header" -t "${header##* }@secure.wrong.test" \
		"127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 || fail "smtp-source: $(cat "$scratch/source.out")"
done
await_log 'to=<no@secure.wrong.test>.*status=sent'
await_log 'to=<yes@secure.wrong.test>.*status=deferred (Server certificate not verified)'

# In plain text after the time that a passing trouble has.
"$build/bin/smtp-source" -m 1 -l 200 -f '' -t user@patient.lost.test "127.0.0.1:$PORT1" >/dev/null 2>&1
tried_again() {
	logged 'to=<user@patient.lost.test>.*status=sent' || { "$postern" -c "$etc" flush && sleep 0.5 && false; }
}
await 15 tried_again
await_log 'to=<user@patient.lost.test>.*status=sent'

# Bad settings are named at the start.
"$postern" -c "$etc" stop >/dev/null 2>&1
echo 'smtp_tls_protocols = >=TLSv1.4' >>"$etc/main.cf"
"$postern" -c "$etc" start >"$scratch/bad.out" 2>&1 && fail "started with a protocol that does not exist"
grep -q 'smtp_tls_protocols = >=TLSv1.4: .*expected' "$scratch/bad.out" || fail "the bad protocol: $(cat "$scratch/bad.out")"
exit 0
