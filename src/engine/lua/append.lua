-- Numbers, logs and publishes one entry: all of it or nothing.
-- KEYS  log, position, and the token's key if there is a token
-- ARGV  1 channel  2 run id of the server  3 latest moment to do it, ms  4 entries to keep  5 for how long, ms
--       6 how long a position is kept, ms  7 the entry's JSON without its opening brace; empty: a tombstone
-- Returns {"ok", id, prev or "", 1 if the video is new}, {"repeat", json}, or {"late"}: whoever asked has given
-- up since, has said so, and must not find it done all the same.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[3]) then return {'late', string.format('%.0f', now)} end
if KEYS[3] then
    local first = redis.call('GET', KEYS[3])
    if first then return {'repeat', first} end
end

local epoch, seq, run
local at = redis.call('GET', KEYS[2])
if at then
    epoch, seq, run = string.match(at, '^(%d+)-(%d+) (.*)$')
else -- the log may have outlived its position
    local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
    if last then epoch, seq = string.match(last[1], '^(%d+)-(%d+)$') end
end
local prev, new = '', epoch and 0 or 1
if run ~= ARGV[2] then
    if epoch then prev = epoch .. '-' .. seq end
    epoch = string.format('%.0f', math.max(now, (tonumber(epoch) or 0) + 1))
    seq = 0
end
local id = epoch .. '-' .. string.format('%.0f', seq + 1)

local json = '{"id":"' .. id .. '"'
if prev ~= '' then json = json .. ',"prev":"' .. prev .. '"' end
json = json .. (ARGV[7] == '' and '}' or ',' .. ARGV[7])
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[4], id, 't', string.format('%.0f', now), 'j', json)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('SET', KEYS[2], id .. ' ' .. ARGV[2], 'PX', ARGV[6])
if KEYS[3] then redis.call('SET', KEYS[3], json, 'PX', ARGV[5]) end
redis.call('PUBLISH', ARGV[1], json)
return {'ok', id, prev, new}
