-- One rate limit and one session state in one round trip.
-- KEYS: the limit's arrival time; the session's state (optional)
-- ARGV: interval, tolerance, both in microseconds
-- Returns allowed (1 or 0), remaining, retry after and reset in microseconds, the session's state or nil.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local session = false
if KEYS[2] then
  session = redis.call('GET', KEYS[2])
end
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local ahead = arrival + interval
local room = now + tolerance - ahead
if room < 0 then
  return {0, 0, math.ceil(-room), math.ceil(arrival - now), session}
end
-- '%.3f': the shortest form of a number this large would lose its microseconds.
redis.call('SET', KEYS[1], string.format('%.3f', ahead), 'PX', math.ceil((ahead - now) / 1000) + 1)
return {1, math.floor(room / interval), 0, math.ceil(ahead - now), session}
