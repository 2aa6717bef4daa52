//! The words of the invented organisation.

/// Teams by their tag, and what they work on.
pub const TEAMS: [(&str, &[&str]); 8] = [
    (
        "payments",
        &[
            "refund webhook retries",
            "SEPA mandate validation",
            "the payout reconciliation job",
            "duplicate charge detection",
            "the card vault client",
            "currency rounding in invoices",
        ],
    ),
    (
        "checkout",
        &[
            "the address form",
            "guest checkout",
            "basket merging after sign-in",
            "the voucher endpoint",
            "shipping cost estimates",
            "the order confirmation page",
        ],
    ),
    (
        "platform",
        &[
            "the deployment pipeline",
            "cluster autoscaling rules",
            "the feature flag service",
            "structured logging in all services",
            "the base container image",
            "secret rotation",
        ],
    ),
    (
        "auth",
        &[
            "token refresh",
            "the session cookie attributes",
            "single sign-on for partners",
            "rate limits on the sign-in endpoint",
            "the password reset mail",
            "role checks in the admin console",
        ],
    ),
    (
        "mobile",
        &[
            "offline mode of the order list",
            "push notification settings",
            "the onboarding screens",
            "deep links into the catalogue",
            "image caching",
        ],
    ),
    (
        "search",
        &[
            "synonym handling",
            "the ranking experiment switch",
            "facet counts",
            "the index rebuild job",
            "typo tolerance for product names",
        ],
    ),
    (
        "data",
        &[
            "the nightly revenue export",
            "late event handling in the order stream",
            "the customer dimension table",
            "schema checks for partner feeds",
            "the retention dashboard query",
        ],
    ),
    (
        "billing",
        &[
            "invoice numbering",
            "VAT rates for new countries",
            "the dunning schedule",
            "credit notes",
            "usage metering of API customers",
        ],
    ),
];

/// Kinds of work by their tag, with the verbs that open a title.
pub const KINDS: [(&str, &[&str]); 6] = [
    ("bug-fix", &["Fix", "Repair", "Investigate failures in"]),
    ("feature", &["Extend", "Improve", "Rework"]),
    ("migration", &["Migrate", "Port", "Modernise"]),
    ("tests", &["Add tests for", "Raise test coverage of", "Make tests reliable for"]),
    ("docs", &["Document", "Rewrite the guide for", "Explain"]),
    (
        "dependencies",
        &["Update dependencies of", "Replace deprecated calls in", "Remove unused packages from"],
    ),
];

/// What the schedule updates at night.
pub const PACKAGES: [&str; 8] =
    ["openssl", "react-router", "spring-boot", "sqlalchemy", "protobuf", "log4j", "tokio", "eslint"];

/// Titles in other alphabets.
pub const FOREIGN_TITLES: [&str; 10] = [
    "修正结账页面的货币格式",
    "注文確認メールの文字化けを直す",
    "결제 재시도 로직 개선",
    "إصلاح اتجاه النص في صفحة الدفع",
    "תיקון יישור הטבלה בדף החיפוש",
    "Corrige l’accentuation des libellés à l’export",
    "Zeitzonenfehler in der Rechnungsübersicht beheben",
    "Исправить сортировку в отчёте по заказам",
    "🚚 Show delivery windows in the order list",
    "Añadir validación del código postal",
];

/// Titles with markup, as people write them when markup is the subject.
pub const MARKUP_TITLES: [&str; 4] = [
    "Escape <script>alert(1)</script> in comment previews",
    "Sanitise \"><img src=x onerror=alert(1)> in product names",
    "Stop evaluating {{ 7*7 }} in mail templates",
    "Keep & and 'quotes' in <title> of exported pages",
];

/// Repositories: address before the number, by host and how that host writes it.
pub const REPOSITORIES: [(&str, &str); 8] = [
    ("github.com", "/halden/payments-api/pull/"),
    ("github.com", "/halden/checkout-web/pull/"),
    ("github.com", "/halden/platform/pull/"),
    ("gitlab.com", "/halden/identity/auth-service/-/merge_requests/"),
    ("github.com", "/halden/mobile-app/pull/"),
    ("gitlab.com", "/halden/search/-/merge_requests/"),
    ("bitbucket.org", "/halden/data-pipelines/pull-requests/"),
    ("dev.azure.com", "/halden/finance/_git/billing/pullrequest/"),
];

/// A kind of issue that analyses find.
#[derive(Debug)]
pub struct Friction {
    pub label: &'static str,
    pub weight: u32,
    /// What happened, in the words of an analysis.
    pub issues: &'static [&'static str],
    /// The type of the action item that would help, and its text.
    pub action: (&'static str, &'static str),
}

const fn friction(
    label: &'static str,
    weight: u32,
    issues: &'static [&'static str],
    action: (&'static str, &'static str),
) -> Friction {
    Friction { label, weight, issues, action }
}

/// The label that the last week is about.
pub const STORY_LABEL: &str = "Environment setup";
/// What happened in the last week.
pub const STORY_ISSUE: &str =
    "The private package registry refused the machine's token, so the build image had to be set up by hand";

/// What analyses find, the frequent first.
pub const FRICTIONS: [Friction; 15] = [
    friction(
        "Testing",
        18,
        &["Test coverage stayed below the required threshold", "Integration tests needed a database"],
        ("repo_config", "State in the repository how to run the tests, and which ones must pass"),
    ),
    friction(
        "Missing context",
        15,
        &["The ticket named no acceptance criteria", "The affected service had to be guessed"],
        ("prompt_improvement", "Name the service, the expected result and one example in the prompt"),
    ),
    friction(
        "Configuration",
        13,
        &["Environment variables were missing", "Two configuration files contradicted each other"],
        ("machine_setup", "Configure the environment variables of the database connection"),
    ),
    friction(
        STORY_LABEL,
        11,
        &["The build tool was older than the project requires", "Installing the toolchain took a long time"],
        ("machine_setup", "Add the registry token and the current toolchain to the machine snapshot"),
    ),
    friction(
        "Dependency conflict",
        10,
        &["Two packages required different versions of a third one", "The lock file was out of date"],
        ("repo_config", "Commit an up-to-date lock file and check it in continuous integration"),
    ),
    friction(
        "Flaky test",
        9,
        &["A test failed once and passed when repeated", "A test depended on the time of day"],
        ("repo_config", "Quarantine the flaky tests and list them in the repository"),
    ),
    friction(
        "CI failure",
        8,
        &["The pipeline failed for a reason outside the change", "A required check never reported back"],
        ("repo_config", "Let the pipeline tell failures of the infrastructure from those of a change"),
    ),
    friction(
        "Access rights",
        6,
        &["The repository of a submodule could not be read", "Staging credentials had expired"],
        ("machine_setup", "Give the service account read access to the submodules"),
    ),
    friction(
        "Scope change",
        6,
        &["The task grew after the first review", "A second task was added half-way"],
        ("prompt_improvement", "Start a new session for a new task"),
    ),
    friction(
        "Code style",
        5,
        &["The formatter changed unrelated files", "Review asked for other naming"],
        ("knowledge", "Write the naming conventions down as knowledge"),
    ),
    friction(
        "Outdated documentation",
        4,
        &["The set-up guide described a removed script"],
        ("knowledge", "Bring the set-up guide up to date"),
    ),
    friction(
        "Slow build",
        4,
        &["A full build took longer than twenty minutes"],
        ("repo_config", "Cache build results between runs"),
    ),
    friction(
        "Merge conflict",
        3,
        &["The branch fell behind and had to be merged twice"],
        ("prompt_improvement", "Split large changes, so that branches live shorter"),
    ),
    friction(
        "Tool limitation",
        2,
        &["The browser could not open a page behind the VPN"],
        ("other", "Allow the test environment to be reached from the session's machine"),
    ),
    friction(
        "Data quality",
        2,
        &["The sample data did not match the schema"],
        ("knowledge", "Say where valid sample data can be found"),
    ),
];

/// Steps of a session's timeline: title, and what follows the session's subject.
pub const STEPS: [(&str, &str); 7] = [
    ("Task understood", "Devin read the request and listed the files that matter for"),
    ("Environment prepared", "Devin cloned the repository and installed what is needed to work on"),
    ("Cause located", "Devin narrowed the search down by logs and tests around"),
    ("Change written", "Devin changed the code in small steps and kept to the conventions around"),
    ("Tests run", "Devin ran the affected tests and added the missing ones for"),
    ("Review answered", "Devin answered the remarks of the reviewers on"),
    ("Pull request created", "Devin opened a pull request with a summary of the work on"),
];

/// What people add to a request.
pub const DETAILS: [&str; 6] = [
    "Keep the public interface as it is, and tell me first if that is not possible.",
    "The old behaviour is described in the team's guide; the new one is in the ticket.",
    "Please open one pull request and ask the team for review when the checks are green.",
    "There is a failing example in the staging logs of last night, around 02:10.",
    "Start from the main branch. The tests need the local database to be running.",
    "Look at how the neighbouring module does it and follow its conventions.",
];

/// Remarks on prompts: summary and details.
pub const REMARKS: [(&str, &str); 4] = [
    ("Prompt too short", "The prompt should say which behaviour is expected, and where it is seen"),
    ("Missing test requirements", "The prompt should ask for tests of the new behaviour"),
    ("No definition of done", "The prompt should say when the work is complete"),
    ("Several tasks at once", "The prompt mixes tasks that would go faster one by one"),
];
