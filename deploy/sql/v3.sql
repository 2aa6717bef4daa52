-- What only version 3 of the API has: origin, size, category, playbook, mode, messages, limits.
-- In an archive of version 2 these columns are empty, and a report has no such numbers.

with grouped as (
    select
        period,
        case
            when grouping(origin) = 0 then 'origin'
            when grouping(size) = 0 then 'size'
            when grouping(category) = 0 then 'category'
            when grouping(playbook) = 0 then 'playbook'
            when grouping(mode) = 0 then 'mode'
            else 'status_detail'
        end as dims,
        case
            when grouping(origin) = 0 then origin
            when grouping(size) = 0 then size
            when grouping(category) = 0 then category
            when grouping(playbook) = 0 then playbook
            when grouping(mode) = 0 then mode
            else status_detail
        end as group_key,
        count(*) as sessions,
        sum(acus) as acus
    from placed
    group by grouping sets (
        (period, origin), (period, size), (period, category), (period, playbook), (period, mode), (period, status_detail)
    )
),
delivered as (
    select
        period,
        case
            when grouping(origin) = 0 then 'origin'
            when grouping(size) = 0 then 'size'
            when grouping(category) = 0 then 'category'
            when grouping(playbook) = 0 then 'playbook'
            else 'mode'
        end as dims,
        case
            when grouping(origin) = 0 then origin
            when grouping(size) = 0 then size
            when grouping(category) = 0 then category
            when grouping(playbook) = 0 then playbook
            else mode
        end as group_key,
        count(*) as listed,
        sum(case when place = 0 then 1 else 0 end) as merged,
        sum(case when place <= 1 then 1 else 0 end) as decided
    from owned
    group by grouping sets ((period, origin), (period, size), (period, category), (period, playbook), (period, mode))
),
merging as (
    select distinct period, session
    from listed
    where place = 0
),
whole as (
    select
        p.period,
        count(s.session) as sessions,
        coalesce(sum(s.limited), 0) as limited,
        count(s.messages) as known,
        percentile_cont(0.5) within group (order by s.messages) as median,
        count(s.size) as sized,
        coalesce(sum(case when s.size in ('l', 'xl') then 1 else 0 end), 0) as large,
        count(case when m.session is not null then s.messages end) as delivering,
        coalesce(sum(case when m.session is not null and s.messages = 1 then 1 else 0 end), 0) as of_one_message
    from periods p
    left join placed s on s.period = p.period
    left join merging m on m.period = s.period and m.session = s.session
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
    where m.metric = 'sessions' or g.dims <> 'status_detail'
    union all
    select
        m.metric,
        d.period,
        d.dims,
        d.group_key,
        case m.metric when 'prs' then d.listed when 'prs_merged' then d.merged end,
        case m.metric when 'merge_rate' then d.merged when 'acus_per_merged_pr' then coalesce(g.acus, 0) end,
        case m.metric when 'merge_rate' then d.decided when 'acus_per_merged_pr' then d.merged end,
        case m.metric when 'merge_rate' then d.decided when 'acus_per_merged_pr' then d.merged else d.listed end
    from delivered d
    join grouped g on g.period = d.period and g.dims = d.dims and g.group_key is not distinct from d.group_key
    cross join (values ('prs'), ('prs_merged'), ('merge_rate'), ('acus_per_merged_pr')) as m(metric)
    union all
    select
        m.metric,
        w.period,
        '',
        null,
        null,
        case m.metric when 'large_session_share' then w.large else w.of_one_message end,
        case m.metric when 'large_session_share' then w.sized else w.delivering end,
        case m.metric when 'large_session_share' then w.sized else w.delivering end
    from whole w
    cross join (values ('large_session_share'), ('one_message_share')) as m(metric)
    union all
    select 'user_messages_median', period, '', null, median, null, null, known
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
