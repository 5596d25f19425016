-- Needs: shard, admission_begin, admit, admission_end, position, standing
-- Returns a video's position. Writes only if the video has none yet, which begins its first epoch, or if the caller knows
-- of entries that are lost, which begins an epoch with a tombstone.
-- KEYS  1 log  2 position  3 room    ARGV  as in position.lua; then how many videos there may be, 0: any
-- Returns {"full"} if there are too many, or {position, where the log stood before a loss that was found now, or "", 1: the
-- video is over, as its room says, else 0}.
local over = is_over(KEYS[3])
local at, _, _, _, prevs = read_position()
local find_loss, announce_loss, new_epoch = epochs()
local kept = find_loss(at, prevs)
if at and not kept then
    keep_position(KEYS[2], KEYS[3], tonumber(ARGV[5]))
    return {at, '', over}
end
if not at and not admission()(string.sub(ARGV[3], 7), tonumber(ARGV[#ARGV])) then return {'full'} end
local run = read_run()
if not run then return redis.error_reply(NO_MASTER) end
if kept then
    local epoch, first = announce_loss(at, kept, run, prevs) -- or nil and why not
    return epoch and {first, at or '', over} or first
end
local id = text_of(new_epoch(at, run)) .. '-0'
redis.call('SET', KEYS[2], id .. ' ' .. run .. ' ' .. BEGINNING, 'PX', ARGV[5])
return {id, at or '', over}
