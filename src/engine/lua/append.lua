-- Numbers, logs and publishes one entry: all of it or nothing.
-- KEYS  1 log  2 position  3 the token's key if there is a token
-- ARGV  1-5 as in position.lua  6 latest moment to do it, ms  7 entries to keep  8 the entry's JSON without its opening
--       brace; empty: a tombstone; the last one: how many videos there may be, 0: any
-- Returns {"ok", id, prev or "", 1 if the video is new}, {"repeat", json}, {"full"} if there are too many videos, or {"late"}: whoever asked has given
-- up since, has said so, and must not find it done all the same.
if now > tonumber(ARGV[6]) then return {'late', text_of(now)} end
if KEYS[3] then
    local first = redis.call('GET', KEYS[3])
    if first then return {'repeat', first} end
end

local run = read_run()
if not run then return no_master() end
local at, at_run, prevs = read_position()
local video = string.sub(ARGV[3], 7)
if not at and not admission()(video, tonumber(ARGV[#ARGV])) then return {'full'} end
local new = at and 0 or 1
local kept = find_loss(at, prevs)
local epoch, seq, said = nil, nil, '' -- said: the prev that this entry carries
if kept then
    epoch, seq = split(announce_loss(at, kept))
    prevs = ''
elseif at_run == run then
    epoch, seq = split(at)
else
    said, prevs = at or '', at and add_prev(at, prevs) or ''
    epoch, seq = new_epoch(at), 0
end
local id = text_of(epoch) .. '-' .. text_of(seq + 1)

local json = '{"id":"' .. id .. '"'
if said ~= '' then json = json .. ',"prev":"' .. said .. '"' end
json = json .. (ARGV[8] == '' and '}' or ',' .. ARGV[8])
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[7], id, 't', text_of(now), 'j', json)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
write_position(id, run, prevs)
if KEYS[3] then redis.call('SET', KEYS[3], json, 'PX', ARGV[4]) end
redis.call('PUBLISH', ARGV[3], json)
if seq <= 1 then redis.call('ZREM', 'chorus:uncommented', video) end
return {'ok', id, said, new}
