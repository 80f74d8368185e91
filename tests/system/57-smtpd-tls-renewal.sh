#!/bin/bash
# Certificates are renewed while clients deliver, in all the ways in which that is done and goes wrong:
# no handshake fails, what is whole and fits together is taken up, anything else is not. As root, the
# keys are root's alone, in a folder that nobody else may enter (as /etc/letsencrypt is).
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
clients=

end() {
	[ -n "$clients" ] && kill "$clients" 2>/dev/null
	cleanup
}
trap end EXIT

new_ca ca
for i in 1 2 3 4 5 6 7 8 9; do new_cert "g$i" ca "g$i.test"; done
live=$scratch/live key_mode=644
mkdir -m 755 "$live"
[ "$(id -u)" = 0 ] && key_mode=600

put() { # put FILE MODE: takes the place of FILE by a rename
	cat >"$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1"
}
put_key() { put "$live/key.pem" $key_mode <"$certs/$1.key"; }
put_cert() { put "$live/cert.pem" 644 <"$certs/$1.pem"; }
put_chain() { put "$live/chain.pem" 644 <"$certs/$1.chain"; }
put_named() { put "$live/named.pem" 644 <"$certs/$1.chain"; }
put_all() { put_key "$1" && put_cert "$1" && put_chain "$1" && put_named "$1"; }

put_all g1
mkdir -m 700 "$scratch/closed"
(umask 077; cat "$certs/g1.chain" >"$scratch/closed/chain.pem"; cat "$certs/g2.chain" >"$scratch/closed/named.pem")
init_instance "$scratch/i"
PORT2=$(free_port) PORT3=$(free_port)
printf 'named.test %s\n' "$live/named.pem" >"$scratch/sni"
printf 'named.test %s\n' "$scratch/closed/named.pem" >"$scratch/closed.sni"
cat >>"$etc/main.cf" <<END2
default_transport = discard
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = $live/cert.pem
smtpd_tls_key_file = $live/key.pem
smtpd_tls_loglevel = 1
END2
cat >>"$etc/master.cf" <<END2
127.0.0.1:$PORT2 inet n - n - - smtpd -o smtpd_tls_chain_files=$live/chain.pem -o tls_server_sni_maps=texthash:$scratch/sni
127.0.0.1:$PORT3 inet n - n - - smtpd -o smtpd_tls_chain_files=$scratch/closed/chain.pem -o tls_server_sni_maps=texthash:$scratch/closed.sni
END2
start
said=$scratch/clients.out
python3 tests/system/helpers/tls_clients.py "$certs/ca.pem" "pair:$PORT1" "chain:$PORT2" "named:$PORT2:named.test" \
	"closed:$PORT3" "closed-named:$PORT3:named.test" >"$said" 2>&1 &
clients=$!

shows() { # shows LABEL CERTIFICATE: the last five deliveries did
	[ "$(grep "^$1 " "$said" | tail -n 5 | sort | uniq -c | sed 's/^ *//')" = "5 $1 ok $2.test" ]
}
all_show() { shows pair "$1" && shows chain "$1" && shows named "$1"; }
last_said() { # of each client, and what failed first
	grep -m 3 ' failed ' "$said"
	tac "$said" | sort -k1,1 -s | awk 'n[$1]++ < 5'
}
await_all() { # await_all WHAT CERTIFICATE
	await 15 all_show "$2" || fail "$1: not in use: $(last_said)"
}
# stays WHAT CERTIFICATE LOG: what is there is looked at, and it is not used
stays() {
	await 15 logged "$3" || fail "$1: not logged: $3"
	sleep 0.2
	all_show "$2" || fail "$1: $2 is not what is shown: $(last_said)"
}

await_all start g1
await 10 shows closed g1 || fail "a key in a closed folder"
await 10 shows closed-named g2 || fail "a key by name in a closed folder"

put_all g2
await_all 'by rename' g2

for what in key.pem:g3.key cert.pem:g3.pem chain.pem:g3.chain named.pem:g3.chain; do
	cat "$certs/${what#*:}" >"$live/${what%:*}"
done
await_all 'written over' g3

mkdir "$live/archive" # as certbot does
for what in key.pem:g4.key cert.pem:g4.pem chain.pem:g4.chain named.pem:g4.chain; do
	put "$live/archive/${what%:*}" $key_mode <"$certs/${what#*:}"
	[ "${what%:*}" = key.pem ] || chmod 644 "$live/archive/${what%:*}"
	ln -s "archive/${what%:*}" "$live/link" && mv -T "$live/link" "$live/${what%:*}"
done
await_all 'by symbolic link' g4

put_key g5
head -c 300 "$certs/g5.chain" | put "$live/chain.pem" 644
head -c 300 "$certs/g5.chain" | put "$live/named.pem" 644
stays 'key first' g4 'cert.pem: the certificate does not belong to the key.*before are\( used\)*$'
stays 'half a chain' g4 'chain.pem: .*before are\( used\)*$'
logged 'chain for the server name named.test: .*: the one of before is used' || fail "half a chain by name"
put_cert g5
put_chain g5
put_named g5
await_all 'then the rest' g5

rm "$live/key.pem" "$live/chain.pem" "$live/named.pem"
put_cert g6
reload || fail reload # even processes that start now have the old ones
sleep 1
all_show g5 || fail "removed: $(last_said)"
put_all g6
await_all 'removed and made again' g6

: >"$live/cert.pem"
: >"$live/chain.pem"
: >"$live/named.pem"
sleep 1.2
all_show g6 || fail "emptied: $(last_said)"
put_all g7
await_all 'emptied and made again' g7
logged 'TLS certificate .* is good for [0-9]* days' || fail "days left"
kill "$clients"
clients=
grep failed "$said" && fail "handshakes or deliveries failed"

# many idle processes: behind the first client that comes, nobody gets the old one
idle() { # idle NAME: six clients at once; what their first deliveries showed
	python3 tests/system/helpers/tls_clients.py "$certs/ca.pem" a:"$PORT1" b:"$PORT1" c:"$PORT1" d:"$PORT1" e:"$PORT1" \
		f:"$PORT1" >"$scratch/$1" 2>&1 &
	clients=$!
	all_came() { [ "$(cut -d' ' -f1 "$scratch/$1" | sort -u | wc -l)" = 6 ]; }
	await 15 all_came "$1" || fail "clients: $(cat "$scratch/$1")"
	kill "$clients"
	wait "$clients" 2>/dev/null
	clients=
	sort -u -k1,1 "$scratch/$1" | cut -d' ' -f2- | sort -u
}
idle six >/dev/null
put_key g8
put_cert g8
sleep 1.1 # they look once a second
timeout 120 openssl s_client -connect "127.0.0.1:$PORT1" -starttls smtp <<<QUIT >/dev/null 2>&1
sleep 1.1 # master wakes them
all_new() { [ "$(idle again)" = 'ok g8.test' ]; }
await 10 all_new || fail "idle processes show the old certificate: $(cat "$scratch/again")"
logged 'panic\|fatal' && fail "something fatal"
exit 0
