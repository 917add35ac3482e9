//! The `exec` sink in a whole herald: events reach a program, and what it says is heard and cannot flood.

use crate::support::eventually;
use crate::support::herald::Herald;
use std::collections::BTreeSet;

const CONFIG: &str = r#"
[controllers.home]
url = "https://192.0.2.1"
auth = { username = "herald", password = "x" }

[sinks.own]
plugin = "exec"
options = { command = ["sh", "own.sh"] }

[sinks.archive]
plugin = "file"
options = { path = "archive.jsonl" }

[chains.everything]
steps = [{ sink = "own" }, { sink = "archive" }]
"#;

/// Falls once in the middle of its work, after an event that it has not acknowledged yet.
const PROGRAM: &str = r#"
echo "own program is here" >&2
yes "this is noise" | head -n 5000 >&2
while IFS= read -r line; do
    id=${line#*'"id":"'}
    id=${id%%'"'*}
    printf '%s\n' "$line" >>own.jsonl
    [ -e fallen ] || [ "$(wc -l <own.jsonl)" -lt 5 ] || { touch fallen; exit 7; }
    printf '{"ack":"%s"}\n' "$id"
done
echo "own program says goodbye" >&2
"#;

fn ids(herald: &Herald, name: &str) -> Vec<String> {
    let events = herald.events(name).into_iter();
    events
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_program_gets_every_event_also_when_it_falls_and_its_words_are_in_the_log() {
    let herald = Herald::with(CONFIG);
    herald.write("own.sh", PROGRAM);
    herald.run(&["check"]).with_code(0);
    let running = herald.start(&["demo", "--rate", "50"]);
    eventually("the program is started again and goes on", || {
        herald.events("own.jsonl").len() > 20
    });
    let ended = running.stopped().with_code(0);
    let (own, archive) = (ids(&herald, "own.jsonl"), ids(&herald, "archive.jsonl"));
    let twice = own.len() - own.iter().collect::<BTreeSet<_>>().len();
    assert!(twice >= 1, "what it had not acknowledged came again");
    let unique: BTreeSet<_> = own.iter().collect();
    assert_eq!(unique, archive.iter().collect(), "and nothing was lost");
    let log = &ended.stderr;
    assert!(log.contains("exit status: 7"), "{log}");
    assert!(log.contains("own program is here"), "{log}");
    assert!(log.contains("own program says goodbye") || log.contains("program said more"));
    let noise = log.matches("this is noise").count();
    assert!(
        (1..100).contains(&noise),
        "a flood is counted, not written: {noise}"
    );
}
