#!lua flags=no-writes,allow-oom
-- Lists the readers that have or had a lease.
-- KEYS  1 readers  2 chorus:{readers}:load
-- Returns {url, stamp, ms until it ends, generation, viewers, public URL or "-", instance, load or "", url, ...}; a
-- stamp that begins with 0 is of a lease that was given up.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all, list, loads = redis.call('HGETALL', KEYS[1]), {}, {}
local rows = redis.call('HGETALL', KEYS[2])
for i = 1, #rows, 2 do loads[rows[i]] = rows[i + 1] end
for i = 1, #all, 2 do
    local ends, generation, viewers, public, instance =
        string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%S+) (.*)$')
    if ends then
        local left = string.format('%.0f', tonumber(ends) - now)
        local of, load = string.match(loads[all[i]] or '', '^(%d+) (.*)$')
        if of ~= generation then load = '' end
        for _, item in ipairs({all[i], ends, left, generation, viewers, public, instance, load}) do
            list[#list + 1] = item
        end
    end
end
return list
