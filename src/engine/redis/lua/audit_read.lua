-- Returns the notes of an audit trail (shared/audit.lua), each list newest first.
-- KEYS  1 audit trail
local notes = redis.call('LRANGE', KEYS[1], 0, -1)
for _, note in ipairs(redis.call('LRANGE', KEYS[1] .. ':automatic', 0, -1)) do notes[#notes + 1] = note end
return notes
