# The mode that is installed: optimised, hardened.
MODE_CFLAGS = -O2 -g -D_FORTIFY_SOURCE=2
