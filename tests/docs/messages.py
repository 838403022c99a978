"""The protocol buffers' messages, by protoc."""

import functools
import subprocess

from docs.tree import ROOT


def parse_text_format(text):
    """Protocol buffers' text format -> {field: [values]}; a message is such a dict."""
    stack, message = [], {}
    for line in map(str.strip, text.split("\n")):
        if line.endswith("{"):
            child = {}
            message.setdefault(line[:-1].strip(), []).append(child)
            stack.append(message)
            message = child
        elif line == "}":
            message = stack.pop()
        elif line:
            name, _, value = line.partition(": ")
            message.setdefault(name, []).append(value.strip('"'))
    return message


@functools.lru_cache(None)
def describe(*files):
    """-> {message: {field: (its message or "", its oneof or "")}} of the files and what they import. Names are full."""
    run = functools.partial(subprocess.run, cwd=ROOT / "proto", check=True, stdout=subprocess.PIPE)
    described = run(["protoc", "--proto_path=.", "--include_imports", "--descriptor_set_out=/dev/stdout", *files]).stdout
    decode = ["protoc", "--decode=google.protobuf.FileDescriptorSet", "google/protobuf/descriptor.proto"]
    found = {}
    for file in parse_text_format(run([*decode, "-I/usr/include"], input=described).stdout.decode())["file"]:
        for message in file.get("message_type", []):
            _add(message, "." + file["package"][0], found)
    return found


def _add(message, parent, found):
    name = f"{parent}.{message['name'][0]}"
    oneofs = [oneof["name"][0] for oneof in message.get("oneof_decl", [])]
    found[name] = {
        field["name"][0]: (
            field.get("type_name", [""])[0] if field["type"][0] == "TYPE_MESSAGE" else "",
            oneofs[int(field["oneof_index"][0])] if "oneof_index" in field else "",
        )
        for field in message.get("field", [])
    }
    for nested in message.get("nested_type", []):
        _add(nested, name, found)


def fields_of_oneof(messages, message, oneof):
    return {field for field, (_, of) in messages[message].items() if of == oneof}


def paths_of(messages, message, prefix=""):
    """The paths of all fields that are not messages of ours: limits.idle_timeout"""
    paths = set()
    for field, (kind, _) in messages[message].items():
        if kind.startswith(".entrepot."):
            paths |= paths_of(messages, kind, f"{prefix}{field}.")
        else:
            paths.add(prefix + field)
    return paths
