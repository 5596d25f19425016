-- Gives a video's position; one that has none yet begins its first epoch.
-- KEYS  log, position    ARGV  1 run id of the server  2 how long a position is kept, ms
-- Returns {position, 1 if the video is new}.
local at = redis.call('GETEX', KEYS[2], 'PX', ARGV[2])
if at then return {string.match(at, '^%S+'), 0} end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last then -- the log has outlived its position: the next entry begins an epoch
    redis.call('SET', KEYS[2], last[1] .. ' -', 'PX', ARGV[2])
    return {last[1], 0}
end
local time = redis.call('TIME')
local id = string.format('%.0f-0', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('SET', KEYS[2], id .. ' ' .. ARGV[1], 'PX', ARGV[2])
return {id, 1}
