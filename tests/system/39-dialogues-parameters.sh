#!/bin/bash
# Parameters of MAIL FROM and RCPT TO: SIZE, BODY, DSN and others, right and wrong.
. "$(dirname "$0")/dialogues.bash"
play_table parameters
