#!/bin/sh
# Appends each event to a file, and says what became of it. The id is the second field of every line.
while IFS= read -r line; do
    id=${line#*'"id":"'}
    id=${id%%'"'*}
    if printf '%s\n' "$line" >>events.jsonl; then
        printf '{"ack":"%s"}\n' "$id"
    else
        printf '{"retry":"%s","after":"5s"}\n' "$id"
    fi
done
