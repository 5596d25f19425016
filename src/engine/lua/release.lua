-- Drops a mapping, if it is the expected one. Returns 1 if it did.
-- KEYS  mapping    ARGV  1 expected
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
