//! A funnel: how many get from one step to the next.

use plotters::prelude::*;

use super::canvas::{self, NORMAL, SMALL, UNIT, WIDTH, WithTooltip};
use super::palette::{Paint, Tone};
use super::{Caption, ChartError, Svg, length, longest};

const ROW: i32 = 58 * UNIT;
const BAR: i32 = 16 * UNIT;
const GAP: i32 = 8 * UNIT;
/// The shortest visible bar.
const MIN_LENGTH: i32 = 15;
/// Below the text line, and below the bar.
const UNDER: i32 = 18 * UNIT;

/// One step of a funnel.
#[derive(Clone, Debug, PartialEq)]
pub struct FunnelStep {
    /// The name of the step.
    pub name: String,
    /// The count.
    pub value: f64,
    /// The formatted count.
    pub text: String,
    /// Formatted shares of the first and of the previous step, drawn under the bar.
    pub note: Option<String>,
}

/// A chart with one bar a step, each in a track as long as the first.
///
/// An empty list draws "No data".
///
/// # Errors
///
/// The caption's id is invalid, or plotters fails.
pub fn funnel(caption: &Caption<'_>, steps: &[FunnelStep]) -> Result<Svg, ChartError> {
    if steps.is_empty() {
        return canvas::empty_chart(caption);
    }
    let top = longest(steps.iter().map(|step| step.value));
    let noted = steps.last().is_some_and(|step| step.note.is_some());
    let height = canvas::rows(steps.len(), ROW) - if noted { GAP } else { ROW - UNDER - BAR - UNIT };
    canvas::chart(caption, height, |area| {
        let ruler = canvas::ruler(area, top);
        let mut y = 0;
        for step in steps {
            let value = NORMAL.bold();
            let value_width = value.width(&step.text).min(WIDTH / 3);
            value.right().draw_cut(area, &step.text, (WIDTH, y), value_width)?;
            NORMAL.draw_cut(area, &step.name, (0, y), WIDTH - value_width - GAP)?;
            let (from, to) = (y + UNDER, y + UNDER + BAR);
            area.draw(&Rectangle::new([(0, from), (WIDTH, to)], Paint::Track.style()))?;
            if let Some(value) = length(step.value).filter(|value| *value > 0.0) {
                let end = canvas::visible_length(value, top, MIN_LENGTH);
                let shape = Rectangle::new([(0.0, from), (end, to)], Paint::Tone(Tone::Accent).style());
                ruler.draw(&WithTooltip::new(shape, format!("{}: {}", step.name, step.text)))?;
            }
            if let Some(note) = &step.note {
                SMALL.muted().draw_cut(area, note, (0, to + 2 * UNIT), WIDTH)?;
            }
            y += ROW;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::tests::markup;

    const FRAME: Caption<'_> = Caption { id: "f", title: "t", description: "d" };

    fn step(name: &str, value: f64) -> FunnelStep {
        FunnelStep { name: name.to_owned(), value, text: value.to_string(), note: Some("of all".to_owned()) }
    }

    #[test]
    fn steps_are_proportional_to_the_first() {
        let svg =
            funnel(&FRAME, &[step("sessions", 200.0), step("with PR", 100.0), step("merged", 0.0)]).unwrap();
        let marks = markup::elements(svg.as_str());
        let widths = |class: &str| -> Vec<f64> {
            let rects = marks.iter().filter(|e| e.tag == "rect" && e.classes().any(|c| c == class));
            rects.map(|e| e.number("width")).collect()
        };
        assert_eq!((widths("a"), widths("t")), (vec![360.0, 180.0], vec![360.0; 3]));
    }

    #[test]
    fn zeros_keep_the_steps_and_no_steps_draw_no_data() {
        let svg = funnel(&FRAME, &[step("sessions", 0.0)]).unwrap();
        assert!(svg.as_str().contains("sessions") && !svg.as_str().contains("class=\"a\""));
        assert!(funnel(&FRAME, &[]).unwrap().as_str().contains("No data"));
    }
}
