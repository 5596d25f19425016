-- The audit trail of a video: a list of notes, newest first, and one of those that begin with AUTOMATIC. Adds one, unless it is
-- empty, and keeps the newest 500 (ENGINE_NOTES), or of the automatic ones 100 (ENGINE_NOTES_AUTOMATIC).
local AUTOMATIC = '{"automatic":true,' -- ENGINE_NOTE_AUTOMATIC
local function audit(key, note, keep_ms)
    if note == '' then return end
    local most = 500
    if string.sub(note, 1, #AUTOMATIC) == AUTOMATIC then key, most = key .. ':automatic', 100 end
    redis.call('LPUSH', key, note)
    redis.call('LTRIM', key, 0, most - 1)
    redis.call('PEXPIRE', key, keep_ms)
end
