-- Why no slot can be found, as playbooks/05-fsm-stuck-collect-slot.rhai decides it: no_staff,
-- no_schedules, blocked, or nothing.
SELECT CASE
    WHEN count(*) = 0 THEN 'no_staff'
    WHEN count(*) FILTER (WHERE has_hours) = 0 THEN 'no_schedules'
    WHEN count(*) FILTER (WHERE has_hours AND is_blocked) = count(*) FILTER (WHERE has_hours) THEN 'blocked'
    ELSE 'nothing'
END
FROM (
    SELECT EXISTS (SELECT 1 FROM :"schema".staff_schedules h WHERE h.staff_id = s.id) AS has_hours,
           EXISTS (SELECT 1 FROM :"schema".staff_blocks b WHERE b.staff_id = s.id
               AND b.starts_at <= now() AND b.ends_at >= now() + interval '7 days') AS is_blocked
    FROM :"schema".staff s WHERE s.is_active
) AS active;
