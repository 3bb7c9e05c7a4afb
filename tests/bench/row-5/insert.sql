-- The playbook's insert under the playbook's guards: all rows or none.
BEGIN;
SELECT count(*) = cardinality(:'staff'::uuid[]) AS are_there
FROM (SELECT id FROM :"schema".staff WHERE id = ANY(:'staff'::uuid[]) AND is_active ORDER BY id FOR UPDATE) AS chosen \gset
\if :are_there
\else
DO $$ BEGIN RAISE EXCEPTION 'the chosen staff are not there and active'; END $$;
\endif
SELECT NOT EXISTS (SELECT 1 FROM :"schema".staff_schedules WHERE staff_id = ANY(:'staff'::uuid[])) AS nobody_has \gset
\if :nobody_has
\else
DO $$ BEGIN RAISE EXCEPTION 'somebody of them has working hours already'; END $$;
\endif
WITH added AS (
    INSERT INTO :"schema".staff_schedules (staff_id, day_of_week, start_time, end_time)
    SELECT person, day, :'start'::time, :'end'::time
    FROM unnest(:'staff'::uuid[]) AS person CROSS JOIN unnest(:'days'::int[]) AS day
    WHERE NOT EXISTS (
        SELECT 1 FROM :"schema".staff_schedules h
        WHERE h.staff_id = person AND h.day_of_week = day AND h.start_time = :'start'::time AND h.end_time = :'end'::time)
    RETURNING id
)
SELECT count(*) = cardinality(:'staff'::uuid[]) * cardinality(:'days'::int[]) AS all_added FROM added \gset
\if :all_added
\else
DO $$ BEGIN RAISE EXCEPTION 'another number of rows was added'; END $$;
\endif
COMMIT;
