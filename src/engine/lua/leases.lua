-- Lists the readers that have or had a lease; drops those that have been gone for long.
-- KEYS  readers    ARGV  1 how long a lapsed lease is kept, ms
-- Returns {url, 1 if live, generation, viewers, public URL or "-", instance, url, ...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all, list = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
    local ends, generation, viewers, public, instance =
        string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%S+) (.*)$')
    if not ends or tonumber(ends) < now - ARGV[1] then
        redis.call('HDEL', KEYS[1], all[i])
    else
        for _, item in ipairs({all[i], tonumber(ends) > now and '1' or '0', generation, viewers, public, instance}) do
            list[#list + 1] = item
        end
    end
end
return list
