//! What the people of the invented organisation are called.

/// Given names, and how an address writes them.
pub const GIVEN_NAMES: [(&str, &str); 24] = [
    ("Amara", "amara"),
    ("Anton", "anton"),
    ("Beatriz", "beatriz"),
    ("Camille", "camille"),
    ("Dmitri", "dmitri"),
    ("Elif", "elif"),
    ("Farida", "farida"),
    ("Gwen", "gwen"),
    ("Henrik", "henrik"),
    ("Ingrid", "ingrid"),
    ("Joaquín", "joaquin"),
    ("Kwame", "kwame"),
    ("Leïla", "leila"),
    ("Łukasz", "lukasz"),
    ("Mirjam", "mirjam"),
    ("Nadia", "nadia"),
    ("Oona", "oona"),
    ("Priya", "priya"),
    ("Rafael", "rafael"),
    ("Søren", "soren"),
    ("Tomás", "tomas"),
    ("Uma", "uma"),
    ("Wen", "wen"),
    ("Zoë", "zoe"),
];

/// Surnames, and how an address writes them.
pub const SURNAMES: [(&str, &str); 24] = [
    ("Abara", "abara"),
    ("Bergström", "bergstrom"),
    ("Castellano", "castellano"),
    ("Dvořák", "dvorak"),
    ("Eriksen", "eriksen"),
    ("Fontaine", "fontaine"),
    ("Grigorescu", "grigorescu"),
    ("Hollander", "hollander"),
    ("Ishikawa", "ishikawa"),
    ("Jansen", "jansen"),
    ("Kowalska", "kowalska"),
    ("Lindqvist", "lindqvist"),
    ("Marchetti", "marchetti"),
    ("Nakamura", "nakamura"),
    ("O’Brien", "obrien"),
    ("Papadakis", "papadakis"),
    ("Quist", "quist"),
    ("Rasmussen", "rasmussen"),
    ("Sharma", "sharma"),
    ("Tavares", "tavares"),
    ("Unger", "unger"),
    ("Vásquez", "vasquez"),
    ("Weiß", "weiss"),
    ("Yıldız", "yildiz"),
];

/// Whole names in other alphabets, and how an address writes them.
pub const FOREIGN_NAMES: [(&str, &str); 6] = [
    ("田中 結衣", "yui.tanaka"),
    ("ليلى حداد", "leila.haddad"),
    ("Ольга Иванченко", "olga.ivanchenko"),
    ("김 서연", "seoyeon.kim"),
    ("יעל כהן", "yael.cohen"),
    ("ประภา ศรีสุข", "prapha.srisuk"),
];

/// A name that no column is wide enough for.
pub const LONG_NAME: &str =
    "Maria Theresia Friederike Auguste von und zu Hohenstein-Wittelsberg auf Oberkirchen-Niederau";

/// What service users are called.
pub const SERVICES: [&str; 4] =
    ["Dependency updates", "Nightly maintenance", "Release train", "Ticket triage"];
