-- What version 3 of the API alone tells: origin, size, category, messages, limits.
-- In an archive of version 2 these columns are empty, and a report has no such numbers.

with grouped as (
    select
        period,
        case when grouping(origin) = 0 then 'origin' when grouping(size) = 0 then 'size' else 'category' end as dims,
        case when grouping(origin) = 0 then origin when grouping(size) = 0 then size else category end as group_key,
        count(*) as sessions,
        sum(acus) as acus
    from placed
    group by grouping sets ((period, origin), (period, size), (period, category))
),
whole as (
    select
        p.period,
        count(s.session) as sessions,
        coalesce(sum(s.limited), 0) as limited,
        count(s.messages) as told,
        percentile_cont(0.5) within group (order by s.messages) as median
    from periods p
    left join placed s on s.period = p.period
    group by p.period
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
        'merge_rate',
        period,
        'category',
        category,
        null,
        sum(case when place = 0 then 1 else 0 end),
        sum(case when place <= 1 then 1 else 0 end),
        sum(case when place <= 1 then 1 else 0 end)
    from owned
    group by period, category
    union all
    select 'user_messages_median', period, '', null, median, null, null, told
    from whole
    union all
    select
        'user_messages_median',
        period,
        'size',
        size,
        percentile_cont(0.5) within group (order by messages),
        null,
        null,
        count(messages)
    from placed
    group by period, size
    union all
    select 'sessions_stopped_by_limit', period, '', null, limited, null, null, sessions
    from whole
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
