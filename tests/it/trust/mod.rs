//! A fetch that can be trusted: every fault and every kind of bad input, what
//! becomes of it, and the test that holds it. `f` is `src/fetch/tests` in the
//! library, a name without a path is next to this file.
//!
//! | Fault | Behaviour | Held by |
//! |---|---|---|
//! | the end signal is missing or mistyped | error at once | `f::walk::a_missing_or_mistyped_signal_…`, `f::v3::signals_are_never_guessed` |
//! | pages shorter than asked for | the walk goes by what came | `f::walk::a_clamped_walk_…`, `f::v3::a_clamped_page_…` |
//! | sessions missing, the count moves | walked again, then exit 4 | `f::proof::missing_sessions_…`, `f::proof::a_drift_…`, `f::proof::a_count_that_moved_…`, `f::v3::what_is_counted_…`, `f::v3::a_session_that_appears_…` |
//! | v3 tells no total | its own end, its cursors and the window prove it | `f::v3::slices_neither_drop_nor_double_…` |
//! | a session on the edge of two slices | counted once | `f::v3::a_session_on_an_edge_…` |
//! | window or filter ignored | rows dropped and counted, mostly so: exit 65 | `f::proof::rows_outside_…`, `f::proof::an_ignored_filter_…`, `f::v3::a_window_that_is_not_honoured_…` |
//! | DNS, refused, reset, TLS reset, cut short, truncated JSON | asked again | `f::bytes`, `f::faults::a_closed_port_…`, `f::faults::what_may_pass_…` |
//! | certificate not trusted | stops at once | `f::transport::an_untrusted_certificate_…` |
//! | every status from 100 to 599 | as `f/statuses.txt` says | `f::statuses` |
//! | `Retry-After` in seconds, as a date, beyond the deadline | kept by all, or exit 75 | `f::faults::retry_after_…`, `a_pause_…` |
//! | 400, 401, 403, 404, 422; a malformed cursor | stops at once, the server's words harmless | `f::faults::a_refusal_is_final`, `f::v3::a_cursor_that_the_server_does_not_know_…`, `cli` |
//! | HTML, wrong type, empty body | asked twice more, then exit 65 | `f::bytes`, `f::faults::enough_attempts_…` |
//! | redirect | not followed | `f::faults::the_key_follows_no_redirect` |
//! | silence, a stalled body, a byte now and then | timeout, asked again | `f::bytes::what_breaks_on_the_way_…`, `f::faults::a_silent_server_…`, `f::faults::the_deadline_…` |
//! | a body without end, a bomb | a cap on unpacked bytes | `f::bytes::what_never_passes_…`, `f::transport::a_packed_page_…`, `schedules::beyond_the_budget_…` |
//! | a cursor repeats, nothing new, an empty page, too many pages | error that names it | `f::v3::a_walk_that_does_not_come_forward_…`, `f::v3::rows_without_an_id_…`, `one_empty_page_…`, `f::walk::a_server_that_ignores_skip_…`, `a_walk_has_an_end` |
//! | duplicate ids | the freshest wins, counted | `f::proof::duplicates_…`, `f::v3::duplicates_…`, `agreement` |
//! | records without id or creation time | rejected, above 1 % exit 65 | `f::proof::one_percent_…`, `partial` |
//! | null, absent, unknown or odd fields; dates; numbers as text | read or counted as unknown | `devin_api::json`, `devin_api::time`, `agreement::a_field_of_another_type_…`, `corpora` |
//! | control and bidirectional characters, endless titles | harmless on the page | `hostile`, `devin_api::quote` |
//! | any of these together, at random | the facts of a good day, or the older report as it was | `schedules` |
//! | SIGINT, SIGTERM | 130 and 143 within 2 s, nothing half | `cli::signals`, `killed::a_signal_…` |
//! | SIGKILL, two runs on one folder | whole files, nothing stray | `killed`, `deliver` |
//! | unwritable folder | refused before any question | `cli::refused::folders_…` |
//! | a settings file in the working directory | not read, one warning | `settings_file` |
//! | a server, settings file or key that nobody meant | the first line names them | `first_line` |
//! | the address of a chat's webhook | in no byte of any output, state file or log | `chat`, `devin_api::webhook` |
//! | the key | in no byte of any output | `canary`, `devin_api::redact`, `support::run`, `f::run_within` |

mod canary;
mod corpora;
mod first_line;
mod killed;
mod schedules;
mod settings_file;
