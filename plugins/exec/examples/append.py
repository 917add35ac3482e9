#!/usr/bin/env python3
"""Appends the summary of each event to a file, and says what became of it."""
import json
import sys

for line in sys.stdin:
    event = json.loads(line)
    try:
        with open("summaries.txt", "a", encoding="utf-8") as file:
            print(event["id"], json.dumps(event["summary"]), file=file)
        answer = {"ack": event["id"]}
    except OSError as error:
        answer = {"retry": event["id"], "after": "5s", "reason": str(error)}
    print(json.dumps(answer), flush=True)
