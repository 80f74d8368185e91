#!/bin/bash
# The -o settings of a cleanup entry shape what smtpd queues when cleanup_service_name names it, and
# those of smtpd's own entry are smtpd's.
. "$(dirname "$0")/service.bash"

init_instance "$scratch/i"
PORT2=$(free_port)
echo 'default_transport = discard' >>"$etc/main.cf"
cat >>"$etc/master.cf" <<END
127.0.0.1:$PORT2 inet n - n - - smtpd
    -o cleanup_service_name=pre-cleanup
    -o smtpd_banner=other
pre-cleanup unix n - n - 0 cleanup
    -o hopcount_limit=2
END
start

send() { # send PORT: a message with three hops; the reply to it in $answer
	connect 3 "$1" || fail "no session"
	for command in 'HELO x' 'MAIL FROM:<a@example.com>' 'RCPT TO:<b@remote.example>' DATA; do
		printf '%s\r\n' "$command" >&3
		read -r -t 60 -u 3 answer
	done
	printf 'Received: a\r\nReceived: b\r\nReceived: c\r\n\r\n.\r\n' >&3
	read -r -t 60 -u 3 answer
	hangup 3
}

send "$PORT1"
case $answer in "250 2.0.0 Ok: queued as "*) ;; *) fail "the plain entry: $answer" ;; esac
send "$PORT2"
case $greeting in "220 other"*) ;; *) fail "greeting: $greeting" ;; esac
case $answer in "554 5.4.0 "*) ;; *) fail "the entry with its own cleanup: $answer" ;; esac
stop
exit 0
