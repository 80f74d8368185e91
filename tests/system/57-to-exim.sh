#!/bin/bash
# Mail to Exim: with and without TLS, of all kinds, byte for byte.
. "$(dirname "$0")/peers.bash"
can_own_root || { echo "Exim needs users of its own: this is not root, or there are no mount namespaces"; exit 77; }
exim=${POSTERN_TEST_EXIM:-$(find_program exim4 exim)} ||
	{ unpack exim4-base exim4-daemon-light && exim=$scratch/package/usr/sbin/exim4; } ||
	{ echo "Exim is not installed, and its package does not come"; exit 77; }

mkdir -m 777 "$scratch/exim"
chmod 644 "$certs"/mx.*
cat >"$scratch/exim.conf" <<END
primary_hostname = exim.test
exim_path = $exim
spool_directory = $scratch/exim
log_file_path = $scratch/exim/%s.log
daemon_smtp_ports = $peer_port
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = $certs/mx.pem
tls_privatekey = $certs/mx.key
dsn_advertise_hosts = *
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
message_size_limit = 20M
keep_environment =
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = all
acl_smtp_data = all
begin acl
all:
  accept
begin routers
on:
  driver = manualroute
  route_list = * 127.0.0.1 byname
  self = send
  transport = on
begin transports
on:
  driver = smtp
  port = $dump_port
  hosts_avoid_tls = *
END
start_dump
own_root "$exim" -bdf -oX "127.0.0.1.$peer_port" -oP "$scratch/exim/pid" >"$scratch/exim.out" 2>&1 &
pids+=($!)
await_peer "$scratch/exim.out" "$scratch"/exim/*.log
run_client
send_all
check_all
grep -q ' K .*S=' "$scratch/exim/main.log" || fail "Exim offers CHUNKING, and got no BDAT: $(head "$scratch/exim/main.log")"
exit 0
