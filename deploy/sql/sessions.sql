-- How many sessions there are, what they used, and who was at work.

with grouped as (
    select
        period,
        case
            when grouping(person) = 0 then 'user'
            when grouping(team) = 0 then 'team'
            when grouping(org) = 0 then 'org'
            else 'status'
        end as dims,
        case
            when grouping(person) = 0 then person
            when grouping(team) = 0 then team
            when grouping(org) = 0 then org
            else status
        end as group_key,
        count(*) as sessions,
        sum(acus) as acus
    from placed
    group by grouping sets ((period, person), (period, team), (period, org), (period, status))
    union all
    select period, 'tag', tag, count(*), sum(acus)
    from placed_tags
    group by period, tag
    union all
    select d.period, 'day', cast(d.day as string), count(s.session), sum(s.acus)
    from days d
    left join placed s on s.period = d.period and s.created_on = d.day
    group by d.period, d.day
),
whole as (
    select
        p.period,
        count(s.session) as sessions,
        coalesce(sum(s.acus), 0) as acus,
        count(distinct case when s.automation = 0 then s.person end) as people,
        coalesce(sum(s.automation), 0) as automation,
        coalesce(sum(s.analysed), 0) as analysed,
        coalesce(sum(s.remarked), 0) as remarked
    from periods p
    left join placed s on s.period = p.period
    group by p.period
),
pairs as (
    -- People who were active themselves, by period, and the period before each.
    select distinct s.period, s.person, p.starts, p.ends
    from placed s
    join periods p on p.period = s.period
    where s.automation = 0 and s.person is not null
),
came as (
    -- When each of them was active before, and whether in the period right before.
    select
        a.period,
        a.person,
        count(b.period) as earlier,
        coalesce(sum(case when b.ends = a.starts then 1 else 0 end), 0) as stayed
    from pairs a
    left join pairs b on b.person = a.person and b.ends <= a.starts
    group by a.period, a.person
),
coming as (
    select period, sum(case when earlier = 0 then 1 else 0 end) as newcomers, sum(stayed) as stayed, count(*) as people
    from came
    group by period
),
going as (
    -- Those of the period before, and how many of them are active in this one.
    select p.period, count(b.person) as people, count(a.person) as remaining
    from periods p
    join pairs b on b.ends = p.starts
    left join pairs a on a.period = p.period and a.person = b.person
    group by p.period
),
of_people as (
    select
        p.period,
        coalesce(c.newcomers, 0) as newcomers,
        coalesce(c.stayed, 0) as stayed,
        coalesce(c.people, 0) as people,
        coalesce(g.people, 0) - coalesce(g.remaining, 0) as lapsed,
        coalesce(g.people, 0) as earlier_people
    from periods p
    left join coming c on c.period = p.period
    left join going g on g.period = p.period
),
answers as (
    select
        m.metric,
        g.period,
        g.dims,
        g.group_key,
        case m.metric when 'sessions' then g.sessions else coalesce(g.acus, 0) end as plain,
        null as numerator,
        null as denominator,
        g.sessions as n
    from grouped g
    cross join (values ('sessions'), ('acus')) as m(metric)
    union all
    select
        m.metric,
        w.period,
        '',
        null,
        case m.metric
            when 'sessions' then w.sessions
            when 'acus' then w.acus
            when 'active_users' then w.people
            when 'automation_sessions' then w.automation
            when 'analysed_sessions' then w.analysed
            when 'sessions_with_prompt_feedback' then w.remarked
        end,
        case m.metric when 'analysis_coverage' then w.analysed end,
        case m.metric when 'analysis_coverage' then w.sessions end,
        case m.metric when 'sessions_with_prompt_feedback' then w.analysed else w.sessions end
    from whole w
    cross join (
        values
            ('sessions'), ('acus'), ('active_users'), ('automation_sessions'), ('analysed_sessions'),
            ('sessions_with_prompt_feedback'), ('analysis_coverage')
    ) as m(metric)
    union all
    select
        m.metric,
        o.period,
        '',
        null,
        case m.metric when 'new_users' then o.newcomers when 'returning_users' then o.stayed else o.lapsed end,
        null,
        null,
        case m.metric when 'lapsed_users' then o.earlier_people else o.people end
    from of_people o
    cross join (values ('new_users'), ('returning_users'), ('lapsed_users')) as m(metric)
)
select
    metric,
    period,
    dims,
    group_key,
    cast(null as string) as group_key_2,
    cast(case when denominator is null then plain when denominator > 0 then numerator / denominator end as double) as value,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(n as double) as n
from answers
