-- What a head says beside the position: whether the video is over, as its room says; and it keeps the position of a video that is
-- watched now and then, which a store that accepts no writes ignores.
local function is_over(room)
    return string.match(redis.call('GET', room) or '', '^' .. string.rep('%S+ ', 10) .. '1') and 1 or 0
end

local function keep_position(position, room, keep_ms)
    local left = redis.call('PTTL', position)
    if left < 0 or left >= keep_ms / 2 then return end
    redis.pcall('PEXPIRE', position, keep_ms)
    redis.pcall('PEXPIRE', room, keep_ms)
end
