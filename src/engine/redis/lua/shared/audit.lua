-- The audit trail of a video: a list of notes, newest first. Adds one, unless it is empty, and keeps the newest 500
-- (ENGINE_NOTES).
local function audit(key, note, keep_ms)
    if note == '' then return end
    redis.call('LPUSH', key, note)
    redis.call('LTRIM', key, 0, 499)
    redis.call('PEXPIRE', key, keep_ms)
end
