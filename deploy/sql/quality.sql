-- What could not be read as documented, and what there is to read: a row a period.

with of_sessions as (
    select
        p.period,
        count(s.session) as sessions,
        count(s.acus) as acus_known,
        coalesce(sum(case when s.acus > 0 then 1 else 0 end), 0) as acus_used,
        coalesce(sum(s.unreadable), 0) as unreadable_fields,
        coalesce(sum(
            case
                when s.session is null then 0
                when s.status in ('new', 'creating', 'claimed', 'running', 'exit', 'error', 'suspended', 'resuming') then 0
                else 1
            end
        ), 0) as unknown_status
    from periods p
    left join placed s on s.period = p.period
    group by p.period
),
of_issues as (
    select period, count(*) as unknown_impact
    from placed_issues
    where impact = 'other'
    group by period
),
of_pull_requests as (
    select period, count(*) as unknown_pr_state
    from owned
    where place = 4
    group by period
),
of_entries as (
    select s.period, count(*) as prs_without_url
    from placed s
    join pull_requests e on e.session = s.session
    where e.address is null
    group by s.period
),
of_teams as (
    select s.period, count(*) as several_teams
    from placed s
    join (
        select t.session
        from tags t
        join tag_teams r on r.tag = t.tag
        group by t.session
        having count(distinct r.team) > 1
    ) as several on several.session = s.session
    group by s.period
)
select
    s.period,
    s.sessions,
    s.acus_known,
    s.acus_used,
    s.sessions - s.acus_known as acus_unknown,
    s.unknown_status,
    coalesce(i.unknown_impact, 0) as unknown_impact,
    coalesce(p.unknown_pr_state, 0) as unknown_pr_state,
    coalesce(e.prs_without_url, 0) as prs_without_url,
    s.unreadable_fields,
    coalesce(t.several_teams, 0) as several_teams
from of_sessions s
left join of_issues i on i.period = s.period
left join of_pull_requests p on p.period = s.period
left join of_entries e on e.period = s.period
left join of_teams t on t.period = s.period
