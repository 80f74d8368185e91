#!/bin/bash
# Canonical tables, masquerading, virtual aliases, copies: what becomes of envelopes and headers.
# What is wanted is recorded; where Debian's Postfix is installed, it does the same.
# "33-address-mapping.sh --write" writes what is wanted anew: compare it then.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cases=tests/system/mapping.py wanted=tests/system/33-address-mapping.wanted

sink=$(free_port)
make_instance "smtp:[127.0.0.1]:$sink"
python3 $cases settings >>"$etc/main.cf"
port=$PORT1
start
python3 $cases run "$port" "$sink" >"$scratch/got" 2>&1 || fail "$(cat "$scratch/got")"
stop
if [ "${1:-}" = --write ]; then cp "$scratch/got" "$wanted"; fi
diff "$wanted" "$scratch/got" || fail "Postern does not map as is wanted"

have_postfix && [ -z "${1:-}" ] || exit 0
sink=$(free_port)
make_postfix "smtp:[127.0.0.1]:$sink"
python3 $cases settings >>"$pf_etc/main.cf"
start_postfix
python3 $cases run "$PF_PORT" "$sink" >"$scratch/postfix" 2>&1 || fail "$(cat "$scratch/postfix")"
stop_postfix
diff "$wanted" "$scratch/postfix" || fail "Postfix maps otherwise"
