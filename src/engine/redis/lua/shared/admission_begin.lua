-- Each call of a script makes all its functions; an append needs those of admit.lua for a video's first comment only, so
-- they are made when admission() is called.
local function admission()
