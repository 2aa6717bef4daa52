-- What the sessions cost in money, at the prices of `prices`. Where a group has ACUs from a
-- day without a price, its spend is unknown. Only with prices.

with grouped as (
    select
        period,
        case
            when grouping(person) = 0 then 'user'
            when grouping(team) = 0 then 'team'
            when grouping(org) = 0 then 'org'
            when grouping(status) = 0 then 'status'
            when grouping(origin) = 0 then 'origin'
            when grouping(size) = 0 then 'size'
            when grouping(category) = 0 then 'category'
            when grouping(playbook) = 0 then 'playbook'
            when grouping(mode) = 0 then 'mode'
            else ''
        end as dims,
        case
            when grouping(person) = 0 then person
            when grouping(team) = 0 then team
            when grouping(org) = 0 then org
            when grouping(status) = 0 then status
            when grouping(origin) = 0 then origin
            when grouping(size) = 0 then size
            when grouping(category) = 0 then category
            when grouping(playbook) = 0 then playbook
            when grouping(mode) = 0 then mode
        end as group_key,
        count(*) as sessions,
        case when max(unpriced) = 0 then coalesce(sum(spend), 0) end as spend
    from placed
    group by grouping sets (
        (period), (period, person), (period, team), (period, org), (period, status), (period, origin), (period, size),
        (period, category), (period, playbook), (period, mode)
    )
    union all
    select period, 'tag', tag, count(*), case when max(unpriced) = 0 then coalesce(sum(spend), 0) end
    from placed_tags
    group by period, tag
    union all
    select
        d.period,
        'day',
        cast(d.day as string),
        count(s.session),
        case when coalesce(max(s.unpriced), 0) = 0 then coalesce(sum(s.spend), 0) end
    from days d
    left join placed s on s.period = d.period and s.created_on = d.day
    group by d.period, d.day
),
merged as (
    select
        period,
        case
            when grouping(person) = 0 then 'user'
            when grouping(team) = 0 then 'team'
            when grouping(origin) = 0 then 'origin'
            when grouping(size) = 0 then 'size'
            when grouping(category) = 0 then 'category'
            when grouping(playbook) = 0 then 'playbook'
            when grouping(mode) = 0 then 'mode'
            else ''
        end as dims,
        case
            when grouping(person) = 0 then person
            when grouping(team) = 0 then team
            when grouping(origin) = 0 then origin
            when grouping(size) = 0 then size
            when grouping(category) = 0 then category
            when grouping(playbook) = 0 then playbook
            when grouping(mode) = 0 then mode
        end as group_key,
        sum(case when place = 0 then 1 else 0 end) as merged
    from owned
    group by grouping sets (
        (period), (period, person), (period, team), (period, origin), (period, size), (period, category), (period, playbook),
        (period, mode)
    )
    union all
    select t.period, 'tag', t.tag, sum(case when o.place = 0 then 1 else 0 end)
    from owned o
    join placed_tags t on t.session = o.session
    group by t.period, t.tag
),
answers as (
    select 'spend' as metric, period, dims, group_key, spend as plain, null as numerator, null as denominator, sessions as n
    from grouped
    union all
    select
        'spend_split',
        period,
        'tag',
        tag,
        case when max(unpriced) = 0 then coalesce(sum(spend / of_tags), 0) end,
        null,
        null,
        count(*)
    from placed_tags
    group by period, tag
    union all
    -- The whole period is a group even without a pull request; a user, tag or team is not.
    select
        'spend_per_merged_pr',
        g.period,
        g.dims,
        g.group_key,
        null,
        g.spend,
        coalesce(m.merged, 0),
        coalesce(m.merged, 0)
    from grouped g
    left join merged m on m.period = g.period and m.dims = g.dims and m.group_key is not distinct from g.group_key
    where g.dims = '' or m.merged is not null
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
