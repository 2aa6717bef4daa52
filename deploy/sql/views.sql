-- What all other files read: the five tables of an archive, cut into periods.
--
-- These tables or views must exist:
--   `sessions`, `pull_requests`, `tags`, `issues`, `action_items` of the archive; `sessions`
--     with `id`, a copy of `session`; `tags` and `pull_requests` with `place`, a number by
--     which rows are in the order of the archive: by month, then by their place in the file.
--     `session` may be any other key that the five share, if sessions of the same moment
--     are in the order of their ids by it
--   `periods`: `period` (its name), `starts`, `ends` (the first moment after it). Periods
--     may touch but not overlap; the one that starts last is the report's
--   `prices`: `day`, `per_acu`, a row for each day that has a price; empty without prices
--   `tag_teams`: `tag`, `rule` (the place of the rule that the tag fits), `team`; empty
--     without teams
-- The session's time zone is the report's: it decides when a day ends.

-- The team of each session that has a tag with a team: by the first rule, then by the
-- first tag.
create or replace temporary view teams as
select session, team
from (
    select t.session, r.team, row_number() over (partition by t.session order by r.rule, t.place) as turn
    from tags t
    join tag_teams r on r.tag = t.tag
) as ruled
where turn = 1;

-- One row a session.
create or replace temporary view placed as
select
    p.period,
    s.session,
    s.created,
    cast(s.created as date) as created_on,
    coalesce(s.service_user_id, s.user_id) as person,
    case
        when s.service_user_id is not null or s.user_id = 'bot_apk' then 1
        when s.origin in ('automation', 'scheduled', 'code_scan') then 1
        else 0
    end as automation,
    s.org,
    s.status,
    s.status_detail,
    t.team,
    s.acus,
    -- ACUs from before the first price have no spend, and make that of their group unknown.
    case when s.acus = 0 then 0 else s.acus * c.per_acu end as spend,
    case when s.acus > 0 and c.per_acu is null then 1 else 0 end as unpriced,
    s.origin,
    s.size,
    s.category,
    s.playbook,
    s.mode,
    s.messages,
    case when s.limited then 1 else 0 end as limited,
    case when s.analysed then 1 else 0 end as analysed,
    case when s.feedback > 0 then 1 else 0 end as remarked,
    s.unreadable
from periods p
join sessions s on s.created >= p.starts and s.created < p.ends
left join prices c on c.day = cast(s.created as date)
left join teams t on t.session = s.session;

-- One row a session and tag; a session without tags has one with a null.
-- `of_tags` is how many rows the session has.
create or replace temporary view placed_tags as
select
    s.period,
    s.session,
    s.acus,
    s.spend,
    s.unpriced,
    s.analysed,
    t.tag,
    coalesce(n.of_tags, 1) as of_tags
from placed s
left join tags t on t.session = s.session
left join (select session, count(*) as of_tags from tags group by session) as n on n.session = s.session;

-- Pull requests as they are compared: the forges named here compare without case.
create or replace temporary view compared as
select
    *,
    case
        when address = lower(address) then address
        when regexp_replace(
            lower(address),
            '^https://(github[.]com|gitlab[.]com|bitbucket[.]org|dev[.]azure[.]com)/.*/(pulls?|merge_requests|pull-requests|pullrequest)/[0-9]+$',
            ''
        ) = '' then lower(address)
        else address
    end as pull_request,
    case
        when repo like 'github.com/%' or repo like 'gitlab.com/%' or repo like 'bitbucket.org/%'
            or repo like 'dev.azure.com/%' then lower(repo)
        else repo
    end as repository
from pull_requests
where address is not null;

-- How a repository is spelt: as in the first entry.
create or replace temporary view spellings as
select repository, repo
from (
    select
        e.repository,
        e.repo,
        row_number() over (partition by e.repository order by min(e.place)) as turn
    from placed s
    join compared e on e.session = s.session
    group by e.repository, e.repo
) as spelt
where turn = 1;

-- One row a session and pull request that it lists. `place` is 0 for merged and 1
-- for closed; of entries that disagree the least holds, in every session. `turn` is 1
-- in the earliest session.
create or replace temporary view listed as
select
    s.period,
    s.session,
    s.person,
    s.team,
    s.origin,
    s.size,
    s.category,
    s.playbook,
    s.mode,
    e.pull_request,
    e.repository,
    min(
        case e.state when 'merged' then 0 when 'closed' then 1 when 'open' then 2 when 'draft' then 3 else 4 end
    ) over (
        partition by s.period, e.pull_request order by s.created, s.session
        rows between unbounded preceding and unbounded following
    ) as place,
    row_number() over (partition by s.period, e.pull_request order by s.created, s.session) as turn
from placed s
join compared e on e.session = s.session;

-- One row a pull request: what it is grouped by is its owner's, the earliest
-- session that lists it.
create or replace temporary view owned as
select l.period, l.session, l.person, l.team, l.origin, l.size, l.category, l.playbook, l.mode, r.repo, l.place
from listed l
join spellings r on r.repository = l.repository
where l.turn = 1;

-- One row an issue.
create or replace temporary view placed_issues as
select s.period, s.session, s.person, i.impact, i.label
from placed s
join issues i on i.session = s.session;

-- The four impacts, which are shown even where there is nothing of them.
create or replace temporary view impacts as
select impact from (values ('high'), ('medium'), ('low'), ('other')) as four(impact);

-- Every day of a period, whether something happened on it or not, up to 9,999.
create or replace temporary view days as
with digits as (
    select digit from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as ten(digit)
),
numbered as (
    select p.period, p.ends, cast(p.starts as date) + (1000 * a.digit + 100 * b.digit + 10 * c.digit + d.digit) as day
    from periods p cross join digits a cross join digits b cross join digits c cross join digits d
)
select period, day
from numbered
where day < cast(ends as date);
