-- Rate limits and one session state in one round trip. All limits let the request pass, or none is charged.
-- KEYS: an arrival time per limit, then the session's state (optional)
-- ARGV: when the token was issued in unix microseconds (0 without one), then interval and tolerance of each limit, in
--       microseconds. The first limit is the user's own.
-- Returns 1 or 0, the session's state or nil, then of each charged limit: remaining, retry after, reset (microseconds).
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local known = redis.call('MGET', unpack(KEYS))
local count = (#ARGV - 1) / 2
local session = known[count + 1] or false
-- A token that no longer holds is charged to its user, and not to a business that has removed them.
if session and session ~= '1' and (session == '0' or (tonumber(session) or 0) >= tonumber(ARGV[1])) then
  count = 1
end
local passes, limits = 1, {}
for i = 1, count do
  local interval, tolerance = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local arrival = math.max(tonumber(known[i] or 0), now)
  local room = now + tolerance - (arrival + interval)
  if room < 0 then
    passes = 0
  end
  limits[i] = {interval, arrival, room}
end
local answer = {passes, session}
for i = 1, count do
  local interval, arrival, room = unpack(limits[i])
  local remaining, wait = math.floor(room / interval), 0
  if passes == 1 then
    arrival = arrival + interval
    -- '%.3f': the shortest form of a number this large would lose its microseconds.
    redis.call('SET', KEYS[i], string.format('%.3f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1)
  elseif room < 0 then
    remaining, wait = 0, math.ceil(-room)
  else
    remaining = remaining + 1
  end
  answer[3 * i] = remaining
  answer[3 * i + 1] = wait
  answer[3 * i + 2] = math.ceil(arrival - now)
end
return answer
