//! The CSS of the charts, and the custom properties that it leaves to the page.

/// The CSS rules of the charts, to be included once in the page.
///
/// They contain no colours: the page defines every property in [`TOKENS`] for light, dark and
/// print. All rules are scoped to `svg.ch`. Impacts and states differ in lightness, and the light
/// ones also in their outline, so that charts can be printed in black and white.
pub const STYLE: &str = "\
.ch{display:block;width:100%;height:auto;overflow:visible;direction:ltr;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.ch text{fill:var(--ink);font-size:13px;unicode-bidi:plaintext;font-variant-numeric:tabular-nums}
.ch .s{font-size:11px}
.ch .b{font-weight:600}
.ch .e{text-anchor:end}
.ch .c{text-anchor:middle}
.ch .q{fill:var(--muted)}
.ch .j{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.ch .i{stroke:var(--grid);stroke-width:1;shape-rendering:crispEdges}
.ch .x{stroke:var(--muted);stroke-width:1;shape-rendering:crispEdges}
.ch .t{fill:var(--track)}
.ch .y{fill:none;stroke:var(--grid);stroke-width:1;stroke-dasharray:4 4}
.ch .n{fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.ch .w{fill:var(--accent);fill-opacity:.12}
.ch .k{fill:var(--accent);stroke:var(--paper);stroke-width:1}
.ch .z{fill:var(--accent);stroke:var(--paper);stroke-width:1.5}
.ch .hw{fill:var(--paper);stroke:var(--accent);stroke-width:2}
.ch .a{fill:var(--accent)}
.ch .r{fill:var(--rest)}
.ch .h{fill:var(--high);stroke:var(--paper)}
.ch .m{fill:var(--medium);stroke:var(--paper)}
.ch .l{fill:var(--low);stroke:var(--ink)}
.ch .o{fill:var(--other);stroke:var(--ink);stroke-dasharray:2 2}
.ch .g{fill:var(--merged);stroke:var(--paper)}
.ch .p{fill:var(--open);stroke:var(--paper)}
.ch .cl{fill:var(--closed);stroke:var(--ink)}
.ch .d{fill:var(--draft);stroke:var(--ink);stroke-dasharray:3 2}
.ch .u{fill:var(--unknown);stroke:var(--ink);stroke-dasharray:1 2}
.ch .f{fill-opacity:.35;stroke:var(--muted);stroke-dasharray:2 2}
.ch .va{fill:var(--on-accent)}
.ch .vr{fill:var(--on-rest)}
.ch .vh{fill:var(--on-high)}
.ch .vm{fill:var(--on-medium)}
.ch .vg{fill:var(--on-merged)}
.ch .vp{fill:var(--on-open)}
";

/// The custom properties that the page must define.
///
/// | Property | For | Asked of it |
/// |---|---|---|
/// | `--ink`, `--muted` | text; also outlines and the zero line | 7:1 and 4.5:1 on paper |
/// | `--paper` | the ground the charts stand on | |
/// | `--grid`, `--track` | lines and wholes behind the data | barely visible |
/// | `--accent`, `--rest` | the data, and the grey rest | 3:1 on paper |
/// | `--high`, `--medium`, `--low`, `--other` | impact | lightness in this order, from far off paper to near it |
/// | `--merged`, `--open`, `--closed`, `--draft`, `--unknown` | states | as above |
/// | `--on-accent`, `--on-rest`, `--on-high`, `--on-medium`, `--on-merged`, `--on-open` | numbers on marks | 4.5:1 on the mark |
///
/// Numbers on `--low`, `--other`, `--closed`, `--draft` and `--unknown` are in
/// `--ink`, which those five therefore have to carry.
pub const TOKENS: [&str; 22] = [
    "--ink",
    "--muted",
    "--paper",
    "--grid",
    "--track",
    "--accent",
    "--rest",
    "--high",
    "--medium",
    "--low",
    "--other",
    "--merged",
    "--open",
    "--closed",
    "--draft",
    "--unknown",
    "--on-accent",
    "--on-rest",
    "--on-high",
    "--on-medium",
    "--on-merged",
    "--on-open",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_exactly_the_properties_in_use() {
        let used = STYLE.split("var(").skip(1).filter_map(|rest| rest.split(')').next());
        let mut used: Vec<&str> = used.collect();
        used.sort_unstable();
        used.dedup();
        let mut tokens = TOKENS;
        tokens.sort_unstable();
        assert_eq!(used, tokens);
        assert!(!STYLE.contains('#') && !STYLE.contains("rgb"), "a colour of its own");
    }

    #[test]
    fn every_rule_is_scoped_to_charts() {
        for rule in STYLE.lines() {
            assert!(
                rule.split('{')
                    .next()
                    .is_some_and(|selector| selector.split(',').all(|s| s.starts_with(".ch"))),
                "{rule}"
            );
        }
    }
}
