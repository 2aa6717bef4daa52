-- What came of the sessions: distinct pull requests, how they ended, what one costs.

with grouped as (
    select
        period,
        case when grouping(person) = 0 then 'user' when grouping(team) = 0 then 'team' else 'repo' end as dims,
        case when grouping(person) = 0 then person when grouping(team) = 0 then team else repo end as group_key,
        count(*) as listed,
        sum(case when place = 0 then 1 else 0 end) as merged,
        sum(case when place <= 1 then 1 else 0 end) as decided
    from owned
    group by grouping sets ((period, person), (period, team), (period, repo))
    union all
    select
        t.period,
        'tag',
        t.tag,
        count(*),
        sum(case when o.place = 0 then 1 else 0 end),
        sum(case when o.place <= 1 then 1 else 0 end)
    from owned o
    join placed_tags t on t.session = o.session
    group by t.period, t.tag
    union all
    select
        p.period,
        '',
        null,
        count(o.session),
        coalesce(sum(case when o.place = 0 then 1 else 0 end), 0),
        coalesce(sum(case when o.place <= 1 then 1 else 0 end), 0)
    from periods p
    left join owned o on o.period = p.period
    group by p.period
),
used as (
    -- All ACUs of a group, those of sessions without a pull request as well.
    select
        period,
        case when grouping(person) = 0 then 'user' else 'team' end as dims,
        case when grouping(person) = 0 then person else team end as group_key,
        sum(acus) as acus
    from placed
    group by grouping sets ((period, person), (period, team))
    union all
    select period, 'tag', tag, sum(acus)
    from placed_tags
    group by period, tag
    union all
    select p.period, '', null, sum(s.acus)
    from periods p
    left join placed s on s.period = p.period
    group by p.period
),
delivering as (
    select period, session, min(place) as place
    from listed
    group by period, session
),
sessions as (
    select
        p.period,
        count(s.session) as sessions,
        count(d.session) as listing,
        sum(case when d.place = 0 then 1 else 0 end) as merging,
        coalesce(sum(s.acus), 0) as acus,
        coalesce(sum(case when d.session is null then s.acus end), 0) as without
    from periods p
    left join placed s on s.period = p.period
    left join delivering d on d.session = s.session
    group by p.period
),
answers as (
    select
        m.metric,
        g.period,
        g.dims,
        g.group_key,
        case m.metric
            when 'prs' then g.listed
            when 'prs_merged' then g.merged
            when 'undecided_prs' then g.listed - g.decided
        end as plain,
        case m.metric
            when 'merge_rate' then g.merged
            when 'merge_rate_all' then g.merged
            when 'undecided_share' then g.listed - g.decided
            when 'acus_per_merged_pr' then coalesce(u.acus, 0)
        end as numerator,
        case m.metric
            when 'merge_rate' then g.decided
            when 'merge_rate_all' then g.listed
            when 'undecided_share' then g.listed
            when 'acus_per_merged_pr' then g.merged
        end as denominator,
        case m.metric when 'merge_rate' then g.decided when 'acus_per_merged_pr' then g.merged else g.listed end as n
    from grouped g
    cross join (
        values
            ('prs'), ('prs_merged'), ('merge_rate'), ('merge_rate_all'), ('undecided_prs'), ('undecided_share'),
            ('acus_per_merged_pr')
    ) as m(metric)
    left join used u on u.period = g.period and u.dims = g.dims and u.group_key is not distinct from g.group_key
    where (m.metric not in ('merge_rate_all', 'undecided_prs', 'undecided_share') or g.dims = '') and (m.metric <> 'acus_per_merged_pr' or g.dims <> 'repo')
    union all
    select
        'prs',
        period,
        'state',
        case place when 0 then 'merged' when 1 then 'closed' when 2 then 'open' when 3 then 'draft' else 'unknown' end,
        count(*),
        null,
        null,
        count(*)
    from owned
    group by period, place
    union all
    select
        m.metric,
        s.period,
        '',
        null,
        case m.metric when 'sessions_with_pr' then s.listing when 'sessions_with_merged_pr' then s.merging end,
        case m.metric when 'acus_without_pr_share' then s.without end,
        case m.metric when 'acus_without_pr_share' then s.acus end,
        s.sessions
    from sessions s
    cross join (
        values ('sessions_with_pr'), ('sessions_with_merged_pr'), ('acus_without_pr_share')
    ) as m(metric)
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
