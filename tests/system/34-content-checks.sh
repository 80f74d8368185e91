#!/bin/bash
# header_checks, mime_header_checks, nested_header_checks and body_checks of mail that comes in: each
# action, replies, what is delivered, and the log. What is wanted is recorded; where Debian's Postfix
# is installed, it does the same. "34-content-checks.sh --write" writes it anew: compare it then.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cases=tests/system/content.py wanted=tests/system/34-content-checks.wanted

sink=$(free_port)
make_instance "smtp:[127.0.0.1]:$sink"
port=$PORT1
python3 $cases settings "$scratch" >"$scratch/settings"
cat "$scratch/settings" >>"$etc/main.cf"
start
python3 $cases run "$port" "$sink" >"$scratch/got" 2>&1 || fail "$(cat "$scratch/got")"
python3 $cases log "$log" >>"$scratch/got"
if [ "${1:-}" = --write ]; then cp "$scratch/got" "$wanted"; fi
diff "$wanted" "$scratch/got" || fail "Postern does not check as is wanted"

# sendmail's mail is checked likewise, and comes back
printf 'Subject: reject-text\n\ntext\n' | "$bin/sendmail" -f s@x.test a@r.test
await_log 'cleanup.*: reject: header Subject: reject-text from local; from=<s@x.test> to=<a@r.test>: 5.7.1 no such subject'
await_log 'to=<a@r.test>, relay=none, .*dsn=5.7.1, status=bounced (no such subject)'
printf 'Subject: discard\n\ntext\n' | "$bin/sendmail" -f s@x.test a@r.test
await_log 'cleanup.*: discard: header Subject: discard from local'
await 10 eval '[ -z "$(ls "$spool/maildrop")" ]' || fail "a discarded message stays in maildrop"
stop

have_postfix && [ -z "${1:-}" ] || exit 0
sink=$(free_port)
make_postfix "smtp:[127.0.0.1]:$sink"
cat "$scratch/settings" >>"$pf_etc/main.cf"
start_postfix
python3 $cases run "$PF_PORT" "$sink" >"$scratch/postfix" 2>&1 || fail "$(cat "$scratch/postfix")"
python3 $cases log "$pf_log" >>"$scratch/postfix"
stop_postfix
diff "$wanted" "$scratch/postfix" || fail "Postfix checks otherwise"
