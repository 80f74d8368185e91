#!/bin/bash
# Addresses of MAIL FROM and RCPT TO as clients write them, and as nobody should.
. "$(dirname "$0")/dialogues.bash"
play_table addresses
