#!/bin/sh
# embed.sh NAME FILE >OUT.c: the file's bytes as a NUL-terminated C array NAME.
printf '#include "store/sql.h"\n\nconst char %s[] = {\n' "$1"
od -An -v -tu1 "$2" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
printf '0};\n'
