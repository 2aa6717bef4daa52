-- Labels of issues in the report's period, and what they touched.

with own as (
    select i.session, i.label, i.impact
    from placed_issues i
    join periods p on p.period = i.period
    where p.starts = (select max(starts) from periods)
),
touched as (
    select d.label, count(*) as sessions, coalesce(sum(s.acus), 0) as acus
    from (select distinct session, label from own) as d
    join placed s on s.session = d.session
    group by d.label
),
counted as (
    select label, count(*) as issues, sum(case when impact = 'high' then 1 else 0 end) as high
    from own
    group by label
)
select c.label, c.issues, c.high, t.sessions, t.acus
from counted c
join touched t on t.label is not distinct from c.label
order by c.high desc, c.issues desc, c.label is null, c.label
