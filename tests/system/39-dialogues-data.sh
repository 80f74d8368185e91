#!/bin/bash
# DATA and BDAT: line ends, dots, smuggling, odd contents; what the next hop gets of them.
. "$(dirname "$0")/dialogues.bash"
play_table data
