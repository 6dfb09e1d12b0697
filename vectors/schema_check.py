# SPDX-License-Identifier: Apache-2.0
"""The part of JSON Schema that vectors/schema uses: type, required, properties,
additionalProperties, items, pattern, enum, minimum, $ref within the file."""
import re

TYPES = {"object": dict, "array": list, "string": str, "integer": int,
         "null": type(None), "boolean": bool}
KNOWN = {"$schema", "$id", "title", "description", "$defs", "$ref", "type",
         "required", "properties", "additionalProperties", "items", "pattern",
         "enum", "minimum"}


def is_type(value, name):
    if isinstance(value, bool) and name == "integer":
        return False
    return isinstance(value, TYPES[name])


def problems(value, schema, root, at="$"):
    """Yields one line for each violation."""
    unknown = set(schema) - KNOWN
    if unknown:
        yield "%s: the schema uses %s" % (at, sorted(unknown))
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        yield from problems(value, target, root, at)
        return
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, t) for t in types):
        yield "%s: not of type %s" % (at, types)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield "%s: %r is none of %s" % (at, value, schema["enum"])
    if "minimum" in schema and isinstance(value, int) and \
            value < schema["minimum"]:
        yield "%s: %d is too small" % (at, value)
    if "pattern" in schema and isinstance(value, str) and \
            not re.search(schema["pattern"], value):
        yield "%s: %.40r does not match %s" % (at, value, schema["pattern"])
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield "%s: no %s" % (at, name)
        rest = schema.get("additionalProperties", True)
        for name, member in value.items():
            inner = schema.get("properties", {}).get(name, rest)
            if inner is False:
                yield "%s: unknown member %s" % (at, name)
            elif inner is not True:
                yield from problems(member, inner, root, at + "." + name)
    if isinstance(value, list) and "items" in schema:
        for i, member in enumerate(value):
            yield from problems(member, schema["items"], root,
                                "%s[%d]" % (at, i))
