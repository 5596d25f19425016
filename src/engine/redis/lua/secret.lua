-- Needs: allow_oom
-- KEYS  secret    ARGV  1 what it becomes if there is none  2 how long it is kept then, ms
-- Returns it.
local secret = redis.call('GET', KEYS[1])
if secret then return secret end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
