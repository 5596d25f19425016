-- Needs: allow_oom
-- KEYS  counter
-- Returns what it was before it was raised.
return redis.call('INCR', KEYS[1]) - 1
