-- Sessions worth a look in the report's period: the costliest, the costly ones without a
-- merged pull request (at or above the 90th percentile of the sessions that used ACUs), and
-- those with the most issues of high impact. At most eight in a list.

with report as (
    select period, starts, ends
    from periods
    where starts = (select max(starts) from periods)
),
high as (
    select i.session, count(*) as issues
    from placed_issues i
    join report r on r.period = i.period
    where i.impact = 'high'
    group by i.session
),
listing as (
    select l.session, count(distinct l.pull_request) as prs, min(l.place) as place
    from listed l
    join report r on r.period = l.period
    group by l.session
),
known as (
    select
        s.session,
        s.created_on,
        s.person,
        s.acus,
        s.spend,
        coalesce(l.prs, 0) as prs,
        case when l.place = 0 then 1 else 0 end as merged,
        coalesce(h.issues, 0) as high_issues
    from placed s
    join report r on r.period = s.period
    left join high h on h.session = s.session
    left join listing l on l.session = s.session
),
costly as (
    select percentile_cont(0.9) within group (order by acus) as least
    from known
    where acus > 0
),
ranked as (
    select k.*, 'costliest' as list, acus as weight, rank() over (order by acus desc) as place
    from known k
    where acus > 0
    union all
    select k.*, 'costly_without_merge', acus, rank() over (order by acus desc)
    from known k
    where acus > 0 and merged = 0 and acus >= (select least from costly)
    union all
    select k.*, 'high_impact', high_issues, rank() over (order by high_issues desc, coalesce(acus, -1) desc)
    from known k
    where high_issues > 0
),
chosen as (
    select
        r.*,
        s.id,
        s.title,
        s.url,
        row_number() over (partition by r.list order by r.weight desc, coalesce(r.acus, -1) desc, s.id) as turn
    from ranked r
    join sessions s on s.session = r.session
    where r.place <= 20
)
select list, id, title, url, cast(created_on as string) as day, person, acus, spend, prs, merged, high_issues
from chosen
where turn <= 20
order by list, turn
