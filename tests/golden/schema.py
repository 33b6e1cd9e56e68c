"""The part of JSON Schema that src/report/*.schema.json uses, with nothing but the standard library."""
import functools
import glob
import json
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KNOWN = {"$schema", "$ref", "title", "description", "type", "properties", "required", "additionalProperties", "items",
         "enum", "const", "pattern", "minimum"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
         "null": type(None)}


@functools.lru_cache(maxsize=None)
def load(path):
    """The schema in that file of the project."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return json.load(f)


def load_all():
    """{type of record: schema}; "finding" for those without a key `type`."""
    paths = glob.glob(os.path.join(ROOT, "src", "report", "*.schema.json"))
    return {os.path.basename(p)[:-len(".schema.json")]: load(p) for p in paths}


def is_of(value, type_name):
    if type_name in ("integer", "number") and isinstance(value, bool):
        return False
    return isinstance(value, TYPES[type_name])


def problems(value, schema, where="record"):
    """Lines that say what is wrong."""
    if "$ref" in schema:
        schema = load(os.path.join("src", "report", schema["$ref"]))
    unknown = set(schema) - KNOWN
    assert not unknown, "schema.py does not know %s" % unknown
    out = []
    if "const" in schema and value != schema["const"]:
        out.append("%s: %r is not %r" % (where, value, schema["const"]))
    if "enum" in schema and value not in schema["enum"]:
        out.append("%s: %r is not one of %r" % (where, value, schema["enum"]))
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    if types and not any(is_of(value, t) for t in types):
        return out + ["%s: %r is no %s" % (where, value, " or ".join(types))]
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        out.append("%s: %r does not match %s" % (where, value, schema["pattern"]))
    if is_of(value, "number") and value < schema.get("minimum", value):
        out.append("%s: %s is below %d" % (where, value, schema["minimum"]))
    if isinstance(value, list):
        for i, item in enumerate(value):
            out += problems(item, schema.get("items", {}), "%s[%d]" % (where, i))
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        out += ["%s: no key %s" % (where, k) for k in schema.get("required", []) if k not in value]
        if schema.get("additionalProperties") is False:
            out += ["%s: unknown key %s" % (where, k) for k in value if k not in properties]
        for k in value:
            out += problems(value[k], properties.get(k, {}), "%s.%s" % (where, k))
    return out
