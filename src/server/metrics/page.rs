//! Writes the text format of Prometheus.
//!
//! By hand, since the OpenMetrics form that libraries write is not what `promtool check metrics` reads, and since the
//! numbers are already counted elsewhere: this only shows them.

use crate::measure::Snapshot;
use std::fmt::{Display, Write as _};

/// The page, as it grows.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// One metric, whose samples follow.
#[derive(Debug)]
pub(super) struct Family<'p> {
    page: &'p mut String,
    name: &'static str,
}

impl Page {
    /// A number that only rises; its name ends in `_total`.
    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// A number that rises and falls.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// How often values came, by size.
    pub(super) fn histogram(&mut self, name: &'static str, help: &str, seen: &Snapshot) {
        let Family { page, name } = self.family(name, "histogram", help);
        for (bound, count) in &seen.buckets {
            put(
                page,
                format_args!("{name}_bucket{{le=\"{bound}\"}} {count}\n"),
            );
        }
        let Snapshot { count, sum, .. } = seen;
        put(
            page,
            format_args!(
                "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}\n"
            ),
        );
    }

    pub(super) fn text(self) -> String {
        self.0
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        put(
            &mut self.0,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
        );
        Family {
            page: &mut self.0,
            name,
        }
    }
}

impl Family<'_> {
    /// A value under these labels.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.page.push_str(self.name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.page.push(if index == 0 { '{' } else { ',' });
            put(self.page, format_args!("{label}=\""));
            for c in text.chars() {
                match c {
                    '\\' => self.page.push_str("\\\\"),
                    '"' => self.page.push_str("\\\""),
                    '\n' => self.page.push_str("\\n"),
                    c => self.page.push(c),
                }
            }
            self.page.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        put(self.page, format_args!("{end} {value}\n"));
    }
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    page.write_fmt(text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Histogram;

    #[test]
    fn the_format_is_that_of_prometheus() {
        let mut page = Page::default();
        let mut family = page.counter("herald_x_total", "Counts x.");
        family.sample(&[], 5);
        family.sample(&[("a", "q\"uo\\te\n"), ("b", "c")], 1.5);
        let histogram = Histogram::new(&[0.5, 2.0]);
        histogram.note(1.0);
        page.histogram("herald_y_seconds", "Times y.", &histogram.snapshot());
        assert_eq!(
            page.text(),
            r#"# HELP herald_x_total Counts x.
# TYPE herald_x_total counter
herald_x_total 5
herald_x_total{a="q\"uo\\te\n",b="c"} 1.5
# HELP herald_y_seconds Times y.
# TYPE herald_y_seconds histogram
herald_y_seconds_bucket{le="0.5"} 0
herald_y_seconds_bucket{le="2"} 1
herald_y_seconds_bucket{le="+Inf"} 1
herald_y_seconds_sum 1
herald_y_seconds_count 1
"#
        );
    }
}
