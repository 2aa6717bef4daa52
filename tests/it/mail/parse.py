"""Reads a message with Python's own parser and tells what is in it as JSON."""
import email
import email.policy
import hashlib
import json
import sys


def describe(part):
    message = {"type": part.get_content_type(), "defects": [str(defect) for defect in part.defects]}
    if part.is_multipart():
        message["parts"] = [describe(inner) for inner in part.iter_parts()]
        return message
    content = part.get_content()
    raw = content.encode() if isinstance(content, str) else content
    message |= {
        "disposition": part.get_content_disposition(),
        "name": part.get_filename(),
        "id": part["Content-ID"],
        "bytes": len(raw),
        "sha256": hashlib.sha256(part.get_payload(decode=True)).hexdigest(),
        "head": list(raw[:8]),
    }
    if isinstance(content, str):
        message["text"] = content
    return message


message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
headers = {name: str(value) for name, value in message.items()}
date = message["Date"].datetime.isoformat()
to = [str(address) for address in message["To"].addresses]
flaws = [f"{name}: {defect}" for name, value in message.items() for defect in value.defects]
json.dump({"headers": headers, "date": date, "to": to, "flaws": flaws, "body": describe(message)}, sys.stdout)
