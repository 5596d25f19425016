-- Needs: standing
-- Tells of several videos whether their logs stand where the caller knows them to, so that head.lua need not be asked.
-- KEYS  position and room of each    ARGV  1 for how long a position is kept, ms  2... the position that is known of each
-- Returns for each 1: it does, and the video is over, 0: it does; or -1: ask.
local found = {}
for i = 2, #ARGV do
    local position, room = KEYS[2 * i - 3], KEYS[2 * i - 2]
    local known = ARGV[i] .. ' '
    if string.sub(redis.call('GET', position) or '', 1, #known) == known then
        found[i - 1] = is_over(room)
        keep_position(position, room, tonumber(ARGV[1]))
    else
        found[i - 1] = -1
    end
end
return found
