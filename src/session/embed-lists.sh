#!/bin/sh
# embed-lists.sh FILE... >lists_data.c: each list of words as a NULL-terminated array session_list_FILE.
printf '#include "session/lists.h"\n'
for file in "$@"; do
    name=$(basename "$file" | tr - _)
    printf '\nconst char *const session_list_%s[] = {\n' "$name"
    # A comment begins at the line's start or behind a blank.
    sed -e 's/^#.*//' -e 's/[[:space:]]\{1,\}#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' \
        -e 's/[\\"]/\\&/g' -e 's/.*/    "&",/' "$file"
    printf '    NULL};\n'
done
