-- What the analyses found. These numbers rest on analysed sessions only.

with ground as (
    -- Analysed sessions of every group that could have an issue.
    select p.period, '' as dims, cast(null as string) as group_key, coalesce(sum(s.analysed), 0) as analysed
    from periods p
    left join placed s on s.period = p.period
    group by p.period
    union all
    select period, 'user', person, sum(analysed)
    from placed
    group by period, person
    union all
    select period, 'tag', tag, sum(analysed)
    from placed_tags
    group by period, tag
),
of_period as (
    select period, analysed from ground where dims = ''
),
labels as (
    select i.period, i.label, p.analysed, count(distinct i.session) as sessions
    from placed_issues i
    join of_period p on p.period = i.period
    group by i.period, i.label, p.analysed
),
found as (
    select period, '' as dims, cast(null as string) as group_key, impact, count(*) as issues, count(distinct session) as sessions
    from placed_issues
    group by period, impact
    union all
    select period, 'label', label, impact, count(*), null
    from placed_issues
    group by period, label, impact
    union all
    select period, 'user', person, impact, count(*), null
    from placed_issues
    group by period, person, impact
    union all
    select t.period, 'tag', t.tag, i.impact, count(*), null
    from placed_issues i
    join placed_tags t on t.session = i.session
    group by t.period, t.tag, i.impact
),
grid as (
    -- Each group under each impact, where there is no issue as well.
    select g.period, g.dims, g.group_key, i.impact, g.analysed
    from ground g
    cross join impacts i
    union all
    select l.period, 'label', l.label, i.impact, l.analysed
    from labels l
    cross join impacts i
),
counted as (
    select
        g.period,
        g.dims,
        g.group_key,
        g.impact,
        g.analysed,
        coalesce(f.issues, 0) as issues,
        coalesce(f.sessions, 0) as sessions
    from grid g
    left join found f
        on f.period = g.period and f.dims = g.dims and f.impact = g.impact and f.group_key is not distinct from g.group_key
),
of_session as (
    select
        s.period,
        s.session,
        sum(case when i.impact = 'high' then 1 else 0 end) as high,
        sum(case when i.impact = 'medium' then 1 else 0 end) as medium,
        sum(case when i.impact = 'low' then 1 else 0 end) as low,
        sum(case when i.impact = 'other' then 1 else 0 end) as other
    from placed s
    left join placed_issues i on i.session = s.session
    where s.analysed = 1
    group by s.period, s.session
),
alike as (
    select period, high, medium, low, other, count(*) as sessions
    from of_session
    group by period, high, medium, low, other
),
each_impact as (
    select
        a.period,
        i.impact,
        case i.impact when 'high' then a.high when 'medium' then a.medium when 'low' then a.low else a.other end as issues,
        a.sessions
    from alike a
    cross join impacts i
),
spread as (
    select
        period,
        impact,
        case when issues >= 5 then '5+' else cast(issues as string) end as bin,
        sum(sessions) as sessions
    from each_impact
    group by period, impact, case when issues >= 5 then '5+' else cast(issues as string) end
),
answers as (
    select
        'issues' as metric,
        period,
        '' as dims,
        cast(null as string) as group_key,
        cast(null as string) as group_key_2,
        sum(issues) as plain,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        analysed as n
    from counted
    where dims = ''
    group by period, analysed
    union all
    select
        m.metric,
        c.period,
        case when c.dims = '' then 'impact' else concat(c.dims, '+impact') end,
        case when c.dims = '' then c.impact else c.group_key end,
        case when c.dims <> '' then c.impact end,
        case m.metric when 'issues' then c.issues when 'sessions_with_issue' then c.sessions end,
        case m.metric when 'issue_rate' then c.issues end,
        case m.metric when 'issue_rate' then c.analysed end,
        c.analysed
    from counted c
    cross join (values ('issues'), ('sessions_with_issue'), ('issue_rate')) as m(metric)
    where m.metric = 'issues' or c.dims = ''
    union all
    select 'sessions_with_issue', period, 'label', label, null, sessions, null, null, analysed
    from labels
    union all
    select 'issue_count_histogram', s.period, 'impact+issues', s.impact, s.bin, s.sessions, null, null, p.analysed
    from spread s
    join of_period p on p.period = s.period
    union all
    select 'action_items', s.period, 'type', a.type, null, count(*), null, null, p.analysed
    from action_items a
    join placed s on s.session = a.session
    join of_period p on p.period = s.period
    group by s.period, a.type, p.analysed
)
select
    metric,
    period,
    dims,
    group_key,
    group_key_2,
    -- The one quotient here is of issues to a hundred sessions.
    cast(
        case when denominator is null then plain when denominator > 0 then 100.0 * numerator / denominator end as double
    ) as value,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(n as double) as n
from answers
