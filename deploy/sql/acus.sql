-- How ACUs spread over sessions, tags and people.

with known as (
    select
        period,
        acus,
        case
            when acus >= 50 then '50' when acus >= 20 then '20' when acus >= 10 then '10' when acus >= 5 then '5'
            when acus >= 2 then '2' when acus >= 1 then '1' else '0'
        end as bin
    from placed
    where acus is not null
),
spread as (
    select
        p.period,
        count(k.acus) as sessions,
        percentile_cont(0.5) within group (order by k.acus) as median,
        percentile_cont(0.9) within group (order by k.acus) as p90,
        max(k.acus) as most
    from periods p
    left join known k on k.period = p.period
    group by p.period
),
people as (
    select
        period,
        acus,
        row_number() over (partition by period order by acus desc) as place,
        count(*) over (partition by period) as people
    from (
        select period, person, coalesce(sum(acus), 0) as acus
        from placed
        where person is not null
        group by period, person
    ) as each_one
),
counted as (
    select p.period, count(s.session) as sessions
    from periods p
    left join placed s on s.period = p.period
    group by p.period
),
heaviest as (
    -- A tenth, rounded up to whole people.
    select
        c.period,
        c.sessions,
        coalesce(sum(case when 10 * p.place <= p.people + 9 then p.acus end), 0) as upper,
        coalesce(sum(p.acus), 0) as lower
    from counted c
    left join people p on p.period = c.period
    group by c.period, c.sessions
),
answers as (
    select
        m.metric,
        s.period,
        '' as dims,
        null as group_key,
        case m.metric
            when 'acus_per_session_median' then s.median
            when 'acus_per_session_p90' then s.p90
            else s.most
        end as plain,
        null as numerator,
        null as denominator,
        s.sessions as n
    from spread s
    cross join (
        values ('acus_per_session_median'), ('acus_per_session_p90'), ('acus_per_session_max')
    ) as m(metric)
    union all
    select 'acus_histogram', period, 'bin', bin, count(*), null, null, sum(count(*)) over (partition by period)
    from known
    group by period, bin
    union all
    select 'acus_split', period, 'tag', tag, coalesce(sum(acus / of_tags), 0), null, null, count(*)
    from placed_tags
    group by period, tag
    union all
    select 'acus_top_decile_share', period, '', null, null, upper, lower, sessions
    from heaviest
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
