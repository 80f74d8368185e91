#!/bin/bash
# DANE (RFC 7672) by a whole chain of its own: knot signs two zones, unbound validates them, the SMTP
# client believes unbound. A recipient is user@CASE.dane.test; pool@ goes by tlsproxy(8).
for tool in knotd keymgr unbound; do
	command -v "$tool" >/dev/null || { echo "$tool is not installed (packages knot, unbound)"; exit 77; }
done
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
pids=()

end() {
	[ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null
	cleanup
}
trap end EXIT

new_ca ca
new_cert mx ca mx.dane.test
new_cert self "" nothing.example.com
new_cert alias ca target.dane.test

sink() { # sink ADDRESS CHAIN: all listen on one port, which TLSA records name
	"$build/bin/smtp-sink" ${2:+-K "$certs/$2.chain"} "$1:$port" 50 >/dev/null 2>&1 &
	pids+=($!)
	await_port "$port"
}
port=$(free_port) knot_port=$(free_port) dns_port=$(free_port)
sink 127.0.0.1 mx
sink 127.0.0.2 self
sink 127.0.0.3 alias
sink 127.0.0.4

spki() { openssl x509 -in "$certs/$1.pem" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; }
whole() { openssl x509 -in "$certs/$1.pem" -outform DER | sha512sum | cut -d' ' -f1; }
none=$(printf '%064d' 0)

zone() { # zone NAME: the head of a zone file
	printf '$ORIGIN %s.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n' "$1"
}
site() { # site CASE HOST
	echo "$1 MX 10 $2"
}
tlsa() { # tlsa HOST RDATA...
	echo "_$port._tcp.$1 TLSA ${*:2}"
}
mkdir -p "$scratch/dns/keys" "$scratch/dns/run"
{
	zone dane.test
	site good good-mx; echo "good-mx A 127.0.0.2"; tlsa good-mx 3 1 1 "$(spki self)"
	site issuer mx; echo "mx A 127.0.0.1"; tlsa mx 2 0 2 "$(whole ca)"
	site mismatch bad-mx; echo "bad-mx A 127.0.0.2"; tlsa bad-mx 3 1 1 "$none"
	site rolled two-mx; echo "two-mx A 127.0.0.2"; tlsa two-mx 3 1 1 "$none"; tlsa two-mx 3 1 1 "$(spki self)"
	site none bare-mx; echo "bare-mx A 127.0.0.2"
	site unusable pkix-mx; echo "pkix-mx A 127.0.0.2"; tlsa pkix-mx 1 1 1 "$none"
	site plain no-mx; echo "no-mx A 127.0.0.4"; tlsa no-mx 3 1 1 "$(spki self)"
	site wrongname ta-mx; echo "ta-mx A 127.0.0.2"; tlsa ta-mx 2 0 2 "$(whole ca)"
	site alias alias-mx; echo "alias-mx CNAME target"; echo "target A 127.0.0.3"; tlsa target 2 1 1 "$(spki ca)"
	site bogus broken.bogus.test.
	site lost lost-mx; echo "lost-mx A 127.0.0.2"; echo "_$port._tcp.lost-mx CNAME x.bogus.test."
	echo "direct A 127.0.0.2"; tlsa direct 3 1 1 "$(spki self)"
} >"$scratch/dns/dane.test"
{
	zone plain.test
	echo "@ MX 10 good-mx.dane.test."
	echo "host A 127.0.0.2"
	echo "_$port._tcp.host TLSA 3 1 1 $none"
	echo "own MX 10 host"
} >"$scratch/dns/plain.test"
{
	zone bogus.test
	echo "broken A 127.0.0.1"
	echo "x TLSA 3 1 1 $none"
} >"$scratch/dns/bogus.test"
cat >"$scratch/dns/knot.conf" <<END
server:
    listen: 127.0.0.1@$knot_port
    rundir: $scratch/dns/run
database:
    storage: $scratch/dns/keys
zone:
  - domain: dane.test
    file: $scratch/dns/dane.test
    dnssec-signing: on
    zonefile-sync: -1
    journal-content: all
  - domain: bogus.test
    file: $scratch/dns/bogus.test
    dnssec-signing: on
    zonefile-sync: -1
    journal-content: all
  - domain: plain.test
    file: $scratch/dns/plain.test
END
knotd -c "$scratch/dns/knot.conf" >"$scratch/dns/knot.out" 2>&1 &
pids+=($!)
anchor() { keymgr -c "$scratch/dns/knot.conf" "$1" ds 2>/dev/null | grep " 13 2 " | head -n 1; }
await 20 eval '[ -n "$(anchor dane.test)" ] && [ -n "$(anchor bogus.test)" ]' ||
	fail "no keys: $(cat "$scratch/dns/knot.out")"
cat >"$scratch/dns/unbound.conf" <<END
server:
    interface: 127.0.0.1
    port: $dns_port
    do-daemonize: no
    use-syslog: no
    chroot: ""
    username: ""
    directory: "$scratch/dns"
    pidfile: ""
    do-not-query-localhost: no
    do-ip6: no
    module-config: "validator iterator"
    local-zone: "test." nodefault
    trust-anchor: "$(anchor dane.test)"
    trust-anchor: "bogus.test. DS 1 13 2 $none"
    domain-insecure: "plain.test"
remote-control:
    control-enable: no
END
for name in dane bogus plain; do
	printf 'stub-zone:\n    name: "%s.test."\n    stub-addr: 127.0.0.1@%s\n' "$name" "$knot_port"
done >>"$scratch/dns/unbound.conf"
unbound -d -c "$scratch/dns/unbound.conf" >"$scratch/dns/unbound.out" 2>&1 &
pids+=($!)

init_instance "$scratch/i"
cat >>"$etc/main.cf" <<END
dns_resolver_address = 127.0.0.1:$dns_port
smtp_dns_support_level = dnssec
smtp_tcp_port = $port
smtp_tls_loglevel = 1
inet_protocols = ipv4
transport_maps = regexp:$etc/transport
smtp_tls_dane_insecure_mx_policy = dane
END
cat >"$etc/transport" <<END
/^only@/ only:
/^lazy@/ lazy:
/^pool@/ pool:
/^user@direct\.dane\.test\$/ dane:[direct.dane.test]
/^user@/ dane:
END
{
	transport() { echo "$1 unix - - n - - smtp -o syslog_name=$1 ${*:2}"; }
	transport dane -o smtp_tls_security_level=dane
	transport only -o smtp_tls_security_level=dane-only
	transport lazy -o smtp_tls_security_level=dane -o smtp_dns_support_level=enabled
	transport pool -o smtp_tls_security_level=dane -o smtp_tls_connection_reuse=yes
} >>"$etc/master.cf"
start

unsure='4.7.5, status=deferred (Server certificate not verified)'
cases="
user good.dane.test      sent|dane Verified
user issuer.dane.test    sent|dane Verified
user rolled.dane.test    sent|dane Verified
user alias.dane.test     sent|dane Verified
user direct.dane.test    sent|dane Verified
user mismatch.dane.test  $unsure|dane Untrusted
user wrongname.dane.test $unsure|dane Untrusted
user none.dane.test      sent|dane Untrusted
user unusable.dane.test  sent|dane Untrusted
user plain.dane.test     4.7.4, status=deferred (TLS is required, but was not offered by host no-mx.dane.test|
user bogus.dane.test     4.4.3, status=deferred (Host or domain name not found|
user lost.dane.test      4.7.5, status=deferred (TLSA lookup error for lost-mx.dane.test:$port)|
user plain.test          sent|dane Trusted
user own.plain.test      sent|dane Untrusted
only good.dane.test      sent|only Verified
only none.dane.test      4.7.5, status=deferred (no TLSA records found)|
only unusable.dane.test  4.7.5, status=deferred (TLSA records unusable)|
only plain.test          4.7.5, status=deferred (non DNSSEC destination)|
lazy mismatch.dane.test  sent|lazy Untrusted
pool good.dane.test      sent|pool Verified
pool issuer.dane.test    sent|pool Verified
pool alias.dane.test     sent|pool Verified
pool mismatch.dane.test  $unsure|pool Untrusted
pool wrongname.dane.test $unsure|pool Untrusted
pool none.dane.test      sent|pool Untrusted
pool lost.dane.test      4.7.5, status=deferred (TLSA lookup error for lost-mx.dane.test:$port)|
"
asked() { printf '%s' "$cases" | sed -n 's/^\([a-z]*\) \([a-z.]*\) *\(.*\)|\(.*\)$/\1@\2\t\3\t\4/p'; }
asked | while IFS=$'\t' read -r rcpt _; do
	"$build/bin/smtp-source" -m 1 -l 200 -f '' -t "$rcpt" "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
		fail "smtp-source: $(cat "$scratch/source.out")"
done || exit 1
asked | while IFS=$'\t' read -r rcpt result name; do
	case $result in sent) result='2.0.0, status=sent' ;; esac
	await 25 logged "to=<$rcpt>.*dsn=" || fail "$rcpt: nothing in the log"
	grep -q "to=<$rcpt>, .*dsn=$result" "$log" || fail "$rcpt: expected $result: $(grep "to=<$rcpt>" "$log")"
	[ -n "$name" ] || continue
	host=$(sed -n "s/.*to=<$rcpt>, relay=\([^,]*\),.*/\1/p" "$log" | head -n 1 | sed 's/[][]/\\&/g')
	grep -q " ${name% *}/smtp\[[0-9]*\]: ${name#* } TLS connection established to $host: " "$log" ||
		fail "$rcpt: expected a $name connection: $(grep "TLS connection established" "$log")"
done || exit 1
logged 'are not shared' && fail "tlsproxy was not used"
pgrep -P "$(master_pid)" -x tlsproxy >/dev/null || fail "no tlsproxy"
exit 0
