#!/usr/bin/env python3
"""embed-page.py page.css page.js >OUT.c: the static parts of the page as C arrays, and the hashes by which the
page's content security policy lets them in."""
import base64
import hashlib
import os
import sys

print('#include "report/html_page.h"\n')
for path in sys.argv[1:]:
    with open(path, "rb") as f:
        text = f.read()
    name = "html_" + os.path.basename(path).replace(".", "_")
    digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
    print("const char %s[] = {" % name)
    for i in range(0, len(text), 24):
        print(",".join(str(b) for b in text[i:i + 24]) + ",")
    print('0};\nconst char %s_hash[] = "sha256-%s";\n' % (name, digest))
